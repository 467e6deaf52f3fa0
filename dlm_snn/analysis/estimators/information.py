"""Mutual information of paired whole numbers, in nats, such as labels and spike counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.analysis.estimators.blocks import drifts, in_blocks
from dlm_snn.analysis.estimators.information_counts import Codes, Method, Observed, coded, conditional
from dlm_snn.analysis.finding import Finding
from dlm_snn.errors import DlmError
from dlm_snn.values import as_integers, check_generator

LARGEST = 2**62
TRIALS = 10
"""Sequences from which on a control exchanges them whole; fewer are shifted in time."""


def mutual_information(
    x: ArrayLike,
    y: ArrayLike,
    rng: np.random.Generator,
    method: Method = "grassberger",
    name: str = "mutual information",
) -> Finding:
    """I(X; Y) = <ln p(x, y) / (p(x) p(y))> of paired whole numbers, nats, with its interval, and shuffles as control.

    The interval is that of the mean of ln p(x, y) / (p(x) p(y)), by blocks where values depend on their neighbors. It
    is widened by the spread that an information of 0 has, and by what pairs seen never or once may hide: Laplace's one
    count more in every cell. No estimate and no interval passes ln |X| or ln |Y|. Shuffles say what the same estimator
    finds where there is nothing; they are no correction, since subtracted they overcorrect. Do not give the words of a
    whole layer: nearly every sample has a word of its own, and the estimate is the logarithm of the number of samples.

    Args:
        x, y: (n,) independent observations, in an order that says nothing of them, such as the label and the spike
            count of each sample; or series (sequence, step), in which neighbors may depend on each other.
        rng: of the shuffles.
        method: see ``entropy``.
        name: of the finding.

    Returns:
        The finding; not resolved below 6 observations per pair of values, where shuffles give as much, or where both
        drift: two series of fewer than 10 sequences, or observations whose order both x and y follow.

    Raises:
        DlmError: arrays of other or unequal shapes, or empty; values that are not whole.

    Source of the interval: Roulston, Physica D 125, 285 (1999).
    """
    first, second = paired(x, y, ("x", "y"))
    observed = _observed(first, second, np.zeros_like(first), method)
    how, control, scrambled = scramble(first.shape, rng)
    found = conditional(observed, name, f"counts, {method}, {how}", control, scrambled)
    if first.shape[1] == 1 and _ordered(first, rng) and _ordered(second, rng):
        return replace(found, doubts=(*found.doubts, "x and y both follow their order: a drift would look the same"))
    return unless_both_drift(found, first, second, "x and y both drift: what drives both is information")


def _ordered(values: Codes, rng: np.random.Generator) -> bool:
    """Whether (n, 1) observations come in blocks of equal ones, or drift."""
    return in_blocks(values[:, 0], rng) or drifts(values.T)


def _observed(x: Codes, y: Codes, z: Codes, method: Method) -> Observed:
    (x, n_x), (y, n_y), (z, n_z) = (coded(values) for values in (x, y, z))
    return Observed(x, y, z, (n_x, n_y, n_z), method)


def paired(x: ArrayLike, y: ArrayLike, names: tuple[str, str]) -> tuple[Codes, Codes]:
    """Two arrays of one shape as (sequence, step); (n,) becomes (n, 1).

    Raises:
        DlmError: other or unequal shapes, no observation, values that are not whole.
    """
    first, second = (as_integers(given, name, -LARGEST, LARGEST) for given, name in zip((x, y), names, strict=True))
    if first.shape != second.shape or first.ndim not in (1, 2):
        raise DlmError(
            f"{names[0]} and {names[1]} have shapes {first.shape} and {second.shape}; give two of (n,), or two of "
            "(sequence, step)"
        )
    if not first.size:
        raise DlmError(f"{names[0]} and {names[1]} hold 0 observations; give at least one")
    return (first[:, None], second[:, None]) if first.ndim == 1 else (first, second)


def scramble(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[str, str, Callable[[Codes], Codes]]:
    """How X loses its tie to Y: how observations are taken, the name of the control, and a function that draws one."""
    check_generator(rng)
    sequences, steps = shape
    if steps == 1:
        return "independent observations", "shuffled", rng.permutation
    if sequences >= TRIALS:
        return "blocks of sequences", "sequences exchanged", rng.permutation
    return "blocks of steps", "shifted in time", partial(shifted, rng=rng)


def unless_both_drift(found: Finding, x: Codes, y: Codes, doubt: str) -> Finding:
    """The finding, in doubt where few sequences (sequence, step) are shifted in time and both change slowly.

    A shift takes the common change away, so that the control does not hold it; see ``scramble`` and ``drifts``.
    """
    alone = len(x) < TRIALS and drifts(x) and drifts(y)
    return replace(found, doubts=(*found.doubts, doubt)) if alone else found


def shifted(x: NDArray, rng: np.random.Generator) -> NDArray:
    """Each sequence (sequence, step) turned around in time, by a shift of its own."""
    sequences, steps = x.shape
    by = rng.integers(1, max(steps, 2), (sequences, 1))
    return np.take_along_axis(x, (np.arange(steps) + by) % steps, 1)
