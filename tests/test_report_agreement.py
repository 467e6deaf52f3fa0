"""The agreement of simulators on the page: a matrix, what differs unfolded, what is equal folded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dlm_snn.report import agreement
from dlm_snn.report.page import template
from dlm_snn.runs.run_metrics import Agreement, RunMetrics

LABELS = {"float": "float", "integer": "8-bit"}
EQUAL = Agreement("float", "a", "b", 40, {"hidden": (9, 9, 0)}, ties=0, equal=True, text="equal")
PAIRS = (
    EQUAL,
    replace(EQUAL, second="c", ties=1, text="equal (1 of 40 samples set aside)"),
    replace(EQUAL, first="b", second="c", equal=False, spikes={"hidden": (9, 8, 1)}, text="1 spike differs"),
    replace(EQUAL, network="integer", equal=None, text=None),
)


def test_every_pair_stands_once_in_the_matrix_of_its_network():
    floats, integers = agreement.matrices(RunMetrics(agreement=PAIRS), LABELS)
    assert (floats.network, list(floats.names)) == ("float", ["a", "b", "c"])
    assert [[cell.symbol for cell in row] for row in floats.rows] == [["="], ["≈", "≠"]]
    assert [[cell.told for cell in row] for row in floats.rows] == [
        ["a and b: equal"],
        ["a and c: equal, 1 ties", "b and c: differ"],
    ]
    assert (integers.network, [[cell.verdict for cell in row] for row in integers.rows]) == ("8-bit", [["open"]])


def test_a_pair_that_is_not_there_was_not_compared_and_the_order_of_two_says_nothing():
    rows = (EQUAL, replace(EQUAL, first="c", second="a", equal=False))
    (found,) = agreement.matrices(RunMetrics(agreement=rows), LABELS)
    assert list(found.names) == ["a", "b", "c"]
    assert [[cell.verdict for cell in row] for row in found.rows] == [["equal"], ["differs", "open"]]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((EQUAL,), "1 of 1 pairs equal over 40 samples."),
        (PAIRS, "2 of 3 pairs equal over 40 samples (1 with ties; 1 more not compared)."),
        ((EQUAL, replace(EQUAL, samples=1000)), "2 of 2 pairs equal over 40 or 1,000 samples."),
        ((replace(EQUAL, samples=None),), "1 of 1 pairs equal."),
        (PAIRS[3:], "No pair was compared."),
    ],
)
def test_the_sentence_counts_pairs_and_samples(rows, words):
    assert agreement.sentence(RunMetrics(agreement=rows)) == words


def test_symbols_differ_from_one_another_so_that_color_is_not_needed():
    assert len(set(agreement.SYMBOLS.values())) == len(agreement.SYMBOLS)


def test_what_is_not_equal_is_to_be_looked_at():
    looked, folded = agreement.pairs(PAIRS, LABELS)
    assert [pair.row.text for pair in looked] == ["1 spike differs", None]
    assert [list(pair.remarks) for pair in folded] == [[], ["equal (1 of 40 samples set aside)"]]


def test_names_of_simulators_cannot_become_markup():
    rows = (replace(EQUAL, first="<script>", second='"><b>'),)
    (found,) = agreement.matrices(RunMetrics(agreement=rows), LABELS)
    text = str(template("agreement.html").module.matrix(found, agreement.SYMBOLS))
    assert "<script>" not in text
    assert "<b>" not in text
