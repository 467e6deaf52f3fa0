"""Intervals of slopes, branching ratios and avalanche exponents on known truths: hits of 20 seeds.

Run: OMP_NUM_THREADS=1 python -m benchmarks.estimators [--seeds 20] [--only spectrum,branching,avalanches,traps]
[--steps N ...]. For
every truth: how often the 95 % interval holds it (18 to 20 of 20 are right), how often the figure was resolved, mean
and standard deviation of the estimates, the mean length of the interval, and N. Then the traps: what must not be
reported, and how often it was. Truths and resampling have seeds of their own.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis import Finding, branching_ratio, power_law_noise, raster_spectrum, spectrum
from dlm_snn.analysis.estimators.avalanches_tail import tail_of
from dlm_snn.provenance import checkout_commit, machine
from dlm_snn.runs.raster import SpikeRaster

DRIVE = 20.0
"""Mean activity of the branching processes."""
MINE = 10_000
"""Added to a seed for the resampling."""
LONGER = 8
"""Truths are cut out of series eight times as long; the bootstrap's are 1.25 times."""


def rng(seed: int) -> np.random.Generator:
    """A generator of its own for each seed."""
    return np.random.default_rng(seed)


def told(
    name: str, truth: float, n: int, findings: Iterable[tuple[float | None, tuple[float, float] | None, bool]]
) -> None:
    """The line of one truth: how often its interval holds it."""
    start = perf_counter()
    rows = [(value, ends, good) for value, ends, good in findings if value is not None and ends is not None]
    hits = sum(ends[0] <= truth <= ends[1] for _, ends, _ in rows)
    values, widths = np.array([row[0] for row in rows]), np.array([row[1][1] - row[1][0] for row in rows])
    resolved = sum(good for *_, good in rows)
    counted = f"{hits} of {len(rows)} | {resolved}"
    seen = f"{values.mean():.4g} +- {values.std(ddof=1):.2g} | {widths.mean():.2g}"
    print(f"| {name} | {truth:g} | {n:,} | {counted} | {seen} | {perf_counter() - start:.0f} s |", flush=True)


def of(finding: Finding) -> tuple[float | None, tuple[float, float] | None, bool]:
    """Estimate, interval, and whether it is resolved."""
    return finding.estimate, finding.interval, finding.resolved


def noise(slope: float, n: int, seed: int) -> NDArray[np.float32]:
    return power_law_noise(slope, n, rng(seed), longer=LONGER)[0]


def modulated(slope: float, seed: int, n: int = 20_000, neurons: int = 100) -> SpikeRaster:
    wave = power_law_noise(slope, n, rng(seed), longer=4)[0]
    rate = np.clip(0.2 + 0.05 * wave / wave.std(), 0, 1)
    return SpikeRaster.from_dense((rng(seed + 500).random((n, neurons), dtype=np.float32) < rate[:, None])[None])


def spectra(seeds: range, steps: Sequence[int] = (1000, 10_000, 100_000)) -> None:
    for n in steps:
        for slope in (0.0, -1.0, -1.5, -2.0):
            found = (of(spectrum(noise(slope, n, seed), rng=rng(MINE + seed)).slope) for seed in seeds)
            told("slope", slope, n, found)
    for slope in (-1.0, -1.5):
        found = (of(raster_spectrum(modulated(slope, seed), rng=rng(MINE + seed)).slope) for seed in seeds)
        told("slope of the rate of 100 spiking neurons", slope, 20_000, found)


def driven(m: float, n: int, seeds: range) -> NDArray[np.int64]:
    """(seed, step): A_(t+1) Poisson with mean m A_t + h, <A> = 20."""
    draw, h = rng(int(1000 * m)), DRIVE * (1 - m)
    now, found = np.full(len(seeds), DRIVE), np.zeros((len(seeds), n), dtype=np.int64)
    for t in range(-500, n):
        now = draw.poisson(m * now + h)
        if t >= 0:
            found[:, t] = now
    return found


def branching(seeds: range, steps: Sequence[int] = (10_000, 100_000)) -> None:
    """m of driven branching processes, all of their spikes seen and a twentieth."""
    for n in steps:
        for m in (0.5, 0.9, 0.98):
            activity = driven(m, n, seeds)
            for share in (1.0, 0.05):
                part = activity if share == 1 else rng(7).binomial(activity, share)
                runs = [branching_ratio(one, rng=rng(MINE + seed)) for one, seed in zip(part, seeds, strict=True)]
                naive = np.mean([run.naive.estimate for run in runs])
                told(f"m, {share:.0%} seen (naive r_1 {naive:.3f})", m, n, (of(run.ratio) for run in runs))


def avalanches(seeds: range, steps: Sequence[int] = (2000, 5000)) -> None:
    """Exponents of draws of a zeta distribution."""
    for alpha in (1.5, 2.5):
        for n in steps:
            for xmin, name in ((1, "given"), (None, "found")):
                tails = [tail_of(rng(seed).zipf(alpha, n), xmin=xmin, rng=rng(MINE + seed)) for seed in seeds]
                told(f"zeta exponent, xmin {name}", alpha, n, ((t.alpha, t.interval, not t.doubts) for t in tails))


def traps(seeds: range, steps: Sequence[int] = ()) -> None:
    """What must not be reported as a number."""
    print("| trap | N | reported as a number |\n|---|---|---|")
    t = np.arange(1000)
    shapes = {
        "white noise around a trend of 8 sd": 8 * t / 1000,
        "white noise around a step of 5 sd": 5.0 * (t > 500),
        "white noise around a step of 2 sd": 2.0 * (t > 400),
        "white noise around a decay of 12 sd": 12 * np.exp(-t / 80),
        "white noise, 200 steps": np.zeros(200),
        "one sample of 20 steps": np.zeros(20),
    }
    for name, shape in shapes.items():
        found = [spectrum(rng(seed).standard_normal(shape.size) + shape, rng=rng(MINE + seed)).slope for seed in seeds]
        report(f"slope: {name}", shape.size, found)
    report("slope: a constant", 1000, [spectrum(np.ones(1000), rng=rng(seed)).slope for seed in seeds])
    rates: dict[str, Callable[[np.random.Generator], NDArray]] = {
        "Poisson, a step of the rate": lambda draw: draw.poisson(np.where(np.arange(20_000) < 10_000, 5, 10)),
        "Poisson, a trend of the rate": lambda draw: draw.poisson(np.linspace(5, 15, 20_000)),
        "Poisson, constant rate": lambda draw: draw.poisson(np.full(20_000, 5)),
        "Poisson, samples of different rates": lambda draw: draw.poisson(np.linspace(2, 20, 20)[:, None], (20, 500)),
        "a constant": lambda draw: np.ones(20_000),
    }
    for name, make in rates.items():
        found = [branching_ratio(make(rng(seed)), rng=rng(MINE + seed)).ratio for seed in seeds]
        report(f"m: {name}", 20_000, found)


def report(name: str, n: int, found: list[Finding]) -> None:
    """The line of one trap."""
    print(f"| {name} | {n:,} | {sum(one.resolved for one in found)} of {len(found)} |", flush=True)


PARTS = {"spectrum": spectra, "branching": branching, "avalanches": avalanches, "traps": traps}


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--steps", type=int, nargs="+", help="of the truths (default: each part's own)")
    arguments = parser.parse_args()
    print(f"commit {checkout_commit()}, {machine()}, {arguments.seeds} seeds")
    print("| what | truth | N | inside | resolved | estimates | interval | time |\n|---|---|---|---|---|---|---|---|")
    for name in arguments.only.split(","):
        PARTS[name](range(arguments.seeds), *([arguments.steps] if arguments.steps else []))


if __name__ == "__main__":
    main()
