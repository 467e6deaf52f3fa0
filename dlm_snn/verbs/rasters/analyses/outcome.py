"""What an analysis of a file's rasters takes and returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from dlm_snn.analysis.finding import Finding
    from dlm_snn.runs.raster import SpikeRaster


class Part(Protocol):
    """The part of a file that was asked for: ``verbs.rasters.selection.Selected``."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    @property
    def stored(self) -> Any:
        """All that lies in the file, an ``exchange.format.Stored``."""

    @property
    def rasters(self) -> Mapping[str, SpikeRaster]:
        """Population -> the selected part of its raster, numbered from 0."""

    def called(self, population: str) -> list[str]:
        """Each selected neuron by its number in the file, and by the unit that the file names."""

    @property
    def samples(self) -> slice:
        """The samples that were selected."""


@dataclass(frozen=True)
class Outcome:
    """The findings of one analysis of one population, and its figures.

    Attributes:
        findings: the rows of the table.
        figures: name of a figure -> a function that draws it into the given matplotlib Axes.
        conclusion: what they say together, in a line; empty: the first finding says it.
    """

    findings: Sequence[Finding]
    figures: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    conclusion: str = ""
