"""How plots look: colors, sizes, and the Axes that a function draws into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dlm_snn.errors import DlmError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""For populations and classes: those of Okabe and Ito (2008; Wong, Nature Methods 8:441, 2011), which color-blind
readers tell apart; without their yellow, which is too pale for thin strokes on white."""
INK, MUTED, RULE = "#1f2a33", "#5d6873", "#d5dade"
"""Of text; of axes and what stands back; of lines behind the data."""
SPIKE = INK
"""Of spikes where color says nothing."""
DIVERGING, RISING = "RdBu_r", "Blues"
"""Color maps: around 0, and from 0 up. Red and blue stay apart for color-blind readers."""
WIDTH, HEIGHT = 3.7, 2.4
"""Inches of a figure of its own: one column of a paper, or a phone."""
FONT = "DejaVu Sans"
"""matplotlib's own, so that it is there wherever matplotlib is."""

_SETTINGS: Any = {
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 8.5,
    "font.family": [FONT],
    "font.size": 8.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.4,
    "path.simplify": False,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.image_inline": True,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8,
    "xtick.major.width": 0.7,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8,
    "ytick.major.width": 0.7,
}


@contextmanager
def styled() -> Iterator[None]:
    """Settings under which figures are built and drawn: matplotlib's defaults, not the user's, and our style."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


@contextmanager
def drawing(ax: Axes | None, width: float = WIDTH, height: float = HEIGHT) -> Iterator[Axes]:
    """The Axes to draw into, and the style to draw in: ours for a figure of ours, the user's for the user's Axes.

    Args:
        ax: the user's Axes, or None: one in a new Figure, which pyplot does not know.
        width, height: inches of a new Figure.

    Raises:
        DlmError: ``ax`` is no Axes.
    """
    if ax is not None:
        yield axes_of(ax)
        return
    with styled():
        yield axes_of(None, width, height)


def axes_of(ax: Axes | None, width: float = WIDTH, height: float = HEIGHT) -> Axes:
    """The given Axes; or those of a new Figure in our style, which pyplot does not know.

    Raises:
        DlmError: ``ax`` is no Axes.
    """
    from matplotlib.axes import Axes

    if ax is None:
        return rows_of([height], width)[0]
    if not isinstance(ax, Axes):
        raise DlmError(f"ax is a {type(ax).__name__}; give a matplotlib Axes, or leave it out for a new figure")
    return ax


def rows_of(heights: list[float], width: float = WIDTH, shared: bool = False) -> list[Axes]:
    """Axes below one another in a new Figure in our style.

    Args:
        heights: inches of each row.
        width: inches of the Figure.
        shared: whether they have one axis of time.
    """
    from matplotlib.figure import Figure

    with styled():
        figure: Figure = Figure(figsize=(width, sum(heights)), layout="constrained")
        grid = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False, sharex=shared)
        rows = list(grid[:, 0])
        for axes in rows:
            # Ticks are made when the figure is drawn, perhaps outside this style.
            axes.tick_params(labelsize=8, color=MUTED, labelcolor=INK, width=0.7, labelfontfamily=FONT)
        return rows


def legend_above(axes: Axes, handles: list[Any] | None = None, names: list[str] | None = None) -> None:
    """A legend above the axes, where it covers nothing, in as many columns as have room; none for less than two names.

    Args:
        axes: whose artists it names, those with a label.
        handles, names: others in their place.
    """
    if handles is None or names is None:
        handles, names = axes.get_legend_handles_labels()
    if len(names) < 2:
        return
    letters = 13 * axes.get_position().width * axes.figure.figure.get_figwidth() / 0.775
    columns = max(int(letters // (max(map(len, names)) + 8)), 1)
    axes.legend(
        handles, names, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0, ncols=min(columns, len(names))
    )


def color_bar(axes: Axes, drawn: Any, label: str, **options: Any) -> Any:
    """A bar of the colors of an image, beside its axes."""
    bar = axes.figure.colorbar(drawn, ax=axes, pad=0.02, **options)
    bar.set_label(label)
    bar.outline.set_edgecolor(MUTED)
    bar.outline.set_linewidth(0.7)
    return bar


def color_of(place: int) -> str:
    """The color of the n-th population or class; after the last they begin again."""
    return COLORS[place % len(COLORS)]
