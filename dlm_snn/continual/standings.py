"""Rows of a continual experiment as the lines of its table: means with 95 % intervals, pairs against the first line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.continual.figures import Paired, excess_forgetting, paired
from dlm_snn.continual.row import ContinualRow
from dlm_snn.learning.learner import Declaration
from dlm_snn.runs.metrics import UNKNOWN, interval, plus_minus


@dataclass(frozen=True)
class Standing:
    """One line of the table: one learner with its options over its seeds.

    Attributes:
        variant: what the table calls it.
        rows: one a seed, learned task by task (or at once, where the learner says so).
        joint: of these seeds, rows of the same learner trained jointly on the tasks so far, where there are any.
        against: ACC in points against the first line's, seed by seed; None for the first, or without common seeds.
    """

    variant: str
    rows: tuple[ContinualRow, ...]
    joint: tuple[ContinualRow, ...]
    against: Paired | None

    @property
    def acc(self) -> NDArray[np.float64]:
        """ACC of each seed."""
        return _floats(row.figures.acc for row in self.rows)

    @property
    def forgetting(self) -> NDArray[np.float64]:
        """F of each seed."""
        return _floats(row.figures.forgetting for row in self.rows)

    @property
    def la(self) -> NDArray[np.float64]:
        """LA of each seed."""
        return _floats(row.figures.la for row in self.rows)

    def excess(self) -> NDArray[np.float64]:
        """Excess forgetting of each seed that has a joint row."""
        joint = {row.seed: row.figures.r for row in self.joint}
        return _floats(excess_forgetting(row.figures.r, joint[row.seed]) for row in self.rows if row.seed in joint)

    def matrix(self) -> NDArray[np.float64]:
        """R, mean over seeds."""
        return np.mean([row.figures.r for row in self.rows], axis=0)

    @property
    def declaration(self) -> Declaration:
        """What the learner uses."""
        return self.rows[0].declaration

    @property
    def how(self) -> str:
        """Front end, normalization and winner rule, in one line."""
        declared = self.declaration
        return f"{declared.front_end}; norm: {declared.normalization}; winner: {declared.winner}"

    def declared(self) -> dict[str, str]:
        """What it was told and what it keeps, as text by heading."""
        declared, row = self.declaration, self.rows[0]
        boundary = "told" if row.told.boundary else "no"
        if row.beyond_protocol:
            boundary = "told, beyond the protocol"
        return {
            "boundary": boundary,
            "label at test": "told" if row.told.label_at_test else "no",
            "stored samples": f"{declared.stored_samples:,}",
            "replay": declared.replay,
            "pre-training": declared.pre_training,
            "all at once": "yes" if declared.joint else "no",
        }

    def beyond_samples(self) -> list[str]:
        """Of what it was told and keeps, what there is at all."""
        return [f"{name}: {value}" for name, value in self.declared().items() if value not in ("no", "none", "0")]

    def figures(self) -> dict[str, str]:
        """ACC, F, LA and what goes with them, as text by heading: always all of them."""
        cells = {
            "seeds": str(len(self.rows)),
            "ACC %": interval(100 * self.acc, ".2f"),
            "F": interval(self.forgetting, ".4f"),
            "LA %": interval(100 * self.la, ".2f"),
        }
        if self.joint:
            cells["XF"] = interval(self.excess(), "+.4f")
        return cells

    def difference(self) -> str:
        """ACC against the first line, in points, with Wilcoxon's p where there are pairs enough."""
        if self.against is None:
            return UNKNOWN
        text = plus_minus(self.against.mean, self.against.half, "+.2f")
        return text if self.against.p is None else f"{text} (p = {self.against.p:.2g})"


def standings(rows: Iterable[ContinualRow]) -> list[Standing]:
    """The lines of a table, in the order in which they first come: one for each variant and configuration.

    Results files keep rows that were made under a name that later stood for other options. Rows of two configurations
    are never averaged: lines that share a variant are told apart by what differs between them.

    Args:
        rows: of one experiment, see docs/continual.md.
    """
    plain: dict[_Line, list[ContinualRow]] = {}
    joint: dict[_Line, list[ContinualRow]] = {}
    for row in rows:
        line = (row.variant, json.dumps(configuration(row), sort_keys=True))
        (joint if row.joint else plain).setdefault(line, []).append(row)
    first = next(iter(plain.values()), [])
    names = _names(list(plain))
    return [
        Standing(names[line], tuple(own), tuple(joint.get(line, ())), None if own is first else _against(own, first))
        for line, own in plain.items()
    ]


_Line = tuple[str, str]
"""A variant, and its configuration as JSON."""


def configuration(row: ContinualRow) -> dict[str, Any]:
    """What decides a row's figures beside its seed: protocol, learner, options, and whether it is a validation."""
    options = {f"options.{name}": value for name, value in row.options.items()}
    return {"protocol": row.protocol, "learner": row.learner, "validation": row.validation} | options


def _names(lines: Sequence[_Line]) -> dict[_Line, str]:
    """The variant of each line; where several share one, with what is not the same in all of them."""
    of_variant: dict[str, list[dict[str, Any]]] = {}
    for variant, settings in lines:
        of_variant.setdefault(variant, []).append(json.loads(settings))
    found = {}
    for variant, settings in lines:
        own, all_of = json.loads(settings), of_variant[variant]
        keys = sorted({key for one in all_of for key in one})
        differing = [key for key in keys if any(one.get(key) != own.get(key) for one in all_of)]
        words = [f"{key.removeprefix('options.')}={json.dumps(own[key])}" for key in differing if key in own]
        found[variant, settings] = f"{variant} ({', '.join(words) or 'defaults'})" if differing else variant
    return found


def table(lines: Sequence[Standing]) -> tuple[list[str], list[list[str]]]:
    """Heading and lines of the main table; the first column is the variant, the second how it sees a sample."""
    columns = list(dict.fromkeys(name for line in lines for name in line.figures()))
    heading = ["learner", "how", *columns]
    cells = [[line.variant, line.how, *(line.figures().get(name, UNKNOWN) for name in columns)] for line in lines]
    if len(lines) > 1:
        heading.append(f"ACC against {lines[0].variant}")
        cells = [[*row, line.difference()] for row, line in zip(cells, lines, strict=True)]
    return heading, cells


def _against(own: Sequence[ContinualRow], first: Sequence[ContinualRow]) -> Paired | None:
    base = {row.seed: row.figures.acc for row in first}
    pairs = [(row.figures.acc, base[row.seed]) for row in own if row.seed in base]
    if not pairs:
        return None
    values, baseline = 100 * np.array(pairs, dtype=float).T
    return paired(values, baseline)


def _floats(values: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array(list(values), dtype=float)
