"""Whether the intervals of the estimators of dynamics hold what is known: hits of 20 seeds, and periods by brute force.

Run: python -m benchmarks.estimators_of_dynamics [--seeds 20] [--networks 200]. One thread, about a minute. A row: the
truth, the size of a sample, in how many seeds the 95 % interval holds the truth (18 to 20 of 20 are right), in how many
the figure is resolved, and the same estimator where there is nothing to find, which must stay unresolved: there 0 or 1
of 20 are right.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import time
from collections.abc import Callable, Sequence
from math import log

import numpy as np

from dlm_snn.analysis import (
    Finding,
    damage_spreading,
    find_period,
    irreversibility_of_states,
    lyapunov_exponent,
    mutual_information,
    transfer_entropy,
)
from tests.autonomous import by_brute_force, gated, random_network

LAMBDAS = np.linspace(0.5, 8, 10)
MOST = 3000
"""States that brute force keeps."""

Estimate = Callable[[np.random.Generator], Finding]


def classes(n: int, mixed: bool = False) -> Estimate:
    """Labels of 10 classes and Poisson counts of means .5 ... 8; mixed: the counts are those of other samples."""

    def estimate(rng: np.random.Generator) -> Finding:
        labels = rng.integers(0, 10, n)
        counts = rng.poisson(LAMBDAS[labels])
        return mutual_information(rng.permutation(labels) if mixed else labels, counts, rng)

    return estimate


def ring(n: int, p: float, q: float) -> Estimate:
    """Three states in a ring, p forwards and q backwards."""

    def estimate(rng: np.random.Generator) -> Finding:
        return irreversibility_of_states(np.cumsum(rng.choice([1, 2, 0], n, p=[p, q, 1 - p - q])) % 3, rng)

    return estimate


def copy(n: int, back: bool = False) -> Estimate:
    """A target that repeats its source a step later, with one error in ten; back: from the target to the source."""

    def estimate(rng: np.random.Generator) -> Finding:
        source = rng.random(n) < 0.5
        pair = source, np.roll(source, 1) ^ (rng.random(n) < 0.1)
        return transfer_entropy(*(pair[::-1] if back else pair), rng)

    return estimate


def logistic(n: int) -> Estimate:
    """The logistic map at r = 4 from a random x."""

    def estimate(rng: np.random.Generator) -> Finding:
        return lyapunov_exponent(lambda x: 4 * x * (1 - x), lambda x: 4 - 8 * x, rng.random(), n)

    return estimate


def followers(chance: float) -> Estimate:
    """A silent network in which a spike too many makes 2 * chance others."""

    def estimate(rng: np.random.Generator) -> Finding:
        return damage_spreading(*gated(chance, rng), 40, rng, horizon=10).slope

    return estimate


ROWS: Sequence[tuple[str, float, int, Estimate, Estimate | None]] = (
    ("MI, 10 classes x Poisson counts", 0.478901, 2000, classes(2000), classes(2000, mixed=True)),
    ("sigma of the 3-ring, .4 and .1", 0.4158883, 3000, ring(3000, 0.4, 0.1), ring(3000, 0.25, 0.25)),
    ("TE of a noisy copy, back: nothing", log(2) + 0.1 * log(0.1) + 0.9 * log(0.9), 2000, copy(2000), copy(2000, True)),
    ("Lyapunov, logistic map at 4", log(2), 3000, logistic(3000), None),
    ("damage slope, 2 synapses open at .4", 0.8, 200, followers(0.4), followers(0.5)),
)


def hits(truth: float, estimate: Estimate, seeds: int) -> tuple[int, int]:
    """In how many seeds the interval holds the truth, and in how many the figure is resolved."""
    found = [estimate(np.random.default_rng(seed)) for seed in range(seeds)]
    inside = sum(f.interval is not None and f.interval[0] <= truth <= f.interval[1] for f in found)
    return inside, sum(f.resolved for f in found)


def periods(networks: int) -> tuple[int, int]:
    """Random networks whose brute force ended, and those of them that Brent's method gives the same numbers."""
    rng = np.random.default_rng(0)
    ended, equal = 0, 0
    for _ in range(networks):
        network = random_network(rng)
        by_force = by_brute_force(network, MOST)
        if by_force is not None:
            orbit = find_period(network, max_steps=4 * MOST)
            ended += 1
            equal += (orbit.transient, orbit.period) == by_force
    return ended, equal


def main() -> None:
    """Print every row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--networks", type=int, default=200)
    arguments = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    print(f"commit {commit.strip()}, Python {platform.python_version()}, {platform.machine()}, seeds 0 on")
    print("| what | truth | N | inside | resolved | nothing there: resolved | s |\n|---|---|---|---|---|---|---|")
    for name, truth, n, estimate, nothing in ROWS:
        start = time.perf_counter()
        inside, resolved = hits(truth, estimate, arguments.seeds)
        false = "-" if nothing is None else f"{hits(0.0, nothing, arguments.seeds)[1]} of {arguments.seeds}"
        seconds = time.perf_counter() - start
        told = f"{inside} of {arguments.seeds} | {resolved} of {arguments.seeds} | {false}"
        print(f"| {name} | {truth:.6f} | {n} | {told} | {seconds:.1f} |", flush=True)
    start = time.perf_counter()
    ended, equal = periods(arguments.networks)
    print(
        f"periods: brute force ended within {MOST} steps for {ended} of {arguments.networks} random integer networks; "
        f"Brent's method is equal for {equal} of these; {time.perf_counter() - start:.0f} s"
    )


if __name__ == "__main__":
    main()
