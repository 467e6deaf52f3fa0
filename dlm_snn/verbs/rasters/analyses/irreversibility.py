"""``dlm-snn analyze --what irreversibility``: time's arrow in the words of the three neurons that vary most."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dlm_snn.verbs.rasters.analyses.outcome import Outcome, Part

if TYPE_CHECKING:
    import numpy as np


def analyze(selected: Part, population: str, rng: np.random.Generator) -> Outcome:
    """The entropy production of one pool, a lower bound of that of the population."""
    from dlm_snn.analysis.estimators.irreversibility import POOL, irreversibility
    from dlm_snn.analysis.estimators.pools import liveliest

    raster = selected.rasters[population]
    if not raster.n_neurons:
        return Outcome([])
    called = selected.called(population)
    pool = liveliest(raster, POOL)
    found = irreversibility(raster, rng)
    told = f"{found.estimator}; the most active neurons: {', '.join(called[k] for k in pool)}"
    return Outcome([replace(found, estimator=told)])
