"""Steps for a graph without any: which edges go forward, which close a loop, and how deep each population lies."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

Edge = tuple[str, str]


def layered(names: Collection[str], inputs: Collection[str], edges: Iterable[Edge]) -> tuple[dict[str, int], set[Edge]]:
    """The depth of every population, and the edges that close loops.

    An edge goes forward where no loop leads back, or where it leads away from the Inputs (more edges from them to its
    end than to its start). Depth is the longest path of forward edges from a population without any; Inputs 0,
    neurons at least 1. Evaluated step by step, a forward edge takes no time, the others take one step.

    Args:
        names: all populations.
        inputs: those that receive nothing.
        edges: (pre, post).
    """
    edges = set(edges)
    hops = _hops(names, inputs, edges)
    group = _loops(list(names), edges)
    back = {(a, b) for a, b in edges if group[a] == group[b] and hops[b] <= hops[a]}
    forward = edges - back
    depth = {name: 0 if name in inputs else 1 for name in names}
    raised = True
    while raised:
        raised = False
        for pre, post in forward:
            if depth[post] <= depth[pre]:
                depth[post] = depth[pre] + 1
                raised = True
    return depth, back


def _hops(names: Collection[str], inputs: Collection[str], edges: set[Edge]) -> dict[str, int]:
    """Edges from the nearest Input, or from a population that nothing reaches; 0 where there is neither."""
    reached = {post for _, post in edges}
    hops = {name: 0 for name in names if name in inputs or name not in reached}
    frontier = set(hops)
    while frontier:
        following = {post for pre, post in edges if pre in frontier and post not in hops}
        hops.update(dict.fromkeys(following, 1 + max(hops.values())))
        frontier = following
    return {name: hops.get(name, 0) for name in names}


def _loops(names: list[str], edges: set[Edge]) -> dict[str, int]:
    """The strongly connected group of each population."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    place = {name: i for i, name in enumerate(names)}
    pre, post = ([place[edge[k]] for edge in edges] for k in (0, 1))
    graph = coo_array((np.ones(len(edges)), (pre, post)), shape=(len(names), len(names)))
    return dict(zip(names, connected_components(graph, connection="strong")[1].tolist(), strict=True))
