"""The networks and stimuli that the benchmarks share: 784-H-10, pixels held constant or as spikes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

import dlm_snn as dlm

N_STEPS = 25
DECAY = 410
Key = TypeVar("Key")


def network(hidden: int, integer: bool, graded: bool = True, seed: int = 0) -> Any:
    """784-hidden-10, both layers firing at some 10-20 %, with 8-bit weights or the same as floats."""
    rng = np.random.default_rng(seed)
    first = 2 * rng.integers(-31, 34, (hidden, 784))
    second = 2 * rng.integers(-60, 64, (10, hidden))
    pixels = dlm.Input((784,), graded_bits=8, scale=1.0) if graded else dlm.Input((784,))
    threshold = 900
    if integer:
        return dlm.IntegerNetwork(
            {
                "pixels": pixels,
                "hidden": dlm.IntegerLIF((hidden,), dv=DECAY, v_threshold=threshold),
                "output": dlm.IntegerLIF((10,), dv=DECAY, v_threshold=2 * hidden),
            },
            (
                dlm.IntegerProjection("pixels", "hidden", dlm.Dense(first), weight_exp=-8 if graded else 0),
                dlm.IntegerProjection("hidden", "output", dlm.Dense(second)),
            ),
        )
    share = 2.0**-8 if graded else 1.0
    return dlm.Network(
        {
            "pixels": pixels,
            "hidden": dlm.LIF((hidden,), dv=DECAY / 4096, v_threshold=float(threshold)),
            "output": dlm.LIF((10,), dv=DECAY / 4096, v_threshold=2.0 * hidden),
        },
        (
            dlm.Projection("pixels", "hidden", dlm.Dense(first * share)),
            dlm.Projection("hidden", "output", dlm.Dense(second.astype(float))),
        ),
    )


def pixels(samples: int, seed: int = 1) -> NDArray[np.uint8]:
    """Images (sample, 784) of which 19 % are not black, as in MNIST."""
    rng = np.random.default_rng(seed)
    return (rng.integers(1, 256, (samples, 784)) * (rng.random((samples, 784)) < 0.19)).astype(np.uint8)


def spikes(samples: int, seed: int = 2) -> NDArray[np.uint8]:
    """Spikes (sample, step, 784), each with the probability of its pixel."""
    rng = np.random.default_rng(seed)
    images = pixels(samples)
    return np.stack([rng.integers(0, 255, images.shape, dtype=np.uint8) < images for _ in range(N_STEPS)], 1).view(
        np.uint8
    )


def interleaved(jobs: Mapping[Key, Callable[[], Any]], rounds: int) -> dict[Key, list[float]]:
    """Seconds of each job, one round after the other, after a first that does not count."""
    seconds: dict[Key, list[float]] = {name: [] for name in jobs}
    for turn in range(rounds + 1):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def medians(rounds: int, *works: Callable[[], Any]) -> list[float]:
    """Median seconds of each piece of work, interleaved, after a first round that does not count."""
    return [statistics.median(taken) for taken in interleaved(dict(enumerate(works)), rounds).values()]


def median_ratio(slow: list[float], quick: list[float]) -> float:
    """Median over the rounds of the ratio within a round."""
    return statistics.median(a / b for a, b in zip(slow, quick, strict=True))
