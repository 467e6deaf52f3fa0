"""Local plasticity with event-driven dissipation, for use as a library: what a spike gave, only a spike takes.

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
from dlm_snn.values import as_floats, as_spikes

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
        DlmError: arrays that do not fit together, a rate out of range, another rule, or a decay that is missing or not
            wanted.
    """
    if rule not in RULES:
        raise DlmError(f"rule = '{rule}'; {nearest(rule, RULES)}")
    if (decay is None) != (rule == "event"):
        raise DlmError("decay belongs to the clocked rule, and it needs one")
    for name, value in (("rate", rate), ("decay", decay or 0.0)):
        if not 0 <= value <= 1:
            raise DlmError(f"{name} = {value} is not in [0, 1]")
    w, x = as_floats(weight, "weight"), as_floats(pre, "pre")
    if w.ndim != 2 or x.shape != w.shape[1:]:
        raise DlmError(f"weight of shape {w.shape} and pre of shape {x.shape}; give (post, pre) and (pre,)")
    fired = as_spikes(post, "post", len(w))[:, None].astype(np.float64)
    if decay is None:
        return w + rate * fired * (x - w)
    return w * (1 - decay) + rate * fired * x
