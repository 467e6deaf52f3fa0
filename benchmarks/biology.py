"""What estimators say of trained networks of ours, for docs/biology.md: slope, branching ratio, time's arrow.

Run: OMP_NUM_THREADS=1 python -m benchmarks.biology [--seeds 5] [--steps 20000]. Digits, 64-128-10, AdamW, with and
without competition, and each before its training. A long run without a reset, in which the input is a stream of test
digits, 20 steps each, or one digit that stays. The control is the input itself: the slope of its summed pixels.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis import Finding, branching_ratio, irreversibility, raster_spectrum, spectrum
from dlm_snn.analysis.estimators.population import population_rate
from dlm_snn.backends import run
from dlm_snn.networks.network import Network
from dlm_snn.runs.metrics import interval
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.tasks.parts import DataConfig, Split, split
from dlm_snn.training import TrainingConfig, initial_network, train

SHOWN = 20
"""Steps per digit."""
EPOCHS = 10
COLUMNS = ("spectral slope", "branching ratio", "r_1", "irreversibility, nats per step", "spikes per step")


def networks(data: Split, seed: int) -> Iterator[tuple[str, Network]]:
    """Each form of the network, before and after training."""
    for name, winners in (("16 winners", 16), ("no competition", None)):
        rng = np.random.default_rng(seed)
        first = initial_network(64, (128,), 10, rng, dv=410 / 4096, winners=winners, graded_bits=5, scale=16.0)
        yield f"{name}, untrained", first
        config = TrainingConfig(epochs=EPOCHS, batch_size=32, learning_rate=0.01, weight_decay=0.3, seed=seed)
        yield f"{name}, trained", train(first, data.x_train, data.y_train, config, SHOWN)[0]


def inputs(data: Split, steps: int, seed: int) -> dict[str, NDArray[np.uint8]]:
    """Stimuli (step, pixel)."""
    rng = np.random.default_rng(seed)
    order = rng.integers(0, len(data.x_test), -(-steps // SHOWN))
    stream = data.x_test[order].repeat(SHOWN, axis=0)[:steps]
    return {"stream of digits": stream, "one digit": np.broadcast_to(stream[:1], stream.shape)}


def figures(raster: SpikeRaster, seed: int) -> tuple[Finding | float, ...]:
    """In the order of COLUMNS."""
    rng = np.random.default_rng(seed)
    mean = len(raster) / raster.n_steps
    branching = branching_ratio(population_rate(raster) * raster.n_neurons, rng=rng)
    return raster_spectrum(raster, rng=rng).slope, *branching.findings, irreversibility(raster, rng), mean


def of_input(pixels: NDArray[np.uint8], seed: int) -> tuple[Finding | float, ...]:
    """The control: the same of the summed pixels, which are no spikes and have no words."""
    rng, series = np.random.default_rng(seed), pixels.sum(1, dtype=np.float64)
    nothing = Finding("irreversibility", None, doubts=("no spikes",))
    return spectrum(series, 1e-3, rng=rng).slope, *branching_ratio(series, rng=rng).findings, nothing, float("nan")


def told(found: Sequence[Finding | float]) -> str:
    """Mean and 95 % interval over seeds where most are resolved; else how many are, and the first doubt."""
    if isinstance(found[0], Finding):
        values = [f.value for f in found if isinstance(f, Finding) and f.value is not None]
        if len(values) <= len(found) / 2:
            doubts = [f.doubts[0] for f in found if isinstance(f, Finding) and f.doubts]
            return f"not resolved ({len(values)} of {len(found)}): {doubts[0] if doubts else ''}"
        return f"{interval(values, '.3g')} ({len(values)} of {len(found)} resolved)"
    return interval([float(value) for value in found if not isinstance(value, Finding)], ".3g")


def main() -> None:
    """Print a table for each input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20_000)
    arguments = parser.parse_args()
    data = split(DataConfig(dataset="digits", test_share=0.25))
    rows: dict[tuple[str, str], list[tuple[Finding | float, ...]]] = {}
    for seed in range(arguments.seeds):
        stimuli = inputs(data, arguments.steps, seed)
        for stimulus, pixels in stimuli.items():
            rows.setdefault((stimulus, "the input itself"), []).append(of_input(pixels, seed))
        for name, network in networks(data, seed):
            for stimulus, pixels in stimuli.items():
                fired = run(network, {"pixels": pixels[None]}, arguments.steps, record={"hidden": "s"}, backend="fast")
                rows.setdefault((stimulus, name), []).append(figures(fired.rasters["hidden"], seed))
    print(f"| input | network | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 2)}")
    for (stimulus, name), found in rows.items():
        print(f"| {stimulus} | {name} | {' | '.join(told(column) for column in zip(*found, strict=True))} |")


if __name__ == "__main__":
    main()
