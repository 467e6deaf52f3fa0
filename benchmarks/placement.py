"""Time and memory of placing large networks on Loihi 2, against their size.

Run: python benchmarks/placement.py [--neurons 100000 1000000]. A feed-forward network of two layers and a recurrent
one, a hundred synapses a neuron, drawn; each size in a process of its own. Seconds are those of ``place``, ``traffic``
(every neuron spikes once) and of ``cut`` over chips of 128 cores; memory is the largest of the whole process, the
network included.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from itertools import pairwise
from typing import Any

import numpy as np

import dlm_snn as dlm
from hardware import chip, cut, place, traffic

SYNAPSES = 100


def lists(n_pre: int, n_post: int, each: int, seed: int) -> dlm.Sparse:
    """So many synapses for each postsynaptic neuron, one from each stretch of the presynaptic ones."""
    rng = np.random.default_rng(seed)
    stretch = n_pre // each
    pre = np.arange(each) * stretch + rng.integers(0, stretch, (n_post, each), dtype=np.int32)
    post = np.repeat(np.arange(n_post, dtype=np.int32), each)
    return dlm.Sparse((n_post, n_pre), post, pre.astype(np.int32).ravel(), 2 * rng.integers(-60, 60, post.size))


def network(kind: str, n: int) -> dlm.IntegerNetwork:
    """Of n neurons."""
    half = n // 2
    sizes = {"a": half, "b": n - half} if kind == "feed-forward" else {"a": n}
    given: dict[str, Any] = {"x": dlm.Input((1000,))}
    given |= {name: dlm.IntegerLIF((size,), dv=10, v_threshold=100) for name, size in sizes.items()}
    if kind == "feed-forward":
        pairs = [("x", "a", lists(1000, half, SYNAPSES, 0)), ("a", "b", lists(half, n - half, SYNAPSES, 1))]
    else:
        pairs = [("x", "a", lists(1000, n, SYNAPSES // 2, 0)), ("a", "a", lists(n, n, SYNAPSES // 2, 1))]
    return dlm.IntegerNetwork(given, [dlm.IntegerProjection(*pair) for pair in pairs])


def measure(kind: str, n: int) -> None:
    """Print a line."""
    net = network(kind, n)
    first = network(kind, 2000)
    cut(traffic(first, place(first, chip("loihi2"))), 2)
    marks = [time.perf_counter()]
    placed = place(net, chip("loihi2"))
    marks.append(time.perf_counter())
    busy = traffic(net, placed)
    marks.append(time.perf_counter())
    parts = cut(busy, 128)
    marks.append(time.perf_counter())
    seconds = " | ".join(f"{end - begin:.1f}" for begin, end in pairwise(marks))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    sizes = f"{n:,} | {SYNAPSES * n:,} | {placed.cores:,} | {parts.chips}"
    print(f"| {kind} | {sizes} | {seconds} | {memory:.1f} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurons", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    chosen = parser.parse_args()
    print("| net | neurons | synapses | cores | chips | place s | traffic s | cut s | GiB |", flush=True)
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for kind in ("feed-forward", "recurrent"):
        for n in chosen.neurons:
            child = multiprocessing.Process(target=measure, args=(kind, n))
            child.start()
            child.join()


if __name__ == "__main__":
    main()
