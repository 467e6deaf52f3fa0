"""Local plasticity with event-driven dissipation: what a synapse gains at a spike, it may lose at a spike alone.

    event   dw_ij = a y_i (x_j - w_ij)              gain and loss at a spike of the neuron itself (instar, Oja)
    clock   dw_ij = a y_i x_j - b w_ij              the control: every synapse loses in every sample

Event-driven, w_ij goes to the mean input of the samples in which i fires, and a neuron that is silent forgets nothing.
Source: Grossberg, Biol. Cybern. 23, 187 (1976) (instar).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, nearest

RULES = ("event", "clock")


def update(
    weight: NDArray,
    pre: NDArray,
    post: NDArray,
    rate: float,
    rule: Literal["event", "clock"] = "event",
    decay: float | None = None,
) -> NDArray[np.float64]:
    """The weights after one sample; a pure function.

    Args:
        weight: (post, pre).
        pre: (pre,) activities x.
        post: (post,) spikes y, 0 or 1.
        rate: a in [0, 1].
        rule: "event" or "clock".
        decay: b in [0, 1] of the clocked rule.

    Raises:
        DlmError: a rate out of range, another rule, or a decay that is missing or not wanted.
    """
    if rule not in RULES:
        raise DlmError(f"rule = '{rule}'; {nearest(rule, RULES)}")
    if (decay is None) != (rule == "event"):
        raise DlmError("decay belongs to the clocked rule, and it needs one")
    for name, value in (("rate", rate), ("decay", decay or 0.0)):
        if not 0 <= value <= 1:
            raise DlmError(f"{name} = {value} is not in [0, 1]")
    fired = np.asarray(post, dtype=float)[:, None]
    if decay is None:
        return weight + rate * fired * (pre - weight)
    return weight * (1 - decay) + rate * fired * pre
