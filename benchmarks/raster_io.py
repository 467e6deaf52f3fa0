"""Rasters on disk against NumPy on the same bytes; what a recording takes; a recording larger than memory should be.

Run: python benchmarks/raster_io.py [--rounds 7] [--events 10000000] [--long 100000000]. The folder form is loaded
(checked and mapped) and then all of it is looked at once, beside numpy.load of its three arrays. The long recording is
written and read in pieces by a process of its own, whose largest memory (mapped pages too) is told.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from workload import medians

from dlm_snn import SpikeRaster
from dlm_snn.runs.raster_files import RasterWriter

NEURONS, RATE = 1000, 0.01
STEPS = 10_000
"""Steps of a piece."""


def busy(events: int, samples: int = 100) -> SpikeRaster:
    """About so many events of 1,000 neurons at 1 %."""
    generator = np.random.default_rng(1)
    steps = round(events / (samples * NEURONS * RATE))
    place = np.unique(generator.integers(0, samples * steps * NEURONS, events))
    row, neuron = np.divmod(place, NEURONS)
    sample, step = np.divmod(row, steps)
    return SpikeRaster(*(a.astype(np.uint32) for a in (sample, step, neuron)), samples, steps, NEURONS)


def loading(folder: Path, events: int, rounds: int) -> None:
    """Both stored forms of a raster, loaded."""
    raster = busy(events)
    raster.save(folder / "a.raster")
    raster.save(folder / "a.npz")

    def plain() -> list[np.ndarray]:
        return [np.load(folder / "a.raster" / f"{name}.npy") for name in ("sample", "step", "neuron")]

    def ours() -> SpikeRaster:
        return SpikeRaster.load(folder / "a.raster")

    def looked_at() -> int:
        loaded = ours()
        return sum(int(getattr(loaded, name).sum()) for name in ("sample", "step", "neuron"))

    def plain_looked_at() -> int:
        return sum(int(array.sum()) for array in plain())

    def packed() -> SpikeRaster:
        return SpikeRaster.load(folder / "a.npz")

    bare, load, bare_sum, load_sum, npz = medians(rounds, plain, ours, plain_looked_at, looked_at, packed)
    print(f"{len(raster)} events: numpy {bare * 1e3:.0f} ms, .raster {load * 1e3:.0f} ms ({load / bare:.2f}x)")
    print(f"and all looked at: {bare_sum * 1e3:.0f} ms, {load_sum * 1e3:.0f} ms ({load_sum / bare_sum:.2f}x)")
    print(f".npz: {npz * 1e3:.0f} ms ({npz / bare:.1f}x), {(folder / 'a.npz').stat().st_size / 1e6:.1f} MB")


def size(folder: Path) -> None:
    generator = np.random.default_rng(2)
    SpikeRaster.from_dense(generator.random((1, 20_000, 50)) < RATE).save(folder / "b.npz")
    print(f"50 neurons x 20 s at 1 %: {(folder / 'b.npz').stat().st_size / 1e3:.1f} kB")


def memory() -> float:
    """The most that this process has held so far, in MiB, mapped pages of files too (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10


def long(folder: Path, events: int) -> None:
    """Written and read in pieces of 10,000 steps by this process; its memory is told."""
    pieces = round(events / (STEPS * NEURONS * RATE))
    piece = busy(round(STEPS * NEURONS * RATE), 1)
    before = memory()
    start = perf_counter()
    with RasterWriter(folder / "long.raster", 1, pieces * STEPS, NEURONS) as writer:
        for k in range(pieces):
            writer.append(piece, k * STEPS)
    written = perf_counter()
    raster = SpikeRaster.load(folder / "long.raster")
    loaded = perf_counter()
    counted = sum(len(part) for _, _, part in raster.pieces(STEPS))
    read = perf_counter()
    if counted != pieces * len(piece):
        raise SystemExit(f"{counted} events read, {pieces * len(piece)} written")
    after = memory()
    start_plain = perf_counter()
    for name in ("sample", "step", "neuron"):
        with (folder / "long.raster" / f"{name}.npy").open("rb") as file:
            while np.fromfile(file, np.uint32, 2**20).size:
                pass
    plain = perf_counter() - start_plain
    print(
        f"{counted} events in {pieces} pieces: written in {written - start:.1f} s, loaded in {loaded - written:.2f} s,"
    )
    print(f"read in pieces in {read - loaded:.2f} s; numpy reads the bytes in blocks in {plain:.2f} s:")
    print(f"{(loaded - written) / plain:.2f}x and {(read - loaded) / plain:.2f}x")
    print(f"largest memory {after:.0f} MiB, {before:.0f} before")


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--events", type=int, default=10**7)
    parser.add_argument("--long", type=int, default=10**8)
    parser.add_argument("--only-long", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only_long:
        long(arguments.only_long, arguments.long)
        return
    with tempfile.TemporaryDirectory() as folder:
        size(Path(folder))
        loading(Path(folder), arguments.events, arguments.rounds)
        words = [sys.executable, __file__, "--only-long", folder, "--long", str(arguments.long)]
        subprocess.run(words, check=True)


if __name__ == "__main__":
    main()
