"""Transfer entropy: what the past of one sequence says about the next value of another, in nats.

TE = I(target(t + 1); source(t) | target(t - k + 1 .. t)), 0 where the source adds nothing to the target's own past. A
common input of both gives a TE without a synapse.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlm_snn.analysis.estimators.information import paired, scramble, unless_both_drift
from dlm_snn.analysis.estimators.information_counts import Method, Observed, coded, conditional
from dlm_snn.analysis.finding import Finding
from dlm_snn.errors import DlmError
from dlm_snn.values import is_whole

LONGEST = 20
"""Steps of history: beyond it the table of values is too large."""


def transfer_entropy(
    source: ArrayLike,
    target: ArrayLike,
    rng: np.random.Generator,
    history: int = 1,
    method: Method = "miller-madow",
    name: str = "transfer entropy",
) -> Finding:
    """TE from a source to a target, nats per step, with its interval, and shifted sources as control.

    Args:
        source, target: (step,), or (sequence, step); whole numbers, such as 0 and 1, words, or counts of bins.
        rng: of the control.
        history: steps of the target's own past.
        method: see ``entropy``; the tables of few values are full, where Grassberger's correction is the noisier one.
        name: of the finding.

    Returns:
        The finding; not resolved from too few steps, where the control gives as much, or where both drift.

    Raises:
        DlmError: shapes that do not fit, fewer steps than ``history`` + 1, values that are not whole.

    Source: Schreiber, Phys. Rev. Lett. 85, 461 (2000).
    """
    observed = _observed(source, target, history, method)
    how, control, scrambled = scramble(observed.x.shape, rng)
    found = conditional(observed, name, f"counts, {method}, history {history}, {how}", control, scrambled)
    x, y = (np.atleast_2d(np.asarray(values)) for values in (source, target))
    return unless_both_drift(found, x, y, "source and target both drift: what drives both gives a TE")


def _observed(source: ArrayLike, target: ArrayLike, history: int, method: Method) -> Observed:
    if not is_whole(history) or not 1 <= history <= LONGEST:
        raise DlmError(f"history = {history!r} is not a number of steps in 1..{LONGEST}")
    x, y = paired(source, target, ("source", "target"))
    if np.ndim(source) == 1:
        x, y = x.T, y.T
    if x.shape[1] <= history:
        raise DlmError(f"source and target have {x.shape[1]} steps; history = {history} needs {history + 1}")
    x_codes, n_x = coded(x[:, history - 1 : -1])
    y_codes, n_y = coded(y)
    past, n_past = np.zeros_like(x_codes), 1
    for back in range(history):
        # Coded anew, so that only histories that were seen take a place.
        past, n_past = coded(past * n_y + y_codes[:, history - 1 - back : y.shape[1] - 1 - back])
    return Observed(x_codes, y_codes[:, history:], past, (n_x, n_y, n_past), method)
