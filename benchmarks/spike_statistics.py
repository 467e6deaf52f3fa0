"""Statistics of rasters against Elephant in one run, one thread; memory of a long recording; time on an NWB file.

Run: python -m benchmarks.spike_statistics [--rounds 3] [--only table,pairs,matrix,stream,nwb] [--long 100000000]

Elephant gets its spike trains and, for correlograms, its binned trains, made outside the clock. Ours gets the raster as
it is, sorted by sample, step, neuron. Every row compares the values too. 1,000 neurons of 10 to 30 Hz, steps of 1 ms.
Seconds are those of the processor, so that others on the machine do not count.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np

from benchmarks.workload import interleaved, median_ratio
from dlm_snn import SpikeRaster
from dlm_snn.analysis import (
    correlation_matrix,
    correlogram,
    fano_over_trials,
    isi,
    psth,
    spike_table,
    van_rossum_distance,
    victor_purpura_distance,
)

NEURONS, RATE = 1000, 20.0
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
LIMIT_MIB = 300


def drawn(events: float, neurons: int = NEURONS, rate: float = RATE, seed: int = 1) -> SpikeRaster:
    """About so many spikes of neurons whose rates go from half of the mean to one and a half."""
    generator = np.random.default_rng(seed)
    n_steps = round(events / neurons / rate * 1000)
    chance = events / neurons / n_steps * (0.5 + np.arange(neurons) / neurons)
    steps, owners = [], []
    for first in range(0, n_steps, 1000):
        step, neuron = np.nonzero(generator.random((min(1000, n_steps - first), neurons), dtype=np.float32) < chance)
        steps.append((step + first).astype(np.uint32))
        owners.append(neuron.astype(np.uint32))
    step = np.concatenate(steps)
    return SpikeRaster(np.zeros_like(step), step, np.concatenate(owners), 1, n_steps, neurons)


def trains_of(raster: SpikeRaster) -> list[Any]:
    import neo

    order = np.argsort(raster.neuron, kind="stable")
    starts = np.searchsorted(raster.neuron[order], np.arange(1, raster.n_neurons))
    times = np.split(raster.step[order].astype(float), starts)
    return [neo.SpikeTrain(one, units="ms", t_stop=float(raster.n_steps)) for one in times]


def processor_seconds(rounds: int, *jobs: Callable[[], Any]) -> list[list[float]]:
    """Seconds of this process on a processor, per job and round: others on the machine do not count."""
    taken: list[list[float]] = [[] for _ in jobs]
    for _ in range(rounds):
        for seconds, job in zip(taken, jobs, strict=True):
            start = process_time()
            job()
            seconds.append(process_time() - start)
    return taken


def compared(name: str, bar: float, rounds: int, elephant: Callable[[], Any], ours: Callable[[], Any]) -> None:
    """One row: median seconds of both, the median ratio within a round, how far the values are apart.

    The call that compares the values comes first and does not count.
    """
    known, found = elephant(), ours()
    apart = max(
        float(np.nanmax(np.abs(np.asarray(a, float) - np.asarray(b, float)), initial=0))
        / max(float(np.nanmax(np.abs(np.asarray(a, float)), initial=0)), 1e-300)
        for a, b in zip(known, found, strict=True)
    )
    slow, quick = processor_seconds(rounds, elephant, ours)
    ratio = median_ratio(slow, quick)
    told = "met" if ratio >= bar else "NOT met"
    print(
        f"{name:<46} Elephant {median(slow):8.3f} s  ours {median(quick):8.4f} s  "
        f"{ratio:7.1f}x (bar {bar:g}x, {told})  values apart {apart:.0e}",
        flush=True,
    )


def tables(events: float, bar: float, rounds: int) -> None:
    """The table of rate, CV, CV2, LV and Fano factor with a PSTH."""
    import quantities as pq
    from elephant import statistics
    from elephant.conversion import BinnedSpikeTrain

    raster = drawn(events)
    trains, stop = trains_of(raster), raster.n_steps * pq.ms

    def elephant() -> tuple[Any, ...]:
        rows = []
        for train in trains:
            between = statistics.isi(train)
            counts = BinnedSpikeTrain(train, bin_size=100 * pq.ms, t_start=0 * pq.ms, t_stop=stop).to_array()[0]
            rate = float(statistics.mean_firing_rate(train).rescale("Hz").magnitude)
            figures = statistics.cv(between.magnitude), statistics.cv2(between), statistics.lv(between)
            rows.append((rate, *figures, counts.var() / counts.mean()))
        counted = statistics.time_histogram(trains, bin_size=5 * pq.ms, output="counts").magnitude.ravel()
        return (*np.array(rows, dtype=float).T, counted)

    def ours() -> tuple[Any, ...]:
        table = spike_table(raster, 0.1)
        return table.rate, table.cv, table.cv2, table.lv, table.fano, psth(raster, 5e-3).spikes

    compared(f"rate, CV, CV2, LV, Fano, PSTH, {len(raster):.0e} spikes", bar, rounds, elephant, ours)


def single_rows(rounds: int) -> None:
    """Each statistic alone at 1e6 spikes: none may be slower than Elephant's."""
    import quantities as pq
    from elephant import statistics

    raster = drawn(1e6)
    trains = trains_of(raster)
    compared(
        "ISI of every neuron",
        1,
        rounds,
        lambda: [np.concatenate([statistics.isi(train).magnitude for train in trains])],
        lambda: [isi(raster).ms],
    )
    compared(
        "PSTH, 5 ms, with intervals",
        1,
        rounds,
        lambda: [statistics.time_histogram(trains, bin_size=5 * pq.ms, output="counts").magnitude.ravel()],
        lambda: [psth(raster, 5e-3).spikes],
    )
    turned = SpikeRaster(raster.neuron, raster.step, raster.sample, NEURONS, raster.n_steps, 1)
    compared(
        "Fano factor over 1,000 trials",
        1,
        rounds,
        lambda: [[statistics.fanofactor(trains)]],
        lambda: [fano_over_trials(turned)],
    )


def pairs(rounds: int) -> None:
    """Correlograms and distances of pairs of trains."""
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import cross_correlation_histogram
    from elephant.spike_train_dissimilarity import van_rossum_distance as van_rossum
    from elephant.spike_train_dissimilarity import victor_purpura_distance as victor_purpura

    raster = drawn(1e6)
    trains = trains_of(raster)
    binned = [BinnedSpikeTrain(t, bin_size=1 * pq.ms, t_stop=raster.n_steps * pq.ms) for t in trains[:21]]
    chosen = [(k, k + 1) for k in range(20)]
    compared(
        "cross-correlograms of 20 pairs, +-50 ms, 1 ms",
        50,
        rounds,
        lambda: [
            [
                cross_correlation_histogram(binned[i], binned[j], window=[-50, 50])[0].magnitude.ravel()
                for i, j in chosen
            ]
        ],
        lambda: [correlogram(raster, chosen, longest=0.05).counts],
    )
    part = raster[:, :, :50]
    compared(
        f"van Rossum of 50 trains, {len(part):,} spikes",
        8,
        rounds,
        lambda: [np.nan_to_num(van_rossum(trains[:50], 20 * pq.ms))],
        lambda: [van_rossum_distance(part, 0.02)],
    )
    few = raster[:, :10_000, :20]
    few_trains = trains_of(few)
    compared(
        f"Victor-Purpura of 20 trains, {len(few):,} spikes",
        1,
        rounds,
        lambda: [victor_purpura(few_trains, 50 * pq.Hz)],
        lambda: [victor_purpura_distance(few, 50.0)],
    )


def matrix(events: float, rounds: int) -> None:
    """The correlation matrix of all neurons."""
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import correlation_coefficient

    raster = drawn(events)
    trains = trains_of(raster)
    compared(
        f"correlation matrix, 5 ms, {len(raster):.0e} spikes",
        2,
        rounds,
        lambda: [correlation_coefficient(BinnedSpikeTrain(trains, bin_size=5 * pq.ms))],
        lambda: [correlation_matrix(raster, 5e-3)],
    )


def anonymous() -> int:
    """KiB of anonymous memory that this process holds (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def streamed(path: Path) -> None:
    """The table of a mapped raster in this process, while its anonymous memory is looked at."""
    most, done = [anonymous()], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            most.append(anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = perf_counter()
    raster = SpikeRaster.load(path)
    loaded = perf_counter()
    table = spike_table(raster, 0.1)
    ended = perf_counter()
    counts = psth(raster, 0.1).spikes
    done.set()
    watcher.join()
    if int(table.spikes.sum()) != len(raster) or int(counts.sum()) > len(raster):
        raise SystemExit("the table does not hold all spikes")
    held = max(most) / 1024
    print(
        f"table of {len(raster):,} spikes in {path.name}: {ended - loaded:.1f} s (checked and mapped in "
        f"{loaded - start:.1f} s), anonymous memory at most {held:.0f} MiB (bar {LIMIT_MIB}, "
        f"{'met' if held <= LIMIT_MIB else 'NOT met'})",
        flush=True,
    )


def stream(events: int) -> None:
    """The table of a raster on disk, in a process whose memory is looked at."""
    from dlm_snn.runs.raster_files import RasterWriter

    steps = 10_000
    piece = drawn(NEURONS * RATE * steps / 1000)
    pieces = max(round(events / len(piece)), 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.raster"
        with RasterWriter(path, 1, pieces * steps, NEURONS) as writer:
            for k in range(pieces):
                writer.append(piece, k * steps)
        words = [sys.executable, "-m", "benchmarks.spike_statistics", "--streamed", str(path)]
        subprocess.run(words, check=True)


def nwb(rounds: int) -> None:
    """Reading an NWB file, beside reading it and printing its statistics, in one process."""
    import contextlib
    import io

    from dlm_snn.cli import main
    from dlm_snn.exchange.format import Options
    from dlm_snn.exchange.formats import read_path, write_rasters

    raster = drawn(2e6, neurons=200)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "units.nwb"
        write_rasters({"units": raster}, path)

        def read() -> int:
            return len(read_path(path, Options()).rasters["units"])

        def told() -> None:
            with contextlib.redirect_stdout(io.StringIO()):
                if main(["raster", "stats", str(path)]):
                    raise SystemExit("raster stats failed")

        if read() != len(raster):
            raise SystemExit("the file does not hold all spikes")
        seconds = interleaved({"read": read, "stats": told}, rounds)
    ratio = 1 / median_ratio(seconds["read"], seconds["stats"])
    print(
        f"NWB of 200 units, {len(raster):,} spikes: read in {median(seconds['read']):.2f} s, raster stats in "
        f"{median(seconds['stats']):.2f} s, {ratio:.2f}x (bar 2x, {'met' if ratio <= 2 else 'NOT met'})",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="table,single,pairs,matrix,stream,nwb")
    parser.add_argument("--long", type=int, default=10**8)
    parser.add_argument("--streamed", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if any(os.environ.get(name) != "1" for name in THREADS):
        # Libraries read them when they are loaded, which they are.
        words = [sys.executable, "-m", "benchmarks.spike_statistics", *sys.argv[1:]]
        os.execve(sys.executable, words, {**os.environ, **dict.fromkeys(THREADS, "1")})
    if arguments.streamed:
        streamed(arguments.streamed)
        return
    warnings.filterwarnings("ignore")
    work: dict[str, Callable[[], None]] = {
        "table": lambda: (tables(1e6, 100, arguments.rounds), tables(1e7, 30, arguments.rounds))[0],
        "single": lambda: single_rows(arguments.rounds),
        "pairs": lambda: pairs(arguments.rounds),
        "matrix": lambda: matrix(1e7, arguments.rounds),
        "stream": lambda: stream(arguments.long),
        "nwb": lambda: nwb(arguments.rounds),
    }
    for name in arguments.only.split(","):
        work[name]()


if __name__ == "__main__":
    main()
