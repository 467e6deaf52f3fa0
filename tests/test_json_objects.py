"""Dataclasses as JSON objects: kinds from annotations, what files of before lack, and what is not known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from dlm_snn.errors import DlmError
from dlm_snn.files.json_objects import as_json, from_json, kind_of


@dataclass(frozen=True)
class Inner:
    share: float
    later: int | None = None


@dataclass(frozen=True)
class Item:
    name: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outer:
    inner: Inner
    table: tuple[tuple[float | None, ...], ...]
    items: tuple[Item, ...]
    by_name: Mapping[str, Item]
    free: Mapping[str, Any]
    note: str | None
    maybe: Inner | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


CONTENT = {
    "inner": {"share": 0.5, "later": 3},
    "table": [[1, None], [0.5, 2.0]],
    "items": [{"name": "a"}],
    "by_name": {"b": {"name": "c"}},
    "free": {"x": [1, {"y": None}]},
    "note": None,
    "maybe": {"share": 1},
}


def test_there_and_back_is_the_same_text():
    made = from_json(Outer, CONTENT, "it")
    assert (made.inner, made.table, made.items) == (Inner(0.5, 3), ((1, None), (0.5, 2.0)), (Item("a"),))
    assert json.dumps(as_json(made)) == json.dumps(CONTENT)


def test_what_may_be_missing_is_left_out_again():
    few = {**CONTENT, "inner": {"share": 0.5}}
    del few["maybe"]
    made = from_json(Outer, few, "it")
    assert (made.inner.later, made.maybe) == (None, None)
    assert json.dumps(as_json(made)) == json.dumps(few)


def test_what_is_not_known_survives_at_every_depth():
    more = {**CONTENT, "inner": {**CONTENT["inner"], "p": 1}, "items": [{"name": "a", "q": {"z": 2}}], "extra": 5}
    more["by_name"] = {"b": {"name": "c", "r": []}}
    made = from_json(Outer, more, "it")
    assert made.extra == {"inner": {"p": 1}, "extra": 5}
    assert as_json(made) == more


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"inner": {}}, "it: 'inner.share' is missing; do this"),
        ({"inner": {"share": "x"}}, "it: 'inner.share' is \"x\", where a number is wanted; do this"),
        ({"inner": {"share": True}}, "where a number is wanted"),
        ({"table": [[None], ["x"]]}, r"'table\[1\]\[0\]' is \"x\", where a number or null is wanted"),
        ({"items": [{"name": 3}]}, r"'items\[0\].name' is 3, where a text"),
        ({"by_name": {"b": {}}}, "'by_name.b.name' is missing"),
        ({"free": []}, r"'free' is \[\], where an object"),
        ({"maybe": {"share": None}}, "'maybe.share' is null, where a number"),
        ({"note": 1}, "'note' is 1, where a text or null"),
    ],
)
def test_values_of_another_kind_are_one_line(change, line):
    with pytest.raises(DlmError, match=line):
        from_json(Outer, {**CONTENT, **change}, "it", "do this")
    with pytest.raises(DlmError, match=r"it: it holds \[\], where an object is wanted"):
        from_json(Outer, [], "it")


def test_numpys_numbers_are_plain():
    assert json.dumps(as_json(Inner(np.float64(0.5), np.int64(3)))) == '{"share": 0.5, "later": 3}'


def test_classes_that_could_not_be_read_are_seen_at_once():
    @dataclass(frozen=True)
    class Lossy:
        inner: tuple[Inner, ...]

    @dataclass(frozen=True)
    class Odd:
        value: np.ndarray

    # Annotations of classes inside a function.
    for cls, names in ((Lossy, {"inner": tuple[Inner, ...]}), (Odd, {"value": np.ndarray})):
        cls.__annotations__ = names
        with pytest.raises(TypeError, match=r"has no field 'extra'|says nothing of JSON"):
            kind_of(cls)
