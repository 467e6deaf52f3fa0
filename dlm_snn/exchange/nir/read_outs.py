"""What a NIR graph gives without spikes: the v of its last neurons, or what linear nodes make of the last spikes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import nir
import numpy as np

from dlm_snn.errors import UnsupportedError
from dlm_snn.exchange.nir.nodes import NEURONS, PASSING, SILENT, TARGET

VALUES = "what reaches it in a step is the v of neurons that never spike (dv = 1)"
"""Of an Output behind linear nodes."""


def check_silent(nodes: Mapping[str, Any], edges: Iterable[tuple[str, str]]) -> None:
    """Neurons that never spike send their v, which only an Output takes.

    Raises:
        UnsupportedError: another node takes it.
    """
    post = _followers(nodes, edges)
    for name, node in nodes.items():
        if not isinstance(node, SILENT):
            continue
        for follower, _ in _behind(name, nodes, post):
            if not isinstance(nodes[follower], PASSING):
                thing = f"node '{name}' ({type(node).__name__}), whose v reaches node '{follower}'"
                raise UnsupportedError(TARGET, thing, "end with it")


def values_read(nodes: Mapping[str, Any], edges: Iterable[tuple[str, str]], dt: float) -> dict[str, nir.LI]:
    """The last Outputs that linear nodes behind neurons reach, as neurons of dv = 1: v is what comes in a step."""
    post = _followers(nodes, edges)
    found = {
        follower
        for name, node in nodes.items()
        if isinstance(node, NEURONS)
        for follower, changed in _behind(name, nodes, post)
        if changed and isinstance(nodes[follower], nir.Output) and not post[follower]
    }
    return {name: nir.LI(tau=np.full(1, dt), r=np.ones(1), v_leak=np.zeros(1)) for name in nodes if name in found}


def _followers(nodes: Mapping[str, Any], edges: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    post: dict[str, list[str]] = {name: [] for name in nodes}
    for pre, follower in edges:
        post[pre].append(follower)
    return post


def _behind(name: str, nodes: Mapping[str, Any], post: Mapping[str, list[str]]) -> Iterator[tuple[str, bool]]:
    """The nodes that what a node sends reaches, up to the next neurons, and whether linear nodes lie between."""
    waiting = [(follower, False) for follower in post[name]]
    seen = set(waiting)
    while waiting:
        at, changed = waiting.pop()
        yield at, changed
        if isinstance(nodes[at], NEURONS):
            continue
        changed = changed or not isinstance(nodes[at], PASSING)
        fresh = {(follower, changed) for follower in post[at]} - seen
        seen |= fresh
        waiting += sorted(fresh)
