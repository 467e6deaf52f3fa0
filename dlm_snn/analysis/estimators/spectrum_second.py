"""The slope of a spectrum by specparam, where it is installed: a second method on the same density."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.finding import Finding

APART = 0.2
"""Difference of the two slopes from which on it is told."""


def second_opinion(
    frequency: NDArray[np.float64], power: NDArray[np.float64], first: Finding, hertz: float = 1.0
) -> Finding | None:
    """The exponent of specparam's aperiodic model without peaks, as a slope; None without it, or where nothing varies.

    Source: Donoghue et al. 2020, Nature Neuroscience 23, 1655; specparam 2.0.0rc7.

    Args:
        frequency: (frequency,), equally spaced, above 0.
        power: (frequency,), above 0.
        first: the slope that it is compared with.
        hertz: cycles per unit of the frequencies; takes no part in the slope.
    """
    try:
        from specparam import SpectralModel
    except ImportError:
        return None
    if np.ptp(power) == 0:
        return None
    model = SpectralModel(aperiodic_mode="fixed", max_n_peaks=0, verbose=False)
    model.fit(frequency * hertz, power)
    slope = -float(model.results.params.aperiodic.params[-1])
    doubts = first.doubts
    if not doubts and first.estimate is not None and abs(slope - first.estimate) > APART:
        doubts = (f"it differs from least squares by {slope - first.estimate:+.2f}",)
    return Finding(
        "spectral slope, second method",
        slope,
        None,
        "",
        "specparam, fixed aperiodic mode, no peaks, same band",
        {"frequencies": frequency.size},
        (),
        doubts,
    )
