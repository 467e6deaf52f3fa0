"""``dlm-snn analyze --what criticality``: branching ratio, avalanches, and whether they agree."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dlm_snn.verbs.rasters.analyses.outcome import Outcome, Part

if TYPE_CHECKING:
    import numpy as np


def analyze(selected: Part, population: str, rng: np.random.Generator) -> Outcome:
    """All neurons, and m of a random fifth of them beside it."""
    from dlm_snn.analysis.estimators.criticality_raster import raster_criticality
    from dlm_snn.analysis.plots.avalanche_plot import draw_avalanches, draw_branching

    found = raster_criticality(selected.rasters[population], rng=rng)
    drawn = {
        "branching": (found.branching.ratio.estimate is not None, partial(draw_branching, found.branching)),
        "avalanches": (len(found.avalanches) > 0, partial(draw_avalanches, found.avalanches, found.exponents)),
    }
    figures = {name: draw for name, (something, draw) in drawn.items() if something}
    return Outcome(found.findings, figures, found.verdict)
