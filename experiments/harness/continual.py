"""One cell of a continual experiment: a learner goes through a sequence of tasks and is tested after each."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.continual.figures import continual_figures
from dlm_snn.errors import DlmError
from dlm_snn.learning.learner import Learner, Setting
from dlm_snn.learning.making import make_learner
from dlm_snn.provenance import installed_versions, origin
from dlm_snn.tasks.protocols import Protocol, protocol
from dlm_snn.tasks.sequences import Task, TaskSequence
from dlm_snn.tasks.split import DataConfig, Split, hold_out, split
from experiments.harness.cells import Cell

CHUNK = 100
"""Samples that a learner observes in one call; what it learns must not hang on it."""
TEST_CHUNK = 2500
"""Samples that a learner is asked for in one call."""
VALIDATION_SAMPLES = 5000
VALIDATION_SHARE = 0.2
"""Of the training part, held out for choosing options: so many samples, or this share where that is fewer."""
_LEARNER, _PASS, _JOINT = 3, 4, 5
"""Streams of random numbers; 0 to 2 are those of TaskSequence."""

TestSet = tuple[tuple[int, ...], NDArray[np.uint8], NDArray[np.int64]]


@dataclass
class Course:
    """What is measured on the way.

    Attributes:
        matrix: R, (task, task).
        seconds: of training and of tests.
        unanswered: share of test samples without a class after the last task.
    """

    matrix: NDArray[np.float64]
    seconds: dict[str, float] = field(default_factory=lambda: {"training": 0.0, "test": 0.0})
    unanswered: float = 0.0


def run_cell(cell: Cell, data_dir: Path | None = None) -> dict[str, Any]:
    """Run one cell.

    Args:
        cell: which.
        data_dir: where the dataset lies; None: $DLM_DATA, then the cache.

    Returns:
        its row of results, plain data; see docs/continual.md.

    Raises:
        DlmError: data that are not there, or options that the learner refuses.
    """
    told = protocol(cell.protocol)
    sequence = TaskSequence(told, _data(cell, told, data_dir), cell.seed)
    first = _fresh(cell, sequence)
    with_boundary = _boundary(cell, first)
    with_label = _label(cell, told, first)
    course = Course(np.full((sequence.n_tasks, sequence.n_tasks), np.nan))
    if first.declaration.joint:
        learner = _at_once(first, sequence, course, with_boundary, with_label)
    elif cell.joint:
        learner = _joint(cell, sequence, course, with_boundary, with_label)
    else:
        learner = _one_by_one(first, sequence, course, with_boundary, with_label)
    return _row(cell, told, learner, course, with_boundary, with_label)


def _data(cell: Cell, told: Protocol, data_dir: Path | None) -> Split:
    parts = split(DataConfig(dataset=told.dataset, data_dir=data_dir, split_seed=cell.seed))
    if not cell.validation:
        return parts
    n = len(parts.y_train)
    share = min(VALIDATION_SAMPLES / n, VALIDATION_SHARE)
    return hold_out(parts, share, np.random.default_rng(cell.seed))


def _fresh(cell: Cell, sequence: TaskSequence) -> Learner:
    data = sequence.data.dataset
    setting = Setting(data.shape, data.graded_bits, data.scale, data.n_classes, sequence.n_tasks)
    return make_learner(cell.learner, setting, np.random.default_rng([cell.seed, _LEARNER]), cell.options)


def _boundary(cell: Cell, learner: Learner) -> bool:
    """Whether the learner is told where tasks begin: where it declares it, whatever the protocol tells others.

    Trained on all tasks at once it is told of that one beginning.
    """
    if learner.declaration.boundary and not hasattr(learner, "begin_task"):
        raise DlmError(f"learner '{cell.learner}' declares boundaries and has no begin_task; it needs one")
    return learner.declaration.boundary


def _label(cell: Cell, told: Protocol, learner: Learner) -> bool:
    """Whether the learner is told the task of a test sample: where the protocol tells it and the learner takes it."""
    if told.label_at_test and learner.declaration.label_at_test:
        return True
    needed = list(inspect.signature(learner.predict).parameters.values())[1:]
    if any(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in needed):
        raise DlmError(
            f"learner '{cell.learner}' must be told the task of a test sample, which {told.name} does not tell; "
            "choose a protocol such as P6"
        )
    return False


def _one_by_one(learner: Learner, sequence: TaskSequence, course: Course, boundary: bool, label: bool) -> Learner:
    """Task after task, tested on all so far after each."""
    tests: list[TestSet] = []
    for index, task in enumerate(sequence):
        _train(learner, task, sequence, index, course, boundary)
        tests.append((task.classes, task.x_test, task.y_test))
        _test(learner, tests, index, course, label)
    return learner


def _joint(cell: Cell, sequence: TaskSequence, course: Course, boundary: bool, label: bool) -> Learner:
    """For each row a learner that saw all tasks so far at once."""
    tasks: list[Task] = []
    for index, task in enumerate(sequence):
        tasks.append(task)
        learner = _fresh(cell, sequence)
        _train(learner, _together(tasks, sequence.seed), sequence, index, course, boundary)
        _test(learner, [(t.classes, t.x_test, t.y_test) for t in tasks], index, course, label)
    return learner


def _at_once(learner: Learner, sequence: TaskSequence, course: Course, boundary: bool, label: bool) -> Learner:
    """A ceiling: all tasks shuffled together, tested once."""
    tasks = list(sequence)
    last = len(tasks) - 1
    _train(learner, _together(tasks, sequence.seed), sequence, last, course, boundary)
    _test(learner, [(t.classes, t.x_test, t.y_test) for t in tasks], last, course, label)
    return learner


def _together(tasks: list[Task], seed: int) -> Task:
    x, y = (np.concatenate([getattr(task, part) for task in tasks]) for part in ("x_train", "y_train"))
    order = np.random.default_rng([seed, _JOINT, len(tasks)]).permutation(len(y))
    return Task(tuple(sorted({c for t in tasks for c in t.classes})), x[order], y[order], x[:0], y[:0])


def _train(learner: Learner, task: Task, sequence: TaskSequence, index: int, course: Course, boundary: bool) -> None:
    """All samples in chunks, as often as the protocol has passes, after the first in a fresh order."""
    start = perf_counter()
    if boundary:
        learner.begin_task(task.classes)  # type: ignore[attr-defined]
    for turn in range(sequence.protocol.passes):
        order = np.arange(len(task.y_train))
        if turn:
            order = np.random.default_rng([sequence.seed, _PASS, index, turn]).permutation(order)
        for part in _chunks(len(order), CHUNK):
            learner.observe(task.x_train[order[part]], task.y_train[order[part]])
    course.seconds["training"] += perf_counter() - start


def _test(learner: Learner, tests: list[TestSet], index: int, course: Course, label: bool) -> None:
    """Fill row ``index`` of R."""
    start = perf_counter()
    silent = total = 0
    for task, (classes, x, y) in enumerate(tests):
        answers = [
            learner.predict(x[part], classes) if label else learner.predict(x[part])  # type: ignore[call-arg]
            for part in _chunks(len(y), TEST_CHUNK)
        ]
        answer = np.concatenate(answers)
        if answer.shape != y.shape:
            raise DlmError(f"a learner that answers {answer.shape} to {len(y)} samples; one class a sample is wanted")
        course.matrix[index, task] = np.mean(answer == y)
        silent += np.count_nonzero(answer < 0)
        total += len(y)
    course.unanswered = float(silent / total)
    course.seconds["test"] += perf_counter() - start


def _chunks(n: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, n, size))


def _row(cell: Cell, told: Protocol, learner: Learner, course: Course, boundary: bool, label: bool) -> dict[str, Any]:
    figures, info = continual_figures(course.matrix), learner.info()
    return plain(
        {
            "protocol": told.name,
            "variant": cell.variant,
            "learner": cell.learner,
            "options": dict(cell.options),
            "seed": cell.seed,
            "validation": cell.validation,
            "joint": cell.joint,
            "config": cell.key,
            **origin(info.get("device")),
            "versions": {name: v for name, v in installed_versions().items() if name in ("numpy", "torch")},
            "declaration": asdict(learner.declaration),
            "told": {"boundary": boundary, "label_at_test": label},
            "beyond_protocol": ["boundary"] if boundary and not told.boundary else [],
            "figures": {
                "matrix": course.matrix,
                "acc": figures.acc,
                "forgetting": figures.forgetting,
                "bwt": figures.bwt,
                "la": figures.la,
                "unanswered": course.unanswered,
                "seconds": {stage: round(seconds, 3) for stage, seconds in course.seconds.items()},
            },
            "info": info,
        }
    )


def plain(value: Any) -> Any:
    """The value as JSON has it: arrays as lists, NaN as None, tuples as lists, anything else unknown as its text."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, (str, int)) or value is None else str(value)
