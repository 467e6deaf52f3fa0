"""Sleep: now and then, without data, strong synapses grow and weak ones fade."""

from __future__ import annotations

import torch

from dlm_snn.learning.descent import Batch, Piece
from dlm_snn.learning.spiking import Spiking

PASSES = 10
"""Of one sleep, as in the seed study."""


def piece(model: Spiking, every: int, rate: float = 1e-3) -> Piece:
    """After every so many batches, ten times: w_ij <- w_ij (1 + rate sign(|w_ij| - mean_j |w_ij|)).

    Reinforcing and pruning of the seed study in one rule: no data, no gradient.

    Args:
        model: whose synapses.
        every: batches between two sleeps.
        rate: of growth and fading in one pass.
    """
    awake = 0

    @torch.no_grad()
    def rest(batch: Batch) -> None:
        nonlocal awake
        awake += 1
        if awake % every:
            return
        for *_, weight in model.synapses:
            for _ in range(PASSES):
                size = weight.abs()
                weight.mul_(1 + rate * (size - size.mean(1, keepdim=True)).sign())

    return Piece(after_step=rest)
