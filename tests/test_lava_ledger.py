"""The ledger that runs inside Lava closes exactly and is the one that is read off a recording."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dlm_snn import Dense, Input, IntegerLIF, IntegerNetwork, IntegerProjection, run
from dlm_snn.physics.membranes.ledger import BIAS, membrane_ledger

pytest.importorskip("lava")
ROOT = Path(__file__).parents[1]
N, N_STEPS, BIAS_MANT = 500, 2100, 90
CASES = {"plain": (410, 500), "saturating": (1, 131071)}


def problem(case: str) -> tuple[IntegerNetwork, np.ndarray]:
    """500 neurons with current memory, bias and drive of both signs; "saturating" clips v and passes 64 bits."""
    rng = np.random.default_rng(5)
    dv, threshold = CASES[case]
    gain = 1 if case == "plain" else 8
    weight = 2 * np.clip(gain * rng.integers(-14, 17, (N, 30)), -120, 127)
    network = IntegerNetwork(
        {"x": Input((30,)), "h": IntegerLIF((N,), du=2000, dv=dv, v_threshold=threshold, bias_mant=BIAS_MANT)},
        [IntegerProjection("x", "h", Dense(weight), weight_exp=0 if case == "plain" else 5)],
    )
    return network, rng.random((1, N_STEPS, 30)) < 0.3


def in_lava(case: str, path: str) -> None:
    """Run LedgerLIF behind a source and a Dense; print its totals, write its spikes."""
    from lava_processes.ledger_lif.process import LedgerLIF  # isort: skip  (first, it lets Lava be imported)
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.dense.process import Dense as LavaDense
    from lava.proc.io.source import RingBuffer

    from lava_processes.sink.process import SpikeSink

    network, spikes = problem(case)
    neuron, projection = network.neurons["h"], network.projections[0]
    silent = np.zeros((30, 1), dtype=int)
    source = RingBuffer(data=np.concatenate([spikes[0].T.astype(int), silent], axis=1))
    dense = LavaDense(weights=np.array(projection.connection.weight), weight_exp=projection.weight_exp)
    lif = LedgerLIF(shape=(N,), du=neuron.du, dv=neuron.dv, vth=neuron.v_threshold, bias_mant=BIAS_MANT, reset_offset=2)
    sink = SpikeSink(path=path, n=N, name="sink")
    source.s_out.connect(dense.s_in)
    dense.a_out.connect(lif.a_in)
    lif.s_out.connect(sink.a_in)
    lif.run(condition=RunSteps(num_steps=N_STEPS + 1), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    totals = {name: str(value) for name, value in lif.totals().items()}
    lif.stop()
    print(json.dumps(totals))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore::dlm_snn.errors.RangeWarning")
def test_it_closes_and_is_the_recordings(case, tmp_path):
    path = tmp_path / "spikes.npy"
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(N_STEPS + 1, N)).flush()
    command = [sys.executable, "-m", "tests.test_lava_ledger", case, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    totals = {name: int(value) for name, value in json.loads(done.stdout.strip().splitlines()[-1]).items()}
    network, spikes = problem(case)
    recording = run(network, {"x": spikes}, N_STEPS, record=("s", "u", "v"), backend="fast")
    # A sink sees the spikes of a step in the same step; the window begins one step late.
    np.testing.assert_array_equal(np.load(path)[1:], recording.rasters["h"].dense()[0])
    ours = membrane_ledger(recording, {"x": spikes}, "h").totals()
    assert totals["residual"] == ours["residual"] == 0
    # The step before the window moves energy in and, by the reset that begins it, out again.
    early = BIAS_MANT**2 * N
    assert totals["bias"] - early == ours[BIAS]
    assert totals["reset"] - early == ours["reset"]
    assert totals["current"] + totals["bias"] - early == ours["injected"]
    assert {name: totals[name] for name in ("leak", "clip", "stored")} == {
        n: ours[n] for n in ("leak", "clip", "stored")
    }
    if case == "saturating":
        assert totals["clip"] > 0
        assert max(totals.values()) > 2**63
        assert any(o.saturations for o in recording.overflow.values())


if __name__ == "__main__":
    in_lava(sys.argv[1], sys.argv[2])
