"""A learner through a sequence of tasks: taught one after another, and tested on all so far after each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from dlm_snn.continual.row import Told
from dlm_snn.errors import DlmError
from dlm_snn.learning.learner import Learner, Setting
from dlm_snn.tasks.protocols import Protocol
from dlm_snn.tasks.sequences import Task, TaskSequence
from dlm_snn.values import slices

CHUNK = 100
"""Samples that a learner observes in one call; what it learns must not hang on it."""
TEST_CHUNK = 2500
"""Samples that a learner is asked for in one call."""
_PASS, _JOINT = 4, 5
"""Streams of random numbers; 0 to 2 are those of TaskSequence, and 3 is the learner's own in the harness."""

TestSet = tuple[tuple[int, ...], NDArray[np.uint8], NDArray[np.int64]]


@dataclass
class Course:
    """What is measured on the way.

    Attributes:
        learner: that was tested last.
        told: what it was told.
        matrix: R, (task, task); NaN where nothing was tested.
        seconds: of training and of tests.
        unanswered: share of test samples without a class after the last task.
    """

    learner: Learner
    told: Told
    matrix: NDArray[np.float64]
    seconds: dict[str, float] = field(default_factory=lambda: {"training": 0.0, "test": 0.0})
    unanswered: float = 0.0

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Add the time of a block to ``seconds``."""
        start = perf_counter()
        yield
        self.seconds[stage] += perf_counter() - start


def setting_of(tasks: TaskSequence) -> Setting:
    """What a learner may know of a sequence before its first sample."""
    data = tasks.data.dataset
    return Setting(data.shape, data.graded_bits, data.scale, data.n_classes, tasks.n_tasks)


def learn_tasks(
    learner: Learner,
    tasks: TaskSequence,
    *,
    name: str | None = None,
    at_once: bool | None = None,
    samples: int | None = None,
) -> Course:
    """Teach a learner task after task and test it on all so far after each; or all at once, tested once, a ceiling.

    Args:
        learner: a fresh one.
        tasks: in their order.
        name: what messages call the learner; None: its class.
        at_once: all tasks shuffled together; None: where the learner declares ``joint``.
        samples: of each task, only the first so many; None: all.

    Raises:
        DlmError: a learner that must be told what the protocol does not tell, or that does not answer as it should.
    """
    course = _begun(learner, tasks, name)
    if learner.declaration.joint if at_once is None else at_once:
        together = list(tasks)
        _teach(course, _together(together, tasks.seed), tasks, len(together) - 1)
        _test(course, [_test_set(task) for task in together])
        return course
    tests: list[TestSet] = []
    for index, task in enumerate(tasks):
        _teach(course, task, tasks, index, samples)
        tests.append(_test_set(task))
        _test(course, tests)
    return course


def learn_jointly(fresh: Callable[[], Learner], tasks: TaskSequence, *, name: str | None = None) -> Course:
    """For each row of R a fresh learner that sees all tasks so far at once: what more classes alone cost.

    Args:
        fresh: makes a learner.
        tasks: in their order.
        name: what messages call the learner; None: its class.

    Raises:
        DlmError: see ``learn_tasks``.
    """
    first = fresh()
    if first.declaration.joint:
        return learn_tasks(first, tasks, name=name)
    course = _begun(first, tasks, name)
    seen: list[Task] = []
    for index, task in enumerate(tasks):
        seen.append(task)
        course.learner = fresh()
        _teach(course, _together(seen, tasks.seed), tasks, index)
        _test(course, [_test_set(t) for t in seen])
    return course


def taught(learner: Learner, tasks: TaskSequence, *, samples: int | None = None) -> Iterator[Task]:
    """Each task after a learner was taught it: for whoever looks at something else than answers to tests.

    Args:
        learner: a fresh one.
        tasks: in their order.
        samples: of each task, only the first so many; None: all.

    Raises:
        DlmError: see ``learn_tasks``.
    """
    course = _begun(learner, tasks, None)
    for index, task in enumerate(tasks):
        _teach(course, task, tasks, index, samples)
        yield task


def _begun(learner: Learner, tasks: TaskSequence, name: str | None) -> Course:
    name = type(learner).__name__ if name is None else name
    told = Told(boundary=_boundary(learner, name), label_at_test=_label(learner, tasks.protocol, name))
    return Course(learner, told, np.full((tasks.n_tasks, tasks.n_tasks), np.nan))


def _boundary(learner: Learner, name: str) -> bool:
    """Whether the learner is told where tasks begin: where it declares it, whatever the protocol tells others.

    Trained on all tasks at once it is told of that one beginning.
    """
    if learner.declaration.boundary and not hasattr(learner, "begin_task"):
        raise DlmError(f"learner '{name}' declares boundaries and has no begin_task; it needs one")
    return learner.declaration.boundary


def _label(learner: Learner, protocol: Protocol, name: str) -> bool:
    """Whether the learner is told the task of a test sample: where the protocol tells it and the learner takes it."""
    if protocol.label_at_test and learner.declaration.label_at_test:
        return True
    needed = list(inspect.signature(learner.predict).parameters.values())[1:]
    if any(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in needed):
        raise DlmError(
            f"learner '{name}' must be told the task of a test sample, which {protocol.name} does not tell; "
            "choose a protocol such as P6"
        )
    return False


def _together(tasks: Sequence[Task], seed: int) -> Task:
    x, y = (np.concatenate([getattr(task, part) for task in tasks]) for part in ("x_train", "y_train"))
    order = np.random.default_rng([seed, _JOINT, len(tasks)]).permutation(len(y))
    return Task(tuple(sorted({c for t in tasks for c in t.classes})), x[order], y[order], x[:0], y[:0])


def _test_set(task: Task) -> TestSet:
    return task.classes, task.x_test, task.y_test


def _teach(course: Course, task: Task, tasks: TaskSequence, index: int, samples: int | None = None) -> None:
    """Samples in chunks, as often as the protocol has passes, after the first in a fresh order."""
    learner = course.learner
    with course.timing("training"):
        if course.told.boundary:
            learner.begin_task(task.classes)  # type: ignore[attr-defined]
        for turn in range(tasks.protocol.passes):
            order = np.arange(len(task.y_train))[:samples]
            if turn:
                order = np.random.default_rng([tasks.seed, _PASS, index, turn]).permutation(order)
            for part in slices(len(order), CHUNK):
                learner.observe(task.x_train[order[part]], task.y_train[order[part]])


def _test(course: Course, tests: Sequence[TestSet]) -> None:
    """Fill the row of R that belongs to so many tasks."""
    learner = course.learner
    silent = total = 0
    with course.timing("test"):
        for task, (classes, x, y) in enumerate(tests):
            answers = [
                learner.predict(x[part], classes) if course.told.label_at_test else learner.predict(x[part])  # type: ignore[call-arg]
                for part in slices(len(y), TEST_CHUNK)
            ]
            answer = np.concatenate(answers)
            if answer.shape != y.shape:
                raise DlmError(
                    f"a learner that answers {answer.shape} to {len(y)} samples; one class a sample is wanted"
                )
            course.matrix[len(tests) - 1, task] = np.mean(answer == y)
            silent += np.count_nonzero(answer < 0)
            total += len(y)
        course.unanswered = float(silent / total)
