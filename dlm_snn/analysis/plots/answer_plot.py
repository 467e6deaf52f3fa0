"""Classes given against true ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.plots.style import INK, RISING, color_bar, drawing
from dlm_snn.errors import DlmError
from dlm_snn.runs.answers import Answers
from dlm_snn.runs.metrics import read_out
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.recording import Recording
from dlm_snn.values import as_array, as_integers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LARGEST = 10**4
"""Classes."""
WRITTEN = 12
"""Classes up to which every cell has its number."""
SMALLEST = 5.0
"""Points of a count; where it does not fit into its cell, the share stands there."""


def confusion(
    answers: Any, labels: Any, names: Sequence[str] | None = None, shares: bool = False, ax: Axes | None = None
) -> Axes:
    """How many samples of each class got which answer: counts in the cells, their share of the class as color.

    Args:
        answers: the raster of the output population or a Recording, as for ``read_out``; or its result, (sample,),
            -1 where nothing spiked.
        labels: (sample,), the true classes.
        names: of the classes; None: their numbers.
        shares: write the share of the class in percent into each cell, not the count; so it is, too, where counts
            are too long for their cells. Above 12 classes color alone tells.
        ax: to draw into; None: a new figure.

    Returns:
        The Axes: the answer to the right, the true class downwards. "none" is a column of its own where there are
        samples without a spike.

    Raises:
        DlmError: no samples; labels that are not one for each; too few names.
    """
    counts = confusion_matrix(answers, labels, 0 if names is None else len(names))
    told = [str(k) for k in range(len(counts))] if names is None else [str(name) for name in names]
    if len(told) < len(counts):
        raise DlmError(f"there are {len(told)} names for {len(counts)} classes; give one for each")
    silent = bool(counts[:, -1].any())
    drawn = counts if silent else counts[:, :-1]
    of_class = drawn.sum(axis=1, keepdims=True)
    share = np.divide(drawn, of_class, out=np.zeros(drawn.shape), where=of_class > 0)
    with drawing(ax, height=3.4) as axes:
        cells = axes.imshow(share, cmap=RISING, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        color_bar(axes, cells, "share of the true class", format=lambda value, _: f"{value:.0%}")
        percent = len(counts) <= WRITTEN and _write(axes, drawn, share, shares)
        _name(axes, told, silent)
        axes.set(xlabel="class given" + (", in % of the true class" if percent else ""), ylabel="true class")
    return axes


def confusion_matrix(answers: Any, labels: Any, n_classes: int = 0) -> NDArray[np.int64]:
    """Samples of each true class (row) with each answer (column); the last column has those without an answer.

    Args:
        answers, labels: as for ``confusion``.
        n_classes: at least so many.

    Returns:
        (class, class + 1), counts.

    Raises:
        DlmError: see ``confusion``.
    """
    if isinstance(answers, (SpikeRaster, Recording)):
        answers = read_out(answers)
    truth = as_integers(labels, "labels", 0, LARGEST - 1)
    answer = as_integers(as_array(answers, "answers"), "answers", -1, LARGEST - 1)
    if truth.ndim != 1 or truth.shape != answer.shape or not truth.size:
        raise DlmError(f"answers of shape {answer.shape}, labels of {truth.shape}; give one of each for each sample")
    found = Answers(truth, {"": answer}).confusion("")
    n = max(n_classes, len(found))
    counts = np.zeros((n, n + 1), dtype=np.int64)
    counts[: len(found), : len(found)], counts[: len(found), -1] = found[:, :-1], found[:, -1]
    return counts


def _write(axes: Axes, counts: NDArray, share: NDArray, shares: bool) -> bool:
    """The number of each cell, as large as the cell lets it be; whether they are shares."""
    room = axes.get_position().width * axes.figure.figure.get_figwidth() * 72 / counts.shape[1]
    size = min(room / (0.66 * len(str(counts.max()))), 8.0)
    if size < SMALLEST or shares:
        shares, size = True, min(room / (0.66 * 3), 8.0)
    for place, count in np.ndenumerate(counts):
        if count:
            text = f"{100 * share[place]:.0f}" if shares else str(count)
            color = "white" if share[place] > 0.55 else INK
            axes.text(place[1], place[0], text, ha="center", va="center", fontsize=size, color=color)
    return shares


def _name(axes: Axes, names: Sequence[str], silent: bool) -> None:
    every = -(-len(names) // (2 * WRITTEN))
    places = range(0, len(names), every)
    columns = [*places, len(names)] if silent else list(places)
    told = [*(names[k] for k in places), "none"] if silent else [names[k] for k in places]
    slanted = max(map(len, told)) > 4 and len(told) > 4
    axes.set_xticks(columns, told, rotation=45 if slanted else 0, ha="right" if slanted else "center")
    axes.set_yticks(list(places), [names[k] for k in places])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
