"""k-winners-take-all: which of the neurons above threshold may spike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def winning(overshoot: NDArray, winners: int | None = None, groups: int = 1) -> NDArray[np.bool_]:
    """The neurons that spike: those above threshold, at most ``winners`` of each group.

    s_i = overshoot_i > 0 and rank_i < winners, where rank counts the neurons of the same group with a larger
    overshoot, and those of equal overshoot with a lower index.

    Args:
        overshoot: v - v_threshold after integration, shape (..., n), float or integer.
        winners: how many neurons of a group may spike in one step; None: all that are above threshold.
        groups: number of equal contiguous blocks of the last axis that compete apart; divides n.

    Returns:
        Boolean array of the shape of ``overshoot``.
    """
    above = overshoot > 0
    if winners is None or not above.any():
        return above
    blocks = overshoot.reshape(*overshoot.shape[:-1], groups, -1)
    first = np.argsort(-blocks, axis=-1, kind="stable")[..., :winners]
    chosen = np.zeros(blocks.shape, dtype=bool)
    np.put_along_axis(chosen, first, True, axis=-1)
    return above & chosen.reshape(above.shape)
