"""Sleep: now and then, without data, strong synapses grow and weak ones fade."""

from __future__ import annotations

import torch

from dlm_snn.learning.descent.loop import Batch, Piece
from dlm_snn.learning.descent.spiking import Spiking

PASSES = 10
"""Of one sleep, as in the seed study."""


class Sleep:
    """After every so many batches, ten times: w_ij <- w_ij (1 + rate sign(|w_ij| - mean_j |w_ij|)).

    Reinforcing and pruning of the seed study in one rule: no data, no gradient.

    Args:
        model: whose synapses.
        every: batches between two sleeps.
        rate: of growth and fading in one pass.
    """

    def __init__(self, model: Spiking, every: int, rate: float) -> None:
        self._model, self._every, self._rate = model, every, rate
        self._awake = 0

    @torch.no_grad()
    def after_step(self, batch: Batch) -> None:
        """Sleep, where it is time."""
        self._awake += 1
        if self._awake % self._every:
            return
        for *_, weight in self._model.synapses:
            for _ in range(PASSES):
                size = weight.abs()
                weight.mul_(1 + self._rate * (size - size.mean(1, keepdim=True)).sign())


def piece(model: Spiking, every: int, rate: float = 1e-3) -> Piece:
    """Sleep for a spiking model; see Sleep."""
    return Piece(after_step=Sleep(model, every, rate).after_step)
