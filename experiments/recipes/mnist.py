"""MNIST: 784-256-10, all 10,000 test images for accuracy, 100 for the agreement of every pair of simulators."""

from __future__ import annotations

from dlm_snn.config import merged
from experiments.recipes.config import RunConfig

CONFIG = RunConfig.model_validate(
    {
        "data": {"dataset": "mnist"},
        "network": {"hidden": (256,), "winners": 26},
        "training": {"epochs": 5, "batch_size": 128, "learning_rate": 0.004, "surrogate": "atan", "slope": 2.0},
        "quantization": {"samples": 500},
        "simulation": {"n_steps": 25, "samples": 100, "state_samples": 100},
    }
)
VARIANTS = {
    "k26": {},
    "k13": {"network": {"winners": 13}},
    "plain": {"network": {"winners": None}},
}
_SPARSE = {
    "network": {"winners": None},
    "training": {"activity": {"target": 26, "strength": 3.0}},
    "simulation": {"n_steps": 16},
}
STOCK = {
    "lateral": merged(_SPARSE, {"network": {"inhibition": {"kind": "lateral"}}}),
    "lateral-learned": merged(_SPARSE, {"network": {"inhibition": {"kind": "lateral", "learned": True}}}),
    "counting": merged(_SPARSE, {"network": {"inhibition": {"kind": "counting"}}}),
    "counting-learned": merged(_SPARSE, {"network": {"inhibition": {"kind": "counting", "learned": True}}}),
    "penalty": _SPARSE,
}
"""Further variants, of stock neurons and synapses alone, for chips: 26 of 256 active by inhibition that comes a step or
two late, or by the penalty in training alone. A chip resets in periods that are powers of 2: 16 steps. The strength is
the least of 1, 3 and 10 at which the 99th percentile of active neurons was at most 39 in all of them, on held-out
training images."""
DLM = {
    "training": {"epochs": 10, "batch_size": 256, "surrogate": "fast_sigmoid", "slope": 5.0},
    "dynamics": {},
    "simulation": {"n_steps": 20},
}
"""Over the recipe, for the Dissipative Learning Machine's dynamics."""
SEEDS = (0, 1, 2)
"""Weight seed and training seed of each repetition."""
