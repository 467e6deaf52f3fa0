"""When a population's window opens: depths from the delays of the projections."""

from __future__ import annotations

from collections.abc import Sequence


def depths(
    names: Sequence[str], data: Sequence[str], aligned: Sequence[str], edges: Sequence[tuple[str, str, int]]
) -> dict[str, int]:
    """The depth of every population: the machine step, counted from 0, at which its window opens.

    Reached by a data Input: the fewest steps from any of them, loops or not. Not reached: the smallest depth >= 0
    (>= 1 behind an aligned Input, whose connection takes a step too) with depth(pre) + delay >= depth(post) for
    each projection that leaves it.

    Args:
        names: all populations.
        data: the Inputs that carry data; depth 0.
        aligned: the Inputs that follow their targets; they have no depth, 0 is returned.
        edges: (pre, post, fewest steps of delay).
    """
    depth = dict.fromkeys(data, 0)
    frontier = list(data)
    while frontier:
        frontier = [post for pre, post, delay in edges if pre in frontier and _shorten(depth, post, depth[pre] + delay)]
    least = {name: 0 for name in names if name not in depth}
    least.update({post: 1 for pre, post, _ in edges if pre in aligned and post in least})
    depth.update(least)
    depth.update(dict.fromkeys(aligned, 0))
    raised = True
    while raised:
        raised = False
        for pre, post, delay in edges:
            if pre in least and pre not in aligned and depth[post] - delay > depth[pre]:
                depth[pre] = depth[post] - delay
                raised = True
    return depth


def _shorten(depth: dict[str, int], name: str, candidate: int) -> bool:
    if candidate < depth.get(name, candidate + 1):
        depth[name] = candidate
        return True
    return False
