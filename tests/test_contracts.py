"""Rows as types: what they hold, what decides them, and that nobody else writes their keys as strings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlm_snn.continual.row import ContinualRow
from dlm_snn.errors import DlmError

RESULTS = Path(__file__).resolve().parent.parent / "experiments" / "results"


def lines_of(pattern: str) -> list[str]:
    found = [line for path in sorted(RESULTS.glob(pattern)) for line in path.read_text("utf-8").splitlines()]
    assert found
    return found


def test_committed_rows_come_back_as_they_are_to_the_letter():
    for line in lines_of("continual-*.jsonl"):
        assert json.dumps(ContinualRow.from_json(json.loads(line)).to_json()) == line


def test_rows_of_before_and_of_later_load_and_come_back():
    row = json.loads(lines_of("continual-P2.jsonl")[0])
    del row["versions"], row["figures"]["unanswered"]
    row |= {"new": [1], "figures": {**row["figures"], "auc": 0.5}}
    row["declaration"] = {**row["declaration"], "energy": None}
    made = ContinualRow.from_json(row)
    assert made.versions is made.figures.unanswered is None
    assert made.extra == {"new": [1], "figures": {"auc": 0.5}, "declaration": {"energy": None}}
    assert made.to_json() == row


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"seed": "0"}, "a row: 'seed' is \"0\", where a whole number is wanted"),
        ({"figures": {}}, "a row: 'figures.matrix' is missing"),
        ({"told": {"boundary": 1}}, "'told.boundary' is 1, where true or false is wanted"),
        ({"declaration": {}}, "'declaration.front_end' is missing"),
    ],
)
def test_rows_of_another_kind_are_one_line(change, line):
    row = json.loads(lines_of("continual-P2.jsonl")[0])
    with pytest.raises(DlmError, match=line):
        ContinualRow.from_json({**row, **change})
