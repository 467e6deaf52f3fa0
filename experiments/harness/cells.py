"""What one repetition of a continual experiment is, as data, and what decides its figures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from statistics import median
from typing import Any

from dlm_snn.continual.row import ContinualRow
from dlm_snn.errors import DlmError
from dlm_snn.files.own_files import OwnFile
from dlm_snn.learning.making import checked_options, learner_file, maker, takes_any
from dlm_snn.tasks.protocols import named_protocol, protocol
from experiments.harness.rows import key_of


@dataclass(frozen=True)
class Entry:
    """One line of a table: a learner with its options in a protocol, over all seeds.

    Attributes:
        protocol: short or full name.
        learner: name of an entry point of the group dlm_snn.learners; or FILE.py:NAME, a class or function there.
        options: of the learner; what is left out is its own default.
    """

    protocol: str
    learner: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """One learner in one protocol with one seed; made by ``cells``.

    Attributes:
        variant: what the table calls it.
        protocol: short name.
        learner, options: which, all options spelled out, unless the learner takes any (``open``).
        own: the learner's file with its content, where it is no entry point: so that it comes with the cell to any
            process.
        seed: of classes, order of samples, hold-out of a one-pool dataset, and the learner's own draws.
        validation: held-out training data take the place of the test set: for choosing options, never for results.
        joint: R's row i comes from a fresh learner that saw tasks 0..i shuffled together; for excess forgetting.
        open: the learner takes any option, and the options are only those that were given.
    """

    variant: str
    protocol: str
    learner: str
    options: Mapping[str, Any]
    seed: int
    validation: bool = False
    joint: bool = False
    open: bool = False
    own: OwnFile | None = None

    @property
    def key(self) -> str:
        """What decides the figures, hashed: neither the variant's name nor the place of the data.

        Options that are None, where all are spelled out, and fields of the protocol that have their default, count as
        not there: so that a new one leaves the rows before it as they are. Where only given options are known, a None
        is one that was given and is no default.
        """
        told = protocol(self.protocol)
        values = {
            "protocol": {f.name: getattr(told, f.name) for f in fields(told) if getattr(told, f.name) != f.default},
            "learner": self.learner,
            "options": {name: value for name, value in self.options.items() if value is not None or self.open},
            "seed": self.seed,
            "validation": self.validation,
            "joint": self.joint,
        }
        if self.own is not None:
            values["sha256"] = self.own.sha256
        return key_of(values)

    @property
    def settings(self) -> tuple[str, str, str]:
        """What a refusal is about: these options are wrong with every seed."""
        return (self.protocol, self.learner, json.dumps(dict(self.options), sort_keys=True, default=str))

    @property
    def file(self) -> str:
        """Name of the results file: one a protocol, and another for validation."""
        return f"continual-{self.protocol.replace('/', '-')}{'-validation' if self.validation else ''}.jsonl"

    def __str__(self) -> str:
        form = ", joint" if self.joint else ""
        return f"{self.protocol}, {self.variant}{form}, seed {self.seed}"


def cells(
    entries: Mapping[str, Entry], seeds: Iterable[int], validation: bool = False, joint: bool = False
) -> list[Cell]:
    """The cells of a table, seed by seed, so that a table that is cut short has few seeds of every line.

    Args:
        entries: variant -> entry.
        seeds: of every variant.
        validation: see Cell.
        joint: with each cell also its joint one.

    Raises:
        DlmError: no such protocol, learner or option, a value of the wrong type, or a seed below 0.
    """
    seeds = list(seeds)
    if not seeds or min(seeds) < 0:
        raise DlmError(f"seeds {seeds}: at least one, and none below 0")
    lines = [_line(variant, entry, validation) for variant, entry in entries.items()]
    forms = (False, True) if joint else (False,)
    return [replace(line, seed=seed, joint=form) for seed in seeds for line in lines for form in forms]


def _line(variant: str, entry: Entry, validation: bool) -> Cell:
    """What all cells of an entry share; a learner's file is read once."""
    protocol, own = short_name(entry.protocol), learner_file(entry.learner)
    learner = entry.learner if own is None else own
    options = checked_options(learner, entry.options)
    return Cell(
        variant, protocol, str(learner), options, seed=0, validation=validation, open=takes_any(maker(learner)), own=own
    )


def short_name(name: str) -> str:
    """The short name of a protocol, by which files are called.

    Raises:
        DlmError: no such protocol.
    """
    return named_protocol(name)[0]


def expected_minutes(cell: Cell, rows: Iterable[ContinualRow]) -> float | None:
    """Median of earlier rows: of the same options, else of the same learner; None where there are none."""
    of_learner = [row for row in rows if row.learner == cell.learner and row.joint == cell.joint]
    same = [row for row in of_learner if row.options == json.loads(json.dumps(dict(cell.options), default=str))]
    minutes = [row.figures.minutes for row in same or of_learner]
    return median(minutes) if minutes else None
