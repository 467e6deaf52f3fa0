"""``dlm-snn analyze --what irreversibility``: time's arrow in the words of the three neurons that vary most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_snn.verbs.rasters.analyses.outcome import Outcome, Part

if TYPE_CHECKING:
    import numpy as np


def analyze(selected: Part, population: str, rng: np.random.Generator) -> Outcome:
    """The entropy production of one pool, a lower bound of that of the population."""
    from dlm_snn.analysis.estimators.irreversibility import irreversibility

    raster = selected.rasters[population]
    return Outcome([irreversibility(raster, rng)] if raster.n_neurons else [])
