"""Our float-only Lava neurons: the refractory one against stock Lava's, and what both say to a fixed-point run."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
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


def behind_an_input() -> None:
    """Spikes in Lava's steps 2..7, our window, of a stock LIF with a bias, of LIFReset as documented, and ours."""
    import lava_processes  # noqa: F401  # isort: skip  (first, it lets Lava be imported)
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.dense.process import Dense
    from lava.proc.io.source import RingBuffer
    from lava.proc.lif.process import LIF, LIFReset
    from lava.proc.monitor.process import Monitor

    import dlm_snn as dlm

    for kind, own in ((LIF, {}), (LIFReset, {"reset_interval": 2**20, "reset_offset": 2})):
        source, dense, monitor = RingBuffer(data=np.zeros((1, 7))), Dense(weights=np.zeros((1, 1))), Monitor()
        lif = kind(shape=(1,), du=1.0, dv=0.0, bias_mant=0.4, vth=1.0, **own)
        source.s_out.connect(dense.s_in)
        dense.a_out.connect(lif.a_in)
        monitor.probe(lif.s_out, 7)
        lif.run(condition=RunSteps(num_steps=7), run_cfg=Loihi2SimCfg(select_tag="floating_pt"))
        spikes = next(iter(next(iter(monitor.get_data().values())).values()))
        print(kind.__name__, spikes[1:, 0].astype(int).tolist())
        lif.stop()
    populations = {"x": dlm.Input((1,)), "a": dlm.LIF((1,), du=1.0, dv=0.0, bias=0.4)}
    network = dlm.Network(populations, [dlm.Projection("x", "a", dlm.Dense([[0.0]]))])
    print("ours", dlm.run(network, {"x": [[0]]}, 6).rasters["a"].dense()[0, :, 0].astype(int).tolist())


def script(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.test_lava_neurons", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)


def test_refractory_neurons_are_those_of_stock_lava():
    done = script("stock")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_stock_lif_with_a_bias_starts_before_our_window():
    """docs/semantics.md, "A stock LIF beside ours": by its depth; LIFReset with reset_offset depth + 1 does not."""
    done = script("window")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        "LIF [0, 1, 0, 0, 1, 0]",
        "LIFReset [0, 0, 1, 0, 0, 1]",
        "ours [0, 0, 1, 0, 0, 1]",
    ]


@pytest.mark.parametrize("name", ["LIFSubtract", "RefractoryLIF"])
def test_a_fixed_point_run_is_refused_by_name(name):
    done = script(name)
    assert done.returncode != 0
    assert name in done.stderr.strip().splitlines()[-1]
    assert "fixed_pt" in done.stderr


if __name__ == "__main__":
    {"stock": compare_with_stock, "window": behind_an_input}.get(sys.argv[1], partial(refuse_fixed, sys.argv[1]))()
