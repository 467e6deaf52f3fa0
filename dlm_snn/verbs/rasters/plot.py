"""``dlm-snn raster plot``: a figure of a file's rasters, its voltages, weights or answers."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dlm_snn.verbs.rasters import panels_of_runs, panels_of_spikes
from dlm_snn.verbs.rasters.panel import Panel
from dlm_snn.verbs.rasters.selection import Selected, add_selection, selected, several
from dlm_snn.verbs.verb import Verb, add_replace

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Kind(NamedTuple):
    """A kind of plot: its help, and its panels of a selection."""

    help: str
    panels: Callable[[Selected, Namespace], list[Panel]]


KINDS = {
    "raster": Kind("spikes", panels_of_spikes.raster_panels),
    "activity": Kind("rate over time below a raster", panels_of_spikes.activity_panels),
    "rates": Kind("how often neurons fire", panels_of_spikes.rates_panels),
    "isi": Kind("intervals between spikes", panels_of_spikes.isi_panels),
    "psth": Kind("rate over the time in a trial", panels_of_spikes.psth_panels),
    "correlogram": Kind("one neuron's rate around another's spikes", panels_of_spikes.correlogram_panels),
    "v": Kind("membrane voltages", panels_of_runs.voltage_panels),
    "weights": Kind("weights of each projection", panels_of_runs.weight_panels),
    "confusion": Kind("classes given and true ones", panels_of_runs.confusion_panels),
}
BY = ("population", "label", "trial")
DEFAULT = {"population": ["raster", "activity"], "label": ["raster", "psth"], "trial": ["raster", "psth"]}
"""How spikes are sorted -> what is drawn, where nothing is named."""
MOST = 40
"""Panels of a figure."""
WIDTH = 7.0
LEAST = 1.0
"""Inches of a figure's width."""


def _above_zero(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is not a number") from error
    if not 0 < value < float("inf"):
        raise ArgumentTypeError(f"'{text}' is not a number above 0")
    return value


def _inches(text: str) -> float:
    value = _above_zero(text)
    if value < LEAST:
        raise ArgumentTypeError(f"'{text}' inches leave no room to draw; give {LEAST:g} or more")
    return value


def _pair(text: str) -> tuple[int, int]:
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise ArgumentTypeError(f"'{text}' is not a pair of neurons such as 3,5")
    return int(parts[0]), int(parts[1])


def _arguments(parser: ArgumentParser) -> None:
    add_selection(parser)
    told = "; ".join(f"{name}: {kind.help}" for name, kind in KINDS.items())
    parser.add_argument(
        "--kind",
        type=several(KINDS),
        metavar="NAME,...",
        help=f"{told} (default: raster,activity; by label or trial raster,psth)",
    )
    parser.add_argument("--by", choices=BY, default="population", help="how spikes are sorted (default: population)")
    parser.add_argument("--labels", metavar="COLUMN", help="of the file's table of trials; a run knows its labels")
    parser.add_argument(
        "--bin", type=_above_zero, metavar="MS", help="of activity, psth, isi and correlogram (default: by the data)"
    )
    parser.add_argument("--pair", type=_pair, metavar="A,B", help="of a correlogram (default: the two that spike most)")
    parser.add_argument("--seed", type=int, default=0, help="of a correlogram's jitter (default: 0)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="a .png, .svg or .pdf (default: NAME.png, here)")
    parser.add_argument("--width", type=_inches, default=WIDTH, metavar="INCHES", help=f"(default: {WIDTH:g})")
    add_replace(parser, "a figure")


def _run(arguments: Namespace) -> int:
    from dlm_snn.analysis.plots.saving import check_place, save
    from dlm_snn.analysis.plots.style import rows_of, styled
    from dlm_snn.errors import DlmError

    out = arguments.out or Path(f"{arguments.file.resolve().stem or 'raster'}.png")
    check_place(out, arguments.replace)
    part = selected(arguments)
    panels = [p for kind in arguments.kind or DEFAULT[arguments.by] for p in KINDS[kind].panels(part, arguments)]
    if len(panels) > MOST:
        raise DlmError(f"{part.path}: {len(panels)} panels are more than {MOST}; choose a --population or fewer kinds")
    with styled():
        rows = rows_of([panel.height for panel in panels], arguments.width)
        for panel, axes in zip(panels, rows, strict=True):
            try:
                panel.draw(ax=axes)
            except DlmError as error:
                raise DlmError(f"{part.path}: {error}") from error
            _entitle(axes, panel.title)
        _align([axes for panel, axes in zip(panels, rows, strict=True) if panel.in_trial])
        save(rows[0], out, arguments.replace)
    notes = list(dict.fromkeys(panel.left_out for panel in panels if panel.left_out))
    print(*part.told, f"written: {out}" + "".join(f"; {note}" for note in notes), sep="\n")
    return 0


def _entitle(axes: Axes, title: str) -> None:
    """A title on the left, on top of the legend where there is one."""
    legend, note = axes.get_legend(), axes.get_title()
    if note and title:
        axes.set_title("")
        title = f"{title}; {note}"
    if legend is None or not title:
        axes.set_title(title, loc="left")
    else:
        legend.set_title(title)
        legend.set_alignment("left")


def _align(rows: Sequence[Axes]) -> None:
    """One axis of time for panels below one another."""
    limits = [axes.get_xlim() for axes in rows]
    for axes in rows:
        axes.set_xlim(min(low for low, _ in limits), max(high for _, high in limits))


plot = Verb("draw rasters, rates, intervals, voltages, weights or answers", _arguments, _run)
