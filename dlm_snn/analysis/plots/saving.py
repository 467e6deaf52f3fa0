"""Figures as files: PNG, SVG or PDF by the ending, whole or not at all, the same bytes again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlm_snn.errors import DlmError
from dlm_snn.files.atomic import check, writing
from dlm_snn.files.layouts import FileKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".png", ".svg", ".pdf")
DPI = 200
"""Of a PNG, and of what is an image inside an SVG or PDF."""
MARK = "dlm-snn raster plot"
"""In the metadata of a figure: what is replaced must be ours."""
_METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": MARK},
    ".svg": {"Creator": MARK, "Date": None},
    ".pdf": {"Creator": MARK, "Producer": None, "CreationDate": None},
}
_BEGINNINGS = (b"\x89PNG\r\n", b"<?xml", b"%PDF-")
_ENDS = 2**14
"""Bytes at the beginning and the end of a file that hold its metadata."""
_SETTINGS: Any = {"pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": MARK, "svg.image_inline": True}


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_ENDS)
        file.seek(max(0, path.stat().st_size - _ENDS))
        return head.startswith(_BEGINNINGS) and MARK.encode() in head + file.read()


FIGURE = FileKind("a figure", _is_ours)


def save(drawn: Figure | Axes, path: str | os.PathLike[str], replace: bool = False, dpi: float = DPI) -> None:
    """Write a figure, or the figure of Axes, as PNG, SVG (its text as text) or PDF, by the ending of the path.

    Args:
        drawn: a matplotlib Figure or Axes, from here or from elsewhere.
        path: NAME.png, NAME.svg or NAME.pdf.
        replace: a figure that was saved by this function gives way.
        dpi: dots per inch of a PNG, and of spikes that are an image in an SVG or PDF.

    Raises:
        DlmError: another ending; what ``atomic.writing`` refuses.
    """
    import matplotlib

    place = Path(path)
    ending = _ending(place)
    with writing(place, FIGURE, replace) as file, matplotlib.rc_context(_SETTINGS):
        _whole(drawn).savefig(file, format=ending[1:], dpi=dpi, metadata=_METADATA[ending])


def check_place(path: Path, replace: bool = False) -> None:
    """Refuse what ``save`` would refuse, before the work that makes the figure.

    Raises:
        DlmError: as ``save``.
    """
    _ending(path)
    check(path, FIGURE, replace)


def _ending(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise DlmError(f"cannot draw a figure as '{path}'; give a name that ends in {', '.join(ENDINGS)}")
    return ending


def _whole(drawn: Any) -> Any:
    """The Figure of what was drawn."""
    from matplotlib.artist import Artist

    figure = getattr(drawn, "figure", None)
    if not isinstance(drawn, Artist) or figure is None:
        raise DlmError(f"a {type(drawn).__name__} is no figure; give a matplotlib Figure or Axes")
    # That of a part of a figure is the part; its own is the whole.
    return figure.figure
