"""Rasters to and from Neo objects and NWB files, beside the libraries' own calls for the same objects.

Run: python benchmarks/exchange_speed.py [--rounds 5]. Neo: 200 samples x 300 neurons, 60,000 SpikeTrains. The other
side makes the same Block (units as objects, the trains of a Segment added at once), and reads it: the magnitudes as
they stand, with bounds and annotations, or each train rescaled to seconds first. NWB: 2,000,000 spikes of 500 units.
The other side writes the same table of units from whole columns, and reads these. Both sides end at the same objects,
files and rasters, which is looked at before anything is timed. Medians of interleaved rounds.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from itertools import pairwise
from pathlib import Path

import h5py
import neo
import numpy as np
import pynwb
import quantities as pq
from hdmf.common import VectorData, VectorIndex
from workload import medians

from dlm_snn import SpikeRaster
from dlm_snn.exchange import from_neo, read_nwb, to_neo, write_nwb
from dlm_snn.exchange.rasters.nwb import START

DT = 1e-3


def trains(raster: SpikeRaster, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Steps in the order of their neurons, and where each neuron's begin and end."""
    order = np.argsort(raster.neuron, kind="stable")
    return row[order], np.searchsorted(raster.neuron[order], np.arange(raster.n_neurons + 1))


def bare_block(raster: SpikeRaster) -> neo.Block:
    """The Block of ``to_neo``, by neo's calls alone."""
    block = neo.Block()
    start, stop = pq.Quantity(0.0, pq.s), pq.Quantity(raster.n_steps * DT, pq.s)
    for sample in range(raster.n_samples):
        part = raster[sample]
        steps, cuts = trains(part, part.step)
        times = steps * DT
        segment = neo.Segment(index=sample)
        segment.spiketrains.extend(
            [
                neo.SpikeTrain(times[a:b], units=pq.s, t_start=start, t_stop=stop, population="a", neuron=neuron)
                for neuron, (a, b) in enumerate(pairwise(cuts))
            ]
        )
        block.segments.append(segment)
    return block


def bare_raster(block: neo.Block, extent: tuple[int, int, int], rescaled: bool) -> SpikeRaster:
    """A raster from all trains' times, each with its bounds and annotations."""
    found = []
    for sample, segment in enumerate(block.segments):
        for train in segment.spiketrains:
            times = train.rescale(pq.s).magnitude if rescaled else train.magnitude
            notes, bounds = train.annotations, (train.t_start.item(), train.t_stop.item())
            found.append((times, sample, notes["neuron"], notes["population"], bounds))
    counts = [len(one[0]) for one in found]
    sample, neuron = (np.repeat([one[k] for one in found], counts) for k in (1, 2))
    return sorted_raster(sample, np.concatenate([one[0] for one in found]), neuron, extent)


def sorted_raster(
    sample: np.ndarray, times: np.ndarray, neuron: np.ndarray, extent: tuple[int, int, int]
) -> SpikeRaster:
    """A raster of events in any order."""
    step = np.rint(times / DT).astype(np.int64)
    order = np.lexsort((neuron, step, sample))
    return SpikeRaster(*(part[order].astype(np.uint32) for part in (sample, step, neuron)), *extent, DT)


def through_neo(rounds: int) -> None:
    """Neo objects made and read, ours beside neo's own calls."""
    raster = SpikeRaster.from_dense(np.random.default_rng(0).random((200, 30, 300)) < 0.05, DT)
    ours, bare = to_neo({"a": raster}), bare_block(raster)
    for other, own in zip(bare.segments, ours.segments, strict=True):
        for a, b in zip(other.spiketrains, own.spiketrains, strict=True):
            same = np.array_equal(a.magnitude, b.magnitude) and a.annotations == b.annotations
            if not same or (a.t_start, a.t_stop) != (b.t_start, b.t_stop):
                raise SystemExit("the Blocks differ")
    reads = (
        lambda: bare_raster(bare, raster.extent, rescaled=False),
        lambda: bare_raster(bare, raster.extent, rescaled=True),
        lambda: from_neo(ours)[0]["a"],
    )
    if any(read() != raster for read in reads):
        raise SystemExit("the rasters differ")
    own, other = medians(rounds, lambda: to_neo({"a": raster}), lambda: bare_block(raster))
    print(f"to Neo: {own:.2f} s, neo's calls {other:.2f} s ({own / other:.2f}x)")
    plain, rescaled, back = medians(rounds, *reads)
    print(f"from Neo: {back:.3f} s, neo's magnitudes as they stand {plain:.3f} s ({back / plain:.2f}x),", end=" ")
    print(f"rescaled {rescaled:.2f} s ({back / rescaled:.3f}x)")


def bare_nwb(raster: SpikeRaster, path: Path) -> None:
    """The units table of ``write_nwb``, by pynwb's calls alone."""
    file = pynwb.NWBFile("spikes", "bare", START)
    steps, cuts = trains(raster, raster.step)
    times = VectorData(name="spike_times", description="seconds", data=steps * DT)
    columns = [
        VectorData(name="population", description="name", data=["a"] * raster.n_neurons),
        VectorData(name="neuron", description="index", data=np.arange(raster.n_neurons)),
        times,
        VectorIndex(name="spike_times_index", data=cuts[1:].astype(np.uint32), target=times),
    ]
    names = ["population", "neuron", "spike_times"]
    file.units = pynwb.misc.Units(
        name="units", description="units", id=np.arange(raster.n_neurons), columns=columns, colnames=names
    )
    file.add_trial(0.0, raster.n_steps * DT)
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)


def bare_nwb_raster(path: Path, extent: tuple[int, int, int]) -> SpikeRaster:
    """A raster from the columns of a units table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pynwb.NWBHDF5IO(str(path), "r") as io:
            units = io.read().units
            times, ends = units["spike_times"].target.data[:], units["spike_times"].data[:]
            neurons, _ = units["neuron"].data[:], units["population"].data[:]
    neuron = np.repeat(neurons, np.diff(ends.astype(np.int64), prepend=0))
    return sorted_raster(np.zeros(len(times), np.int64), times, neuron, extent)


def through_nwb(rounds: int, folder: Path) -> None:
    """Print the two lines of NWB."""
    neurons, steps = 500, 10**7
    event = np.unique(np.random.default_rng(1).integers(0, steps * neurons, 2_000_000))
    step, neuron = (part.astype(np.uint32) for part in np.divmod(event, neurons))
    raster = SpikeRaster(np.zeros_like(step), step, neuron, 1, steps, neurons, DT)
    ours, bare = folder / "ours.nwb", folder / "bare.nwb"

    def write() -> None:
        write_nwb({"a": raster}, ours, replace=True)

    def write_bare() -> None:
        bare_nwb(raster, bare)

    write(), write_bare()
    if pynwb.validate(path=str(ours)):
        raise SystemExit("the file is no valid NWB")
    with h5py.File(ours) as one, h5py.File(bare) as other:
        if any(not np.array_equal(one["units"][key][()], other["units"][key][()]) for key in other["units"]):
            raise SystemExit("the files differ")
    reads = (lambda: read_nwb(ours)[0]["a"], lambda: bare_nwb_raster(bare, raster.extent))
    if any(read() != raster for read in reads):
        raise SystemExit("the rasters differ")
    own, other_side = medians(rounds, write, write_bare)
    print(f"NWB written: {own:.2f} s, pynwb's calls {other_side:.2f} s ({own / other_side:.2f}x)")
    own, other_side = medians(rounds, *reads)
    print(f"NWB read: {own:.2f} s, pynwb's calls {other_side:.2f} s ({own / other_side:.2f}x)")


def main() -> None:
    """Print the four lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        through_nwb(rounds, Path(folder))
    through_neo(rounds)


if __name__ == "__main__":
    main()
