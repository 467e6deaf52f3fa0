"""Our float-only Lava neurons: the refractory one against stock Lava's, and what both say to a fixed-point run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lava")
ROOT = Path(__file__).parents[1]
N, N_STEPS = 30, 60


def compare_with_stock() -> None:
    """Spikes and v of RefractoryLIF and of LIFRefractory, driven alike."""
    from lava_processes.refractory_lif.process import RefractoryLIF  # isort: skip  (first, it lets Lava be imported)
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.io.source import RingBuffer
    from lava.proc.lif.process import LIFRefractory
    from lava.proc.monitor.process import Monitor

    drive = np.random.default_rng(2).normal(0.25, 0.4, (N, N_STEPS))
    for refractory in (1, 3):
        seen = []
        for kind, keyword in ((LIFRefractory, "refractory_period"), (RefractoryLIF, "refractory")):
            own = {"reset_interval": 2**30} if kind is RefractoryLIF else {}
            lif = kind(shape=(N,), du=0.5, dv=0.1, vth=1.0, bias_mant=0.02, **own, **{keyword: refractory})
            source, monitors = RingBuffer(data=drive), [Monitor(), Monitor()]
            source.s_out.connect(lif.a_in)
            monitors[0].probe(lif.s_out, N_STEPS)
            monitors[1].probe(lif.v, N_STEPS)
            lif.run(condition=RunSteps(num_steps=N_STEPS), run_cfg=Loihi2SimCfg(select_tag="floating_pt"))
            seen.append([next(iter(next(iter(m.get_data().values())).values())) for m in monitors])
            lif.stop()
        # Stock Lava adds the bias to u first: v differs in its last bits.
        same = np.array_equal(seen[0][0], seen[1][0]) and np.allclose(seen[0][1], seen[1][1], rtol=0, atol=1e-13)
        if not same or not 0.02 < seen[0][0].mean() < 0.4:
            differ = [np.count_nonzero(a != b) for a, b in zip(*seen, strict=True)]
            raise SystemExit(f"refractory {refractory}: {differ} of s and v differ, {seen[0][0].mean():.1%} fire")


def refuse_fixed(name: str) -> None:
    """Lava itself names the Process that has no fixed-point model, before anything runs."""
    from lava_processes.lif_subtract.process import LIFSubtract  # isort: skip
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    from lava_processes.refractory_lif.process import RefractoryLIF

    lif = LIFSubtract(shape=(2,)) if name == "LIFSubtract" else RefractoryLIF(shape=(2,), refractory=2)
    lif.run(condition=RunSteps(num_steps=2), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))


def script(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.test_lava_neurons", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)


def test_refractory_neurons_are_those_of_stock_lava():
    done = script("stock")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["LIFSubtract", "RefractoryLIF"])
def test_a_fixed_point_run_is_refused_by_name(name):
    done = script(name)
    assert done.returncode != 0
    assert name in done.stderr.strip().splitlines()[-1]
    assert "fixed_pt" in done.stderr


if __name__ == "__main__":
    compare_with_stock() if sys.argv[1] == "stock" else refuse_fixed(sys.argv[1])
