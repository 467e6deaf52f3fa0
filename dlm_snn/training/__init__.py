"""Training of networks by a surrogate gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "ActivityConfig": "activity",
    "TrainingConfig": "loop",
    "activity_penalty": "activity",
    "initial_network": "initial",
    "train": "training",
    "with_counting": "inhibition",
    "with_lateral": "inhibition",
}

__all__ = [
    "ActivityConfig",
    "TrainingConfig",
    "activity_penalty",
    "initial_network",
    "train",
    "with_counting",
    "with_lateral",
]

if TYPE_CHECKING:
    from dlm_snn.training.activity import ActivityConfig, activity_penalty
    from dlm_snn.training.inhibition import with_counting, with_lateral
    from dlm_snn.training.initial import initial_network
    from dlm_snn.training.loop import TrainingConfig
    from dlm_snn.training.training import train

__getattr__, __dir__ = exports(__name__, _HOME)
