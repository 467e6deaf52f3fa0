"""The agreement of simulators on the page: a matrix for each arithmetic, and a row for each pair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dlm_snn.report.wording import agreeing, number
from dlm_snn.runs.run_metrics import Agreement, RunMetrics

_COMPARED = "u and v compared"
SYMBOLS = {"equal": "=", "tie": "≈", "differs": "≠", "open": "·"}
"""What stands in a cell: a verdict is never told by its color alone."""


@dataclass(frozen=True)
class Cell:
    """One pair in a matrix.

    Attributes:
        verdict: "equal", "tie" (equal, with samples set aside), "differs" or "open" (not compared).
        told: the pair and its verdict in words.
    """

    verdict: str
    told: str

    @property
    def symbol(self) -> str:
        """The verdict as a sign."""
        return SYMBOLS[self.verdict]


@dataclass(frozen=True)
class Matrix:
    """The pairs of the simulators of one network, each pair once.

    Attributes:
        network: what the network is called.
        names: its simulators; those of the columns are all but the last.
        rows: of the second simulator and all later ones, the cells with the simulators before them.
    """

    network: str
    names: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Pair:
    """One pair as a row of a table, with what there is to say beyond its verdict."""

    network: str
    row: Agreement
    remarks: Sequence[str]


def verdict(row: Agreement | None) -> str:
    """The verdict of a pair, as ``SYMBOLS`` has them."""
    if row is None or row.equal is None:
        return "open"
    if not row.equal:
        return "differs"
    return "tie" if row.ties else "equal"


def matrices(metrics: RunMetrics, labels: Mapping[str, str]) -> list[Matrix]:
    """A matrix for each network, in the order in which they come."""
    found = []
    for network in dict.fromkeys(row.network for row in metrics.agreement or ()):
        rows = {(row.first, row.second): row for row in metrics.agreement or () if row.network == network}
        names = [str(name) for name in dict.fromkeys(name for pair in rows for name in pair)]
        of = {(str(first), str(second)): row for (first, second), row in rows.items()}
        cells = [
            [_cell(earlier, later, of.get((earlier, later)) or of.get((later, earlier))) for earlier in names[:place]]
            for place, later in enumerate(names)
        ]
        found.append(Matrix(labels.get(str(network), str(network)), names, cells[1:]))
    return found


def _cell(first: str, second: str, row: Agreement | None) -> Cell:
    words = {"equal": "equal", "tie": f"equal, {number(row.ties if row else None)} ties", "open": "not compared"}
    found = verdict(row)
    return Cell(found, f"{first} and {second}: {words.get(found, 'differ')}")


def sentence(metrics: RunMetrics) -> str:
    """How many pairs agree, and over how many samples."""
    equal, compared = agreeing(metrics)
    if not compared:
        return "No pair was compared."
    samples = {row.samples for row in metrics.agreement or () if row.equal is not None and row.samples is not None}
    over = f" over {' or '.join(map(number, sorted(samples)))} samples" if samples else ""
    open_ = len(metrics.agreement or ()) - compared
    ties = sum(verdict(row) == "tie" for row in metrics.agreement or ())
    asides = [f"{number(ties)} with ties"] if ties else []
    asides += [f"{number(open_)} more not compared"] if open_ else []
    aside = f" ({'; '.join(asides)})" if asides else ""
    return f"{equal} of {compared} pairs equal{over}{aside}."


def pairs(rows: Iterable[Agreement], labels: Mapping[str, str]) -> tuple[list[Pair], list[Pair]]:
    """The pairs that someone must look at, and those that are equal."""
    told = [Pair(labels.get(str(row.network), str(row.network)), row, remarks(row)) for row in rows]
    return [pair for pair in told if not pair.row.equal], [pair for pair in told if pair.row.equal]


def remarks(row: Agreement) -> list[str]:
    """What there is to say about a pair beyond its verdict: the divergence or the ties, the voltages, the note."""
    plain = row.equal is True and not row.ties
    found = [row.text] if row.text and not plain else []
    gaps = [gap for pair in (row.values or {}).values() for gap in pair]
    note = row.note or ""
    if gaps:
        apart = "identical" if not any(gaps) else f"apart by {max(gaps):.2g} at most"
        on = note.removeprefix(_COMPARED) if note.startswith(_COMPARED) else ""
        found.append(f"u and v {apart}{on}")
        note = "" if on else note
    return [*found, note] if note else found
