"""What temperature does to learning: digits, networks of three sizes at one T each, for a finite-size check."""

from __future__ import annotations

from typing import Any

from dlm_snn.config import merged
from experiments.recipes import digits
from experiments.recipes.config import RunConfig

SIZES = (16, 64, 256)
"""Neurons of the hidden population: a factor of 4 each, since a variance grows with a power of the size."""
TEMPERATURES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""T, in units of the mean loss: from what learns to what does not."""
_OVER: dict[str, Any] = {
    "data": {"test_share": 0.3},
    "network": {"hidden": (SIZES[0],), "winners": None},
    "training": {"epochs": 10, "batch_size": 64, "surrogate": "fast_sigmoid", "slope": 5.0},
    "dynamics": {"step": 0.7, "temperature": TEMPERATURES[0], "alpha": 0.0, "dissipation": "none"},
    "simulation": {"n_steps": 6},
}
CONFIG = RunConfig.model_validate(merged(digits.CONFIG.model_dump(), _OVER))
VARIANTS = {
    f"{size}-{temperature:g}": {"network": {"hidden": (size,)}, "dynamics": {"temperature": temperature}}
    for size in SIZES
    for temperature in TEMPERATURES
}
"""Without current and dissipation, so that T is the weights' temperature and nothing else."""
SEEDS = range(14)
"""Weight seed, training seed and seed of the noise of each repetition; the hold-out is the same in all."""
