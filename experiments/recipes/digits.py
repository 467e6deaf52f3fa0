"""scikit-learn's digits: 64-128-10, 25 % stratified hold-out."""

from __future__ import annotations

from experiments.recipes.config import RunConfig

CONFIG = RunConfig.model_validate(
    {
        "data": {"dataset": "digits", "test_share": 0.25},
        "network": {"hidden": (128,), "winners": 16},
        "training": {"epochs": 30, "batch_size": 32, "learning_rate": 0.01, "weight_decay": 0.3},
        "simulation": {"n_steps": 20},
    }
)
VARIANTS = {
    "kwta": {},
    "plain": {"network": {"winners": None}},
}
DLM = {
    "training": {"epochs": 20, "batch_size": 32, "surrogate": "fast_sigmoid", "slope": 5.0},
    "dynamics": {"step": 0.2, "measure": True},
}
"""Over the recipe, for the Dissipative Learning Machine's dynamics."""
SEEDS = (0, 1, 2, 3, 4)
"""Split seed, weight seed and training seed of each repetition."""
