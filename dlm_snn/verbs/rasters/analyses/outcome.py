"""What an analysis of a file's rasters returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlm_snn.analysis.finding import Finding


@dataclass(frozen=True)
class Outcome:
    """The findings of one analysis of one population, and its figures.

    Attributes:
        findings: the rows of the table.
        figures: name of a figure -> a function that draws it into the given matplotlib Axes.
    """

    findings: Sequence[Finding]
    figures: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
