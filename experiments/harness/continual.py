"""One cell of a continual experiment: a learner goes through a sequence of tasks and is tested after each."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from dlm_snn.continual.course import Course, learn_jointly, learn_tasks, setting_of
from dlm_snn.continual.row import ContinualRow, RowFigures
from dlm_snn.learning.learner import Learner
from dlm_snn.learning.making import make_learner
from dlm_snn.provenance import installed_versions, origin
from dlm_snn.tasks.parts import DataConfig, Split, hold_out, split
from dlm_snn.tasks.protocols import Protocol, protocol
from dlm_snn.tasks.sequences import TaskSequence
from experiments.harness.cells import Cell
from experiments.harness.rows import plain

VALIDATION_SAMPLES = 5000
VALIDATION_SHARE = 0.2
"""Of the training part, held out for choosing options: so many samples, or this share where that is fewer."""
LEARNER = 3
"""The learner's own stream of random numbers; 0 to 2 are those of TaskSequence, 4 and 5 of ``course``."""


def run_cell(cell: Cell, data_dir: Path | None = None) -> ContinualRow:
    """Run one cell.

    Args:
        cell: which.
        data_dir: where the dataset lies; None: $DLM_DATA, then the cache.

    Returns:
        its row of results; see docs/continual.md.

    Raises:
        DlmError: data that are not there, or options that the learner refuses.
    """
    told = protocol(cell.protocol)
    tasks = TaskSequence(told, _data(cell, told, data_dir), cell.seed)
    fresh = partial(_fresh, cell, tasks)
    learn = partial(learn_jointly, fresh) if cell.joint else partial(learn_tasks, fresh())
    return _row(cell, told, learn(tasks, name=cell.learner))


def _data(cell: Cell, told: Protocol, data_dir: Path | None) -> Split:
    parts = split(DataConfig(dataset=told.dataset, data_dir=data_dir, split_seed=cell.seed))
    if not cell.validation:
        return parts
    n = len(parts.y_train)
    share = min(VALIDATION_SAMPLES / n, VALIDATION_SHARE)
    return hold_out(parts, share, np.random.default_rng(cell.seed))


def _fresh(cell: Cell, tasks: TaskSequence) -> Learner:
    return make_learner(
        cell.own or cell.learner, setting_of(tasks), np.random.default_rng([cell.seed, LEARNER]), cell.options
    )


def _versions(cell: Cell) -> dict[str, str]:
    """Of what the figures hang on; a learner's own file has its SHA-256."""
    versions = {name: version for name, version in installed_versions().items() if name in ("numpy", "torch")}
    return versions if cell.own is None else {**versions, cell.own.path.name: cell.own.sha256}


def _row(cell: Cell, told: Protocol, course: Course) -> ContinualRow:
    info = course.learner.info()
    return ContinualRow(
        protocol=told.name,
        variant=cell.variant,
        learner=cell.learner,
        options=plain(cell.options),
        seed=cell.seed,
        validation=cell.validation,
        joint=cell.joint,
        config=cell.key,
        **origin(info.get("device")),
        versions=_versions(cell),
        declaration=course.learner.declaration,
        told=course.told,
        beyond_protocol=("boundary",) if course.told.boundary and not told.boundary else (),
        figures=RowFigures.of(course.matrix, course.unanswered, course.seconds),
        info=plain(info),
    )
