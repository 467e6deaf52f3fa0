"""What a synaptic event and a term of a matrix product cost here: the figures by which the fast simulator chooses.

Run: python benchmarks/costs.py. Nanoseconds to add one weight of a row (compiled and plain, integer and float), and of
a term of a product of 64 samples and of one (float32, float64), 784 x 1024, medians of 15. Put them into EVENT_COST of
_fast_compiled.py and _fast_plain.py and PRODUCT_COST of _fast_engine.py where they are far off.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from dlm_snn.backends import _fast_compiled, _fast_plain

PRE, POST, SAMPLES, ROUNDS = 784, 1024, 64, 15


def nanoseconds(job: Callable[[], Any], operations: int) -> float:
    """Median over the rounds, a first one left out."""
    job()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter_ns()
        job()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / operations


def main() -> None:
    """Print one line a figure."""
    rng = np.random.default_rng(0)
    s = (rng.random((SAMPLES, PRE)) < 0.1).astype(np.uint8)
    index, begin = np.zeros(s.size + 1, np.int32), np.zeros(SAMPLES + 1, np.int64)
    _fast_plain.extract(s, index, begin)
    weight = rng.integers(-256, 256, (PRE, POST))
    for loops in (_fast_compiled, _fast_plain):
        for kinds in ((np.int16, np.int32), (np.float64, np.float64)):
            columns, sums = weight.astype(kinds[0]), np.zeros((SAMPLES, POST), kinds[1])
            cost = nanoseconds(lambda c=columns, a=sums, f=loops: f.add_rows(a, c, index, begin), int(begin[-1]) * POST)
            print(f"event, {loops.NAME}, {kinds[0].__name__}: {cost:.3f} ns a weight")
    for kind in (np.float32, np.float64):
        for samples in (SAMPLES, 1):
            x, matrix = s[:samples].astype(kind), weight.astype(kind)
            cost = nanoseconds(lambda a=x, b=matrix: a @ b, samples * PRE * POST)
            print(f"product, {samples} samples, {kind.__name__}: {cost:.3f} ns a term")


if __name__ == "__main__":
    main()
