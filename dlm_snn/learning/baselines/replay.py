"""Experience replay: stored samples are learned again beside the new ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from dlm_snn.learning.batches import Reservoir
from dlm_snn.learning.descent.loop import Batch, Descent, Piece, plain
from dlm_snn.learning.descent.mlp import Mlp, MlpOptions, checked, learner, sizes
from dlm_snn.learning.learner import Setting


class ReplayOptions(MlpOptions):
    """Of experience replay.

    Attributes:
        memory: samples kept, an even share of all that were seen.
        replayed: of them beside each batch; null: as many as are new.
    """

    memory: int = Field(default=2000, ge=1)
    replayed: int | None = Field(default=256, ge=1)


class ReplayMemory:
    """Adds stored samples to a batch, then stores from it.

    Args:
        reservoir: where they are.
        replayed: how many are added; None: as many as are new.

    Source: Chaudhry and others, "On tiny episodic memories" (2019).
    """

    def __init__(self, reservoir: Reservoir, replayed: int | None) -> None:
        self._reservoir, self._replayed = reservoir, replayed

    def mix(self, batch: Batch) -> Batch:
        """New and stored samples count alike."""
        x, y = batch.x.numpy(), batch.y.numpy()
        mixed = batch
        if len(self._reservoir):
            old_x, old_y = self._reservoir.draw(self._replayed or batch.new)
            both = plain(np.concatenate([x, old_x]), np.concatenate([y, old_y]))
            mixed = Batch(both.x, both.y, both.weight, batch.new)
        self._reservoir.add(x, y)
        return mixed


def make_replay(setting: Setting, rng: np.random.Generator, **options: Any) -> Descent:
    """A rate network with experience replay from a reservoir; declared replay.

    Options: see ReplayOptions.

    Raises:
        DlmError: an option that is unknown or out of range.
    """
    chosen = checked(ReplayOptions, "replay", options)
    model = Mlp(sizes(setting, chosen.hidden), setting.scale, rng)
    memory = ReplayMemory(Reservoir(chosen.memory, rng), chosen.replayed)
    return learner(setting, model, chosen, (Piece(mix=memory.mix),), stored_samples=chosen.memory, replay="stored")
