"""Few cases that hold, between them, all that the whole table of networks holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from dlm_snn import Recording, SpikeRaster, run
from tests.drawn_features import features
from tests.nets import make, tags


@cache
def held(case: str) -> frozenset[str]:
    """What a case asks of a simulator, and what its network, stimulus and run hold."""
    network, stimulus, n_steps = make(case)
    recording: Recording = run(network, stimulus, n_steps, record=("s", "u", "v"))
    dense: dict[str, Any] = {
        name: given.dense() if isinstance(given, SpikeRaster) else given for name, given in stimulus.items()
    }
    return tags(network) | {f"holds {feature}" for feature in features(network, dense, recording)}


def asked(case: str) -> frozenset[str]:
    """What a case asks of a simulator."""
    return tags(make(case)[0])


def few(cases: Iterable[str], times: int = 1, features_of: Callable[[str], frozenset[str]] = held) -> frozenset[str]:
    """A small part of the cases in which each feature occurs as often as ``times``, or as in all of them."""
    left = {case: features_of(case) for case in cases}
    wanted = {name: min(count, times) for name, count in Counter(f for found in left.values() for f in found).items()}
    chosen = set()
    while any(wanted.values()):
        best = max(left, key=lambda case: sum(wanted[name] > 0 for name in left[case]))
        chosen.add(best)
        for name in left.pop(best):
            wanted[name] = max(0, wanted[name] - 1)
    return frozenset(chosen)
