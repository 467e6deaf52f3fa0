"""Metaplasticity: synapses that have often been active learn ever more slowly."""

from __future__ import annotations

import torch

from dlm_snn.learning.descent.loop import Batch, Piece
from dlm_snn.learning.descent.spiking import Spiking
from dlm_snn.physics.weights.dissipation import coactivity


class Metaplasticity:
    """g_ij <- g_ij / (1 + rate a_ij), with a_ij the sum over batches of <s_i x_j>.

    s_i and x_j are 1 where the neuron spiked in the sample's window. The seed study masks gradients of what it has
    consolidated; this is the graded form.

    Args:
        model: whose synapses.
        rate: of the slowing.
    """

    def __init__(self, model: Spiking, rate: float) -> None:
        self._model, self._rate = model, rate
        self.activity = [torch.zeros_like(weight) for *_, weight in model.synapses]

    @torch.no_grad()
    def before_step(self, batch: Batch) -> None:
        """Slow the step, then count this batch."""
        active = self._model.active
        for (pre, post, weight), seen in zip(self._model.synapses, self.activity, strict=True):
            if weight.grad is not None:
                weight.grad.div_(1 + self._rate * seen)
            seen.add_(coactivity(active[post], active[pre]))


def piece(model: Spiking, rate: float) -> Piece:
    """Metaplasticity for a spiking model; see Metaplasticity."""
    return Piece(before_step=Metaplasticity(model, rate).before_step)
