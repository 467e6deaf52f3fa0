"""What synaptic dissipation saves: spikes at the same accuracy, by event and by the clock, paired by seed."""

from __future__ import annotations

from experiments import dlm

CONFIG = dlm.CONFIG
RATES = (0.02,)
"""Chosen on a part of the training data: the first costs about .2 points there, the second more."""
VARIANTS = {
    "off": {"dynamics": {"dissipation": "none"}},
    **{
        f"{kind}-{rate:g}": {"dynamics": {"dissipation": kind, "dissipation_rate": rate}}
        for rate in RATES
        for kind in ("event",)
    },
}
SEEDS = (0, 1, 2, 3, 4)
"""Weight seed, training seed and seed of the noise of each repetition."""
CONTROL = False
"""No ReLU network beside it."""
