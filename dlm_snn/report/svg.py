"""A matplotlib Figure as SVG inside a page: themed by the page's style sheet, with ids of its own."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from dlm_snn.analysis.plots.style import COLORS, INK, MUTED, RULE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THEME = {
    "ink": INK,
    "muted": MUTED,
    "rule": RULE,
    "shared": "#77746f",
    "float": COLORS[0],
    "float-pale": "#9cc8e6",
    "integer": COLORS[1],
    "integer-pale": "#f2bd8f",
    "third": COLORS[2],
    "fourth": COLORS[3],
}
"""Colors that figures use, by the name of the style sheet's variable that takes their place."""
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def inline(figure: Figure, name: str, alt: str) -> Markup:
    """The figure as an ``<svg>`` element; the same figure and name give the same text.

    Args:
        figure: drawn in the colors of THEME; call within ``plots.styled()``.
        name: prefix of its ids, of letters, digits and hyphens; unique within the page.
        alt: what a reader who cannot see it is told.
    """
    import matplotlib

    text = StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(text, format="svg", transparent=True, metadata=_NO_METADATA, dpi=150)
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :].replace("xlink:href", "href")
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg)
    for variable, color in THEME.items():
        svg = svg.replace(color, f"var(--{variable})")
    svg = _own_ids(_short_numbers(svg), name)
    label = escape(alt)
    return Markup(svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1))


def _short_numbers(svg: str) -> str:
    """Paths to a hundredth of a point: half the bytes, and nothing that an eye could see."""

    def shorten(path: re.Match[str]) -> str:
        return re.sub(r"\s+", " ", re.sub(r"(\.\d\d)\d+", r"\1", path.group()))

    return re.sub(r'\sd="[^"]*"', shorten, svg)


def _own_ids(svg: str, name: str) -> str:
    """Ids that something refers to get the figure's name as prefix; the others go."""
    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', svg))

    def rename(attribute: re.Match[str]) -> str:
        return f' id="{name}-{attribute[1]}"' if attribute[1] in used else ""

    svg = re.sub(r'\sid="([^"]*)"', rename, svg)
    return re.sub(r'(url\(|href=")#', rf"\1#{name}-", svg)
