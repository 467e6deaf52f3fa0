"""Figures of continual learning against numbers computed by hand, and what must hold for any matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from dlm_snn.continual.figures import continual_figures, excess_forgetting, matrix_csv, paired
from dlm_snn.errors import DlmError

NAN = float("nan")
BY_HAND = [
    [0.9, NAN, NAN],
    [0.95, 0.8, NAN],
    [0.6, 0.85, 0.7],
]


@st.composite
def matrices(draw):
    n = draw(st.integers(2, 7))
    values = draw(st.lists(st.integers(0, 64), min_size=n * n, max_size=n * n))
    r = np.array(values, float).reshape(n, n) / 64
    r[np.triu_indices(n, 1)] = NAN
    return r


def test_figures_by_hand():
    figures = continual_figures(BY_HAND)
    assert figures.acc == pytest.approx((0.6 + 0.85 + 0.7) / 3)
    # task 0: best of .9, .95 is .95; task 1: only .8 stands before the last row, which gained .05
    assert figures.forgetting == pytest.approx(((0.95 - 0.6) + (0.8 - 0.85)) / 2)
    assert figures.bwt == pytest.approx(((0.6 - 0.9) + (0.85 - 0.8)) / 2)
    assert figures.la == pytest.approx((0.9 + 0.8 + 0.7) / 3)


def test_a_single_task_has_no_forgetting():
    figures = continual_figures([[0.75]])
    assert (figures.acc, figures.la) == (0.75, 0.75)
    assert np.isnan([figures.forgetting, figures.bwt]).all()


def test_a_learner_of_all_tasks_at_once_has_accuracy_alone():
    figures = continual_figures([[None, None], [0.5, 0.75]])
    assert figures.acc == 0.625
    assert np.isnan([figures.forgetting, figures.bwt, figures.la]).all()


@given(matrices())
def test_forgetting_is_at_least_what_backward_transfer_lost(r):
    """max_{i in j..} R[i, j] >= R[j, j]."""
    figures = continual_figures(r)
    assert figures.forgetting >= -figures.bwt - 1e-12
    assert -1 <= figures.forgetting <= 1


@given(matrices())
def test_accuracy_learning_and_transfer_are_one_account(r):
    """T ACC = T LA + (T - 1) BWT: the last task is neither gained nor lost."""
    figures = continual_figures(r)
    n = len(r)
    assert n * figures.acc == pytest.approx(n * figures.la + (n - 1) * figures.bwt)


@given(matrices(), st.integers(0, 2**31))
def test_a_matrix_whose_columns_stay_forgets_nothing(r, seed):
    n = len(r)
    held = np.where(np.isnan(r), NAN, np.random.default_rng(seed).integers(0, 65, n) / 64)
    figures = continual_figures(held)
    assert figures.forgetting == figures.bwt == 0
    assert figures.acc == pytest.approx(figures.la)


@given(matrices())
def test_excess_forgetting_is_the_difference(r):
    assert excess_forgetting(r, r) == 0
    constant = np.where(np.isnan(r), NAN, 0.5)
    assert excess_forgetting(r, constant) == pytest.approx(continual_figures(r).forgetting)


@given(matrices())
def test_csv_reads_back_equal(r):
    heading, *lines = matrix_csv(r).splitlines()
    assert heading.split(",") == ["after task", *(f"task {j}" for j in range(len(r)))]
    back = [[float(cell) if cell else NAN for cell in line.split(",")] for line in lines]
    np.testing.assert_array_equal(np.array(back)[:, 1:], r)
    assert [row[0] for row in back] == list(range(len(r)))


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[0.5, 0.5]], "has a row and a column a task"),
        ([[]], "has a row and a column a task"),
        ([[1.5]], r"values 1\.5\.\.1\.5"),
        ([[0.5, 0.1], [0.5, 0.5]], "above the diagonal"),
        ([[0.5, NAN], [NAN, 0.5]], "last row has a gap"),
    ],
)
def test_what_is_no_accuracy_matrix(matrix, words):
    with pytest.raises(DlmError, match=words):
        continual_figures(matrix)


def test_matrices_of_one_length_are_compared():
    with pytest.raises(DlmError, match="of 1 and 3 tasks"):
        excess_forgetting([[0.5]], BY_HAND)


def test_pairs_by_hand():
    """Differences 1, 2, 3, 4, 5, 6, all of one sign: of 2^6 signs 2 are as extreme, p = 2 / 64."""
    found = paired([11, 22, 33, 44, 55, 66], [10, 20, 30, 40, 50, 60])
    assert found.mean == 3.5
    assert found.half == pytest.approx(2.570582 * np.std([1, 2, 3, 4, 5, 6], ddof=1) / np.sqrt(6), rel=1e-6)
    assert found.p == pytest.approx(2 / 64)


def test_pairs_use_what_seeds_have_in_common():
    rng = np.random.default_rng(0)
    seed = rng.normal(0, 10, 8)
    a, b = seed + 1 + rng.normal(0, 0.1, 8), seed
    found = paired(a, b)
    interval = ttest_rel(a, b).confidence_interval(0.95)
    assert (found.mean - found.half, found.mean + found.half) == pytest.approx((interval.low, interval.high))
    assert found.half < 0.2


def test_few_pairs_and_equal_ones_have_no_p():
    assert paired([1, 2, 3, 4, 5], [0, 0, 0, 0, 0]).p is None
    assert paired([1] * 8, [1] * 8).p is None
    single = paired([2.0], [1.0])
    assert (single.n, single.mean) == (1, 1.0)
    assert np.isnan(single.half)


def test_pairs_must_be_pairs():
    with pytest.raises(DlmError, match="2 values against 3"):
        paired([1, 2], [1, 2, 3])
    with pytest.raises(DlmError, match="0 values"):
        paired([], [])
