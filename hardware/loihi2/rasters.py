"""Spikes of a bundle's populations as NumPy arrays: read, written, compared. NumPy and the standard library only.

``NAME.npz`` holds, for each population P, ``P.sample``, ``P.step`` and ``P.neuron`` (one entry a spike, sorted by
sample, then step, then neuron), and the numbers ``n_samples``, ``n_steps`` and ``P.n_neurons``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

EVENT = ("sample", "step", "neuron")


class Raster(NamedTuple):
    """Spikes of one population: three arrays, one entry a spike, sorted; and the extents of the three."""

    sample: np.ndarray
    step: np.ndarray
    neuron: np.ndarray
    extent: tuple

    def places(self) -> np.ndarray:
        """One number a spike, in order."""
        _, steps, neurons = self.extent
        return (self.sample.astype(np.int64) * steps + self.step) * neurons + self.neuron


class Difference(NamedTuple):
    """The first spike that only one of two runs has, and how many such there are.

    Attributes:
        differ, expected: spikes that only one has, and spikes that were expected.
        first: (sample, step, population, neuron); None where there is none.
        missing: the first was expected and is not there, not the other way round.
    """

    differ: int
    expected: int
    first: tuple | None = None
    missing: bool = False

    def lines(self) -> list[str]:
        """What to print."""
        told = [f"{self.differ} of {self.expected} spikes differ"]
        if self.first is not None:
            sample, step, name, neuron = self.first
            has = "expected a spike, got none" if self.missing else "got a spike, expected none"
            told.insert(0, f"first difference: sample {sample}, step {step}, population {name}, neuron {neuron}: {has}")
        return told


def read(path: Path) -> dict[str, Raster]:
    """The rasters of an npz file, in its order."""
    with np.load(path, allow_pickle=False) as held:
        names = [key[: -len(".n_neurons")] for key in held.files if key.endswith(".n_neurons")]
        samples, steps = int(held["n_samples"]), int(held["n_steps"])
        found = {}
        for name in names:
            sample, step, neuron = (held[f"{name}.{key}"] for key in EVENT)
            found[name] = Raster(sample, step, neuron, (samples, steps, int(held[f"{name}.n_neurons"])))
        return found


def arrays(rasters: dict[str, Raster]) -> dict[str, np.ndarray]:
    """What an npz file of rasters holds."""
    found: dict[str, np.ndarray] = {}
    for name, raster in rasters.items():
        found.update({f"{name}.{key}": getattr(raster, key).astype(np.uint32) for key in EVENT})
        numbers = {"n_samples": raster.extent[0], "n_steps": raster.extent[1], f"{name}.n_neurons": raster.extent[2]}
        found.update({key: np.array(number) for key, number in numbers.items()})
    return found


def write(path: Path, rasters: dict[str, Raster]) -> None:
    """Write an npz file; it takes its name when it is whole."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            np.savez_compressed(file, **arrays(rasters))
        os.replace(aside, path)
    finally:
        if aside.exists():
            aside.unlink()


def windowed(rows: np.ndarray, start: int, period: int, extent: tuple) -> Raster:
    """Cut windows out of the steps of a run.

    Args:
        rows: (step, neuron), what was written in each step of the machine.
        start: row of the first window's step 0.
        period: rows from one window to the next.
        extent: (n_samples, n_steps, n_neurons).
    """
    samples, steps, neurons = extent
    found = [np.nonzero(rows[start + w * period : start + w * period + steps]) for w in range(samples)]
    sample = np.repeat(np.arange(samples), [len(step) for step, _ in found])
    whole = [np.concatenate([one[k] for one in found]) if found else np.zeros(0, int) for k in (0, 1)]
    return Raster(sample, whole[0], whole[1], (samples, steps, neurons))


def difference(expected: dict[str, Raster], got: dict[str, Raster], names: Iterable[str]) -> Difference:
    """Compare populations; the earliest difference counts, of those in one step that of the first name."""
    differ, total, firsts = 0, 0, []
    for place, name in enumerate(names):
        one, other = expected[name].places(), got[name].places()
        total += len(one)
        lone = np.setxor1d(one, other)
        differ += len(lone)
        if len(lone):
            _, steps, neurons = expected[name].extent
            row, neuron = divmod(int(lone[0]), neurons)
            sample, step = divmod(row, steps)
            firsts.append(((sample, step, place), (sample, step, name, neuron), bool(np.isin(lone[0], one))))
    if not firsts:
        return Difference(0, total)
    _, first, missing = min(firsts)
    return Difference(differ, total, first, missing)


def first_samples(raster: Raster, samples: int) -> Raster:
    """Of a raster, the first samples."""
    keep = raster.sample < samples
    return Raster(raster.sample[keep], raster.step[keep], raster.neuron[keep], (samples, *raster.extent[1:]))
