"""Plain descent: what happens without any protection."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlm_snn.learning.descent.loop import Descent
from dlm_snn.learning.descent.mlp import Mlp, MlpOptions, checked, learner, sizes
from dlm_snn.learning.learner import Setting


def make_none(setting: Setting, rng: np.random.Generator, **options: Any) -> Descent:
    """A rate network, pixels -> hidden -> classes, that follows the gradient of the cross-entropy of each batch.

    Options: see MlpOptions.

    Raises:
        DlmError: an option that is unknown or out of range.
    """
    chosen = checked(MlpOptions, "none", options)
    return learner(setting, Mlp(sizes(setting, chosen.hidden), setting.scale, rng), chosen, ())
