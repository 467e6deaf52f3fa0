"""The Dissipative Learning Machine on MNIST: all its terms on, and each switched off in turn."""

from __future__ import annotations

from typing import Any

from experiments.recipes import mnist
from experiments.recipes.config import RunConfig

RECIPE: dict[str, Any] = mnist.DLM
CONFIG = RunConfig.model_validate(
    {
        **mnist.CONFIG.model_dump(),
        "training": {**mnist.CONFIG.training.model_dump(), **RECIPE["training"]},
        "dynamics": RECIPE["dynamics"],
        "simulation": {**mnist.CONFIG.simulation.model_dump(), **RECIPE["simulation"]},
    }
)
VARIANTS = {
    "all": {},
    "no-dissipation": {"dynamics": {"dissipation": "none"}},
    "no-current": {"dynamics": {"alpha": 0.0}},
    "no-noise": {"dynamics": {"temperature": 0.0}},
    "nothing": {"dynamics": {"temperature": 0.0, "alpha": 0.0, "dissipation": "none"}},
    "no-friction": {"dynamics": {"friction": None, "step": 1.0}},
}
"""Nothing: torch's SGD with momentum. Without friction there is no momentum: the overdamped form, with h = 1."""
SEEDS = (0, 1, 2)
"""Weight seed, training seed and seed of the noise of each repetition."""
CONTROL = False
"""No ReLU network beside it."""
