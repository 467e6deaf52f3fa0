"""Homeostasis: neurons that fire too often hear less, those that fire too rarely hear more."""

from __future__ import annotations

import torch

from dlm_snn.learning.descent import Batch, Piece
from dlm_snn.learning.spiking import Spiking


def piece(model: Spiking, rate: float, target: float) -> Piece:
    """w_ij <- w_ij (1 + rate clip((r* - r_i) / r*, -1, 1)) for all synapses onto hidden neurons, after every step.

    r_i is the share of steps of the batch in which neuron i spiked. The gain of the seed study, as synaptic scaling,
    so that the network's weights hold it.

    Args:
        model: whose synapses.
        rate: of the scaling.
        target: r*.
    """

    @torch.no_grad()
    def scale(batch: Batch) -> None:
        for _, post, weight in model.synapses:
            if post == "output":
                continue
            rates = model.active[post].mean(0) / model.n_steps
            weight.mul_((1 + rate * ((target - rates) / target).clamp(-1, 1))[:, None])

    return Piece(after_step=scale)
