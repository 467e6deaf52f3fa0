"""Synaptic dissipation: weights decay at events of their own neurons, or by the clock as its control.

    event   w_ij <- w_ij (1 - rate <s_i x_j>)        s_i, x_j: whether post i and pre j were active in a sample
    clock   w_ij <- w_ij (1 - rate m),               m = mean over synapses of <s_i x_j>: the same mean strength

Neither is a term of the Langevin equation: its work is booked apart, w_syn = L after - L before on one batch.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from dlm_snn.errors import DlmError, nearest

DissipationKind = Literal["event", "clock", "none"]
KINDS = ("event", "clock", "none")


def coactivity(post: Tensor, pre: Tensor) -> Tensor:
    """<s_i x_j>, the share of samples in which both were active, (post, pre).

    Args:
        post, pre: (sample, neuron), nonzero where active.
    """
    active = (post != 0).float(), (pre != 0).float()
    return active[0].T @ active[1] / max(len(post), 1)


@torch.no_grad()
def dissipate(weight: Tensor, post: Tensor, pre: Tensor, rate: float, kind: DissipationKind = "event") -> None:
    """Let a weight (post, pre) decay in place.

    Args:
        weight: (post, pre).
        post, pre: (sample, neuron) activities of a batch.
        rate: in [0, 1], the share lost by a synapse that is active in every sample.
        kind: "event", "clock" or "none".

    Raises:
        DlmError: a rate or a kind outside these.
    """
    if kind not in KINDS:
        raise DlmError(f"dissipation '{kind}'; {nearest(kind, KINDS)}")
    if not 0 <= rate <= 1:
        raise DlmError(f"rate = {rate} is not in [0, 1]")
    if kind == "none" or rate == 0:
        return
    both = coactivity(post, pre)
    weight.mul_(1 - rate * (both if kind == "event" else both.mean()).to(weight))
