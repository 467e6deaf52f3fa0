"""k-winners-take-all beside what a chip has: 26 of 256 neurons active by inhibition or by training, MNIST, 16 steps."""

from __future__ import annotations

from dlm_snn.config import merged
from experiments.recipes import mnist
from experiments.recipes.config import RunConfig

CONFIG = RunConfig.model_validate(merged(mnist.CONFIG.model_dump(), {"simulation": {"n_steps": 16}}))
VARIANTS = {"exact": {}, **mnist.STOCK}
"""``penalty`` is the control of those before it: the same penalty in training, and no competition at all."""
SEEDS = (0, 1, 2)
"""Weight seed and training seed of each repetition."""
CONTROL = False
"""No ReLU network beside it."""
ACTIVE = "hidden"
"""The population whose active neurons are counted."""
