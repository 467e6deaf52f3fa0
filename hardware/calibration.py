"""Every published point, estimated against measured. There is no bar on the ratio, and no claim beyond it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dlm_snn.errors import DlmError
from dlm_snn.networks.network import IntegerNetwork
from hardware.energy import MICRO, MODEL, estimate
from hardware.operations import Operations, bounds
from hardware.profiles import Profile
from hardware.published import POINTS, Point

NOTHING = "-"


@dataclass(frozen=True)
class Row:
    """A point, and what a profile makes of its operations.

    Attributes:
        point: what was published.
        profile: of the estimate.
        low, high: joules, the least and the most that it can be; equal where the operations are known. None: it
            cannot be estimated.
        operations: where they come from; or why it cannot be estimated.
    """

    point: Point
    profile: Profile
    low: float | None
    high: float | None
    operations: str

    def ratio(self, measured: float | None) -> tuple[float | None, float | None] | None:
        """Measured / estimated, the least and the most; None in it: without bound, None: not known at all."""
        if measured is None or self.low is None:
            return None
        return (measured / self.high if self.high else None), (measured / self.low if self.low else None)

    @property
    def static(self) -> float | None:
        """Joules of the static power in the time of one."""
        point = self.point
        return None if point.static is None or point.seconds is None else point.static * point.seconds

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        point = self.point
        return {
            "point": point.name,
            "chip": point.chip,
            "system": point.system,
            "boundary": point.boundary,
            "source": point.source,
            "mark": point.mark,
            "per": point.per,
            "caution": point.caution,
            "estimated": {
                "method": MODEL,
                "profile": self.profile.name,
                "least": self.low,
                "most": self.high,
                "operations": self.operations,
            },
            "measured": {"total": point.total, "dynamic": point.dynamic},
            "ratio": {"total": self.ratio(point.total), "dynamic": self.ratio(point.dynamic)},
            "static": {"watts": point.static, "joules": self.static},
        }


def calibration(
    by: Profile, networks: Mapping[str, IntegerNetwork] | None = None, points: Iterable[Point] = POINTS
) -> list[Row]:
    """A row for every point.

    Args:
        by: a profile.
        networks: point -> its network, of those that are at hand.
        points: what is compared.

    Raises:
        DlmError: a network that takes other neuron updates than the published one.
    """
    given = networks or {}
    return [_row(point, by, given.get(point.name)) for point in points]


def _row(point: Point, by: Profile, network: IntegerNetwork | None) -> Row:
    if network is not None and point.steps is not None:
        found = bounds(network, point.steps)
        if found[0].updates != point.updates:
            raise DlmError(
                f"the network of '{point.name}' takes {found[0].updates:,} neuron updates, the published one "
                f"{point.updates:,.0f}: it is another one"
            )
        low, high = (estimate(one, by).joules for one in found)
        return Row(point, by, low, high, "bounds: no spike, and every neuron in every step; no frame is public")
    if point.synaptic is not None and point.updates is not None:
        joules = _of_published(point, by)
        left = "spikes" if by.update is not None else "neuron updates, which the profile does not know, and spikes"
        return Row(point, by, joules, joules, f"as published; left out: {left}")
    if point.updates is not None and by.update is not None:
        missing = f", and {point.at_hand} is in no folder of data" if point.at_hand else ""
        told = f"neuron updates alone: no others were published{missing}"
        return Row(point, by, _of_published(point, by), None, told)
    if point.updates is not None:
        return _cannot(point, by, "the profile has no energy of the neuron updates, which alone were published")
    return _cannot(point, by, "its operations were not published, and its network is not at hand")


def _cannot(point: Point, by: Profile, why: str) -> Row:
    return Row(point, by, None, None, f"cannot be estimated, because {why}")


def _of_published(point: Point, by: Profile) -> float:
    operations = Operations(
        steps=1,
        accumulates=point.synaptic or 0,
        multiplies=0,
        dense=0,
        updates=point.updates or 0,
        spikes=0,
        input_events=0,
    )
    return estimate(operations, by).joules


_TITLES = ("point", "estimated uJ", "dynamic uJ", "ratio", "total uJ", "ratio", "per")


def told(rows: Iterable[Row]) -> list[str]:
    """The table as lines; a ratio is measured / estimated."""
    rows = list(rows)
    able, unable = [r for r in rows if r.low is not None], [r for r in rows if r.low is None]
    cells = [_TITLES, *(_cells(row) for row in (*able, *unable))]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_TITLES))]
    table = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    notes = [line for row in (*able, *unable) for line in _notes(row)]
    return [*table, "", *notes]


def _cells(row: Row) -> tuple[str, ...]:
    point = row.point
    dynamic, total = _joules(point.dynamic), _joules(point.total)
    return (
        point.name,
        _range(row),
        dynamic,
        _times(row.ratio(point.dynamic)),
        total,
        _times(row.ratio(point.total)),
        point.per,
    )


def _joules(value: float | None) -> str:
    return NOTHING if value is None else f"{MICRO * value:.4g}"


def _range(row: Row) -> str:
    if row.low is None:
        return NOTHING
    if row.high is None:
        return f"> {_joules(row.low)}"
    return _joules(row.low) if row.high == row.low else f"{_joules(row.low)} to {_joules(row.high)}"


def _times(ratio: tuple[float | None, float | None] | None) -> str:
    if ratio is None or ratio == (None, None):
        return NOTHING
    low, high = ratio
    if low is None or high is None:
        return f"> {low:.3g}" if high is None else f"< {high:.3g}"
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"


def _notes(row: Row) -> list[str]:
    point = row.point
    caution = f"; {point.caution}" if point.caution else ""
    lines = [
        f"{point.name}: {point.chip}, {point.system}; {point.boundary} ({point.source}; {point.mark}){caution}",
        f"  {'' if row.low is None else 'operations: '}{row.operations}",
    ]
    if row.static is not None:
        lines.append(f"  static power {point.static:.4g} W: {_joules(row.static)} uJ per {point.per}")
    return lines
