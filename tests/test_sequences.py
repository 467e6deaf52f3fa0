"""Task sequences: every sample once, by class or permuted, in an order that the seed decides."""

import numpy as np
import pytest

from dlm_snn.errors import DlmError
from dlm_snn.tasks.parts import DataConfig, Split, split
from dlm_snn.tasks.protocols import PROTOCOLS, Protocol, protocol
from dlm_snn.tasks.sequences import TaskSequence


@pytest.fixture(scope="module")
def digits() -> Split:
    return split(DataConfig(dataset="digits"))


def rows(x: np.ndarray) -> list[bytes]:
    return sorted(row.tobytes() for row in x)


def test_split_tasks_hold_every_sample_once(digits):
    tasks = list(TaskSequence(protocol("digits"), digits, seed=3))
    assert sorted(c for task in tasks for c in task.classes) == list(range(10))
    assert rows(np.concatenate([task.x_train for task in tasks])) == rows(digits.x_train)
    assert rows(np.concatenate([task.x_test for task in tasks])) == rows(digits.x_test)
    for task in tasks:
        assert set(task.y_train) == set(task.y_test) == set(task.classes)


def test_the_seed_decides_classes_and_order(digits):
    first, again, other = (TaskSequence(protocol("digits"), digits, seed) for seed in (0, 0, 1))
    assert first.class_order == again.class_order != other.class_order
    assert np.array_equal(first.task(1).x_train, again.task(1).x_train)
    assert not np.array_equal(np.sort(first.task(0).y_train), first.task(0).y_train)


def test_a_protocol_may_keep_the_order_of_the_classes(digits):
    ordered = Protocol("ordered", "digits", "split", 5, random_order=False)
    assert [task.classes for task in TaskSequence(ordered, digits, 7)] == [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]


def test_permuted_tasks_keep_classes_and_move_features_alike(digits):
    permuted = Protocol("permuted", "digits", "permuted", 3, scenario="domain")
    first, second, third = TaskSequence(permuted, digits, 0)
    assert np.array_equal(first.x_test, digits.x_test)
    assert np.array_equal(np.sort(second.x_test, axis=1), np.sort(first.x_test, axis=1))
    assert not np.array_equal(second.x_test, first.x_test)
    assert not np.array_equal(second.x_test, third.x_test)
    moved = [np.flatnonzero((second.x_test == column[:, None]).all(axis=0)) for column in first.x_test.T]
    assert all(found.size for found in moved)
    assert np.array_equal(second.x_train.sum(axis=0)[moved[20]], first.x_train.sum(axis=0)[[20]])


def test_protocols_have_names_of_their_own():
    assert len({p.name for p in PROTOCOLS.values()}) == len(PROTOCOLS)
    assert protocol("split-mnist/class/online") is protocol("P2")
    with pytest.raises(DlmError, match="no protocol 'P7'"):
        protocol("P7")


def test_classes_must_divide(digits):
    with pytest.raises(DlmError, match="has 3 tasks, and digits 10 classes"):
        TaskSequence(Protocol("three", "digits", "split", 3), digits, 0)
