"""Homeostasis: neurons that fire too often hear less, those that fire too rarely hear more."""

from __future__ import annotations

import torch

from dlm_snn.learning.descent.loop import Batch, Piece
from dlm_snn.learning.descent.spiking import Spiking


class Scaling:
    """w_ij <- w_ij (1 + rate clip((r* - r_i) / r*, -1, 1)) for all synapses onto hidden neurons, after every step.

    r_i is the share of steps of the batch in which neuron i spiked. The gain of the seed study, as synaptic scaling,
    so that the network's weights hold it.

    Args:
        model: whose synapses.
        rate: of the scaling.
        target: r*.
    """

    def __init__(self, model: Spiking, rate: float, target: float) -> None:
        self._model, self._rate, self._target = model, rate, target

    @torch.no_grad()
    def after_step(self, batch: Batch) -> None:
        """Scale."""
        for _, post, weight in self._model.synapses:
            if post == "output":
                continue
            rates = self._model.active[post].mean(0) / self._model.n_steps
            weight.mul_((1 + self._rate * ((self._target - rates) / self._target).clamp(-1, 1))[:, None])


def piece(model: Spiking, rate: float, target: float) -> Piece:
    """Homeostasis for a spiking model; see Scaling."""
    return Piece(after_step=Scaling(model, rate, target).after_step)
