"""``dlm-snn analyze --what spectrum``: the slope of the spectrum of a population's rate."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dlm_snn.verbs.rasters.analyses.outcome import Outcome, Part

if TYPE_CHECKING:
    import numpy as np


def analyze(selected: Part, population: str, rng: np.random.Generator) -> Outcome:
    """The slope above the white floor of spikes, with its interval and controls."""
    from dlm_snn.analysis.estimators.spectrum_raster import raster_spectrum
    from dlm_snn.analysis.plots.spectrum_plot import draw_spectrum

    found = raster_spectrum(selected.rasters[population], rng=rng)
    # Where nothing was fitted, there is nothing to see.
    figures = {} if found.slope.estimate is None else {"spectrum": partial(draw_spectrum, found)}
    return Outcome(found.findings, figures)
