"""BatchDense between stock Processes of shape (n, samples) gives what stock Dense gives, sample by sample."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dlm_snn import run
from tests.nets import make

pytest.importorskip("lava")
ROOT = Path(__file__).parents[1]
SAMPLES, N_STEPS = 3, 30
FORMATS = {
    "float": [(1.5, 1.5, {})],
    "fixed": [
        (100, 100, {"weight_exp": -2}),
        (1200, 100, {"weight_exp": 2, "num_weight_bits": 6}),
        (700, 100, {"num_message_bits": 8, "weight_exp": -6}),
    ],
}
"""Target -> thresholds of the two layers, and the format of the first matrix."""


def rasters(target: str, thresholds: list, format_: dict, batched: bool) -> np.ndarray:
    """Spikes of two layers of stock LIFReset, (sample, step, neuron), behind odd weights of either sign."""
    from lava_processes.batch_dense.process import BatchDense  # isort: skip  (first, it lets Lava be imported)
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.dense.process import Dense
    from lava.proc.io.sink import RingBuffer as Sink
    from lava.proc.io.source import RingBuffer as Source
    from lava.proc.lif.process import LIFReset

    rng = np.random.default_rng(3)
    first = rng.integers(-270, 300, (12, 8)) / (1 if target == "fixed" else 256)
    second = rng.integers(-40, 90, (5, 12)) / (1 if target == "fixed" else 64)
    high = 200 if "num_message_bits" in format_ else 2
    events = rng.integers(0, high, (8, SAMPLES, N_STEPS)) * (rng.random((8, SAMPLES, N_STEPS)) < 0.4)
    steps = N_STEPS + 2
    found = []
    for samples in [slice(0, SAMPLES)] if batched else [slice(b, b + 1) for b in range(SAMPLES)]:
        axis = (SAMPLES,) if batched else ()

        def dense(weights, axis=axis, **given):
            return BatchDense(weights=weights, samples=SAMPLES, **given) if axis else Dense(weights=weights, **given)

        def lif(n, depth, axis=axis):
            shape = (n, *axis)
            decay = 400 if target == "fixed" else 0.1
            return LIFReset(
                shape=shape,
                du=4095 if target == "fixed" else 1,
                dv=decay,
                vth=thresholds[depth - 2],
                reset_interval=10,
                reset_offset=depth,
            )

        data = np.pad(events[:, samples], ((0, 0), (0, 0), (0, 2)))
        source = Source(data=data if batched else data[:, 0])
        one, two = dense(first, **format_), dense(second)
        hidden, output = lif(12, 2), lif(5, 3)
        sinks = [Sink(shape=(n, *axis), buffer=steps) for n in (12, 5)]
        source.s_out.connect(one.s_in)
        one.a_out.connect(hidden.a_in)
        hidden.s_out.connect([two.s_in, sinks[0].a_in])
        two.a_out.connect(output.a_in)
        output.s_out.connect(sinks[1].a_in)
        tag = {"float": "floating_pt", "fixed": "fixed_pt"}[target]
        hidden.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag=tag))
        spikes = np.concatenate([sink.data.get() for sink in sinks])
        hidden.stop()
        found.append(spikes if batched else spikes[:, None])
    return np.concatenate(found, axis=1)


def fused_batch(case: str) -> None:
    """A batch through the ports of one fused Process, loops and delays included."""
    from lava_processes.fused.process import Fused  # isort: skip
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.io.sink import RingBuffer as Sink
    from lava.proc.io.source import RingBuffer as Source

    network, stimulus, n_steps = make(case)
    expected = run(network, stimulus, n_steps).rasters
    process = Fused(network=network, samples=next(iter(expected.values())).n_samples)
    steps = n_steps + max(network.depth.values())
    for name, given in stimulus.items():
        data = np.moveaxis(np.asarray(given), (0, 1, 2), (1, 2, 0))
        source = Source(data=np.pad(data, ((0, 0), (0, 0), (0, steps - n_steps))))
        source.s_out.connect(getattr(process, f"in_{name}"))
    sinks = {name: Sink(shape=(r.n_neurons, r.n_samples), buffer=steps) for name, r in expected.items()}
    for name, sink in sinks.items():
        getattr(process, f"out_{name}").connect(sink.a_in)
    tag = "fixed_pt" if case.startswith("int") else "floating_pt"
    process.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag=tag))
    found = {name: sink.data.get() for name, sink in sinks.items()}
    process.stop()
    for name, raster in expected.items():
        window = found[name][:, :, network.depth[name] :][:, :, :n_steps]
        if np.any(np.moveaxis(window, (0, 1, 2), (2, 0, 1)) != raster.dense()):
            raise SystemExit(f"{case}: spikes of {name} differ")
    print("equal")


def main(target: str) -> None:
    """Compare all formats of a target, or a case of the fused Process."""
    if target not in FORMATS:
        fused_batch(target)
        return
    for *thresholds, format_ in FORMATS[target]:
        both = [rasters(target, thresholds, format_, batched) for batched in (True, False)]
        if not 0.02 < both[1].mean() < 0.5 or np.any(both[0] != both[1]):
            raise SystemExit(f"{format_}: {np.count_nonzero(both[0] != both[1])} differ, {both[1].mean():.1%} fire")
    print("equal")


@pytest.mark.parametrize("target", [*FORMATS, "recurrent", "int_delays"])
def test_nothing_differs_in_a_batch(target):
    words = [sys.executable, "-m", "tests.test_batch_dense", target]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.stdout.strip().endswith("equal"), done.stdout + done.stderr


if __name__ == "__main__":
    main(*sys.argv[1:])
