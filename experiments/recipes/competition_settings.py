"""How the settings of ``competition`` were chosen: a sixth of the training images held out, no test image seen."""

from __future__ import annotations

from typing import Any

from dlm_snn.config import merged
from experiments.recipes import competition, mnist
from experiments.recipes.config import RunConfig


def _with(form: str, strength: float) -> dict[str, Any]:
    return merged(mnist.STOCK[form], {"training": {"activity": {"strength": strength}}})


CONFIG = RunConfig.model_validate(merged(competition.CONFIG.model_dump(), {"data": {"validation_share": 1 / 6}}))
VARIANTS = {
    "exact": {},
    **{f"{form}-{k:g}": _with(form, k) for form in ("lateral", "lateral-learned", "penalty") for k in (1.0, 3.0)},
    "counting-1": _with("counting", 1.0),
}
"""Form, and strength of the penalty."""
SEEDS = (0,)
"""Weight seed, training seed and seed of the hold-out."""
CONTROL = False
"""No ReLU network beside it."""
ACTIVE = "hidden"
"""The population whose active neurons are counted."""
