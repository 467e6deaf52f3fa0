"""Configuration: file, overrides and base make one object; every fault is one line that names the key."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, field_validator

from dlm_snn.config import Config, dump_config, load_config
from dlm_snn.errors import DlmError, MissingError
from dlm_snn.files.yaml_text import parse_yaml


class Reset(Enum):
    ZERO = "zero"
    SUBTRACT = "subtract"


class Training(Config):
    epochs: int = Field(5, gt=0)
    rate: float = Field(0.1, ge=0, le=1)
    sizes: tuple[int, ...] = (64, 32)


class Layer(Config):
    n: int
    kind: Literal["dense", "sparse"] = "dense"

    @field_validator("n")
    @classmethod
    def _even(cls, n: int) -> int:
        if n % 2:
            raise DlmError(f"{n} is odd; layers are even")
        return n


class Job(Config):
    name: str = "job"
    training: Training = Training(rate=0.5)
    layers: tuple[Layer, ...] = (Layer(n=4),)
    last: Training | Layer | None = None
    data_dir: Path | None = None
    reset: Reset = Reset.ZERO
    limit: float = float("inf")
    seeds: dict[str, int] = Field(default_factory=dict)


def changed(*overrides: str) -> Job:
    return load_config(Job, overrides=overrides)


def refused(*overrides: str) -> str:
    with pytest.raises(DlmError) as caught:
        changed(*overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_override_leaves_the_rest_of_a_default() -> None:
    assert changed("training.epochs=2").training == Training(epochs=2, rate=0.5)
    assert changed("layers.0.kind=sparse").layers == (Layer(n=4, kind="sparse"),)


def test_file_over_base_and_overrides_over_file(tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text("training: {epochs: 7, sizes: [1, 2, 3]}\nreset: subtract\n")
    base = Job(name="base", training=Training(epochs=1, rate=0.25))
    job = load_config(Job, file, ["training.epochs=9"], base)
    assert job == Job(name="base", training=Training(epochs=9, rate=0.25, sizes=(1, 2, 3)), reset=Reset.SUBTRACT)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("training.rate=1e-3", {"training": Training(rate=1e-3)}),
        ("training.rate=1", {"training": Training(rate=1.0)}),
        ("training.sizes=[3, 4]", {"training": Training(rate=0.5, sizes=(3, 4))}),
        ("name='3'", {"name": "3"}),
        ("name=a=b", {"name": "a=b"}),
        ("data_dir=/data", {"data_dir": Path("/data")}),
        ("data_dir=", {"data_dir": None}),
        ("last={n: 2}", {"last": Layer(n=2)}),
        ("seeds.first=4", {"seeds": {"first": 4}}),
        ("limit=-.inf", {"limit": float("-inf")}),
    ],
)
def test_values(override: str, expected: dict[str, object]) -> None:
    job = changed(override)
    assert {key: getattr(job, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("training.epocs=2", "--set: unknown key 'training.epocs'; did you mean 'epochs'?"),
        ("trainng.epochs=2", "--set: unknown key 'trainng'; did you mean 'training'?"),
        ("layers=[{n: 2, knd: dense}]", "--set: unknown key 'layers.0.knd'; did you mean 'kind'?"),
        ("training.epochs=0", "--set: training.epochs = 0: should be greater than 0"),
        ("training.epochs=true", "--set: training.epochs = true: should be a valid integer"),
        ("training.epochs=2.0", "--set: training.epochs = 2.0: should be a valid integer"),
        ("training.rate='1'", '--set: training.rate = "1": should be a valid number'),
        ("training.rate=2", "--set: training.rate = 2: should be less than or equal to 1"),
        ("training=2", "--set: training = 2: should be a group of keys"),
        ("training.sizes=2", "--set: training.sizes = 2: should be a list"),
        ("name=3", "--set: name = 3: should be text"),
        ("reset=none", "--set: reset = \"none\": should be 'zero' or 'subtract'"),
        ("layers.0.n=3", "--set: layers.0.n = 3: 3 is odd; layers are even"),
        ("layers=[{kind: dense}]", "--set: key 'layers.0.n' is missing"),
        ("layers.1.n=2", "--set layers.1.n: '1' is no place in a list of 1; count from 0"),
        ("training.epochs.x=2", "--set training.epochs.x: training.epochs is 5, which has no keys inside"),
        ("last={n: x}", '--set: last.n = "x": should be a valid integer (and 1 more)'),
        ("name", "--set name: write KEY=VALUE, such as training.epochs=3"),
        ("training..rate=1", "--set training..rate=1: write KEY=VALUE, such as training.epochs=3"),
        ("name=[1", "--set name=[1: the value is not YAML, line 1: expected ',' or ']', but got '<stream end>'"),
    ],
)
def test_refused_overrides(override: str, line: str) -> None:
    assert refused(override) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: a\ntraining: [1\nreset: zero\n", "{file}, line 3: expected ',' or ']', but got ':'"),
        ("name: a\nreset: zero\nname: b\n", "{file}, line 3: key 'name' stands twice"),
        ("- name\n", "{file} holds [\"name\"]; a configuration is lines of 'key: value'"),
        ("training: {epochs: many}\n", '{file}: training.epochs = "many": should be a valid integer'),
        ("layers: [{n: 2}, {n: x}]\n", '{file}: layers.1.n = "x": should be a valid integer'),
        ("1: 2\n", "{file}: unknown key '1'; known: data_dir, last, layers, limit, name, reset, seeds, training"),
        ("name: !!python/name:os.system\n", "{file}, line 1: the tag 'tag:yaml.org,2002:python/name:os.system'"),
        ("name: &a [*a]\n", "{file}, line 1: an anchor (&) or alias (*)"),
        ("name: a\nlayers: *b\n", "{file}, line 2: an anchor (&) or alias (*)"),
        ("name: a\n---\nname: b\n", "{file}, line 2: a second document"),
        ("[a]: b\n", "{file}, line 1: a key that is no text"),
        ("name: " + "[" * 100_000, "{file}, line 1: deeper than 60 brackets"),
        ("limit: " + "9" * 5000, "{file}, line 1: Exceeds the limit"),
        ("limit: 1e999", "{file}, line 1: 1e999 is beyond the largest number"),
        ('name: "\\ud800"', "{file}, line 1: half a character"),
        ("# " + "x" * 2**18, "{file}: more than 262144 characters"),
        ("name: 'a", "{file}, line 1: found unexpected end of stream"),
        ("name: \x00\n", "{file}: unacceptable character"),
    ],
)
def test_refused_files(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(text)
    with pytest.raises(DlmError) as caught:
        load_config(Job, file)
    assert str(caught.value).startswith(line.format(file=file))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *(("017", 17), ("0o17", 15), ("0x1F", 31), ("-3", -3), ("+3", 3), ("1e3", 1000.0), (".5", 0.5), ("-1.", -1.0)),
        *(
            (text, text)
            for text in ("1:30", "yes", "No", "on", "1_000", "2001-01-01", "0b1", "=", "<<", "'017'", "NULLL")
        ),
        *(("~", None), ("", None), ("Null", None), ("TRUE", True), ("false", False), ("-.INF", -float("inf"))),
        *(("'a'", "a"), ('"3"', "3"), ("|\n  a\n", "a\n"), ("[1, [], {a: ~}]", [1, [], {"a": None}])),
    ],
)
def test_yaml_means_what_is_written(written: str, meant: object) -> None:
    value = parse_yaml(f"key: {written}", "x")["key"]
    assert value == (meant if not isinstance(meant, str) else meant.strip("'"))
    assert type(value) is type(meant)


def test_an_infinite_run_of_aliases_ends_at_the_first() -> None:
    laughs = "".join(f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    with pytest.raises(DlmError, match=r"x, line 1: an anchor"):
        parse_yaml("a: &a [x, x, x]\n" + laughs, "x")


def test_what_is_no_file_is_no_configuration(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "job.yaml")
    with pytest.raises(DlmError, match=r"job\.yaml is a pipe"):
        load_config(Job, tmp_path / "job.yaml")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"no configuration at .*absent\.yaml"):
        load_config(Job, tmp_path / "absent.yaml")
    with pytest.raises(MissingError, match=r"no configuration at .*config\.yaml"):
        load_config(Job, tmp_path)


def test_a_run_folder_stands_for_its_configuration(tmp_path: Path) -> None:
    job = Job(name="earlier", layers=(Layer(n=8), Layer(n=2)))
    (tmp_path / "config.yaml").write_text(dump_config(job))
    assert load_config(Job, tmp_path) == load_config(Job, tmp_path / "config.yaml") == job


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text("# nothing\n")
    assert load_config(Job, tmp_path / "job.yaml") == Job()


def test_a_configuration_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Job().name = "other"


text = st.text(max_size=8) | st.sampled_from(["1e-3", "yes", "null", "3", "=", "0x1f", "2026-01-01", "~", "a: b", " #"])


@given(
    st.builds(
        Job,
        name=text,
        training=st.builds(
            Training,
            epochs=st.integers(1, 2**70),
            rate=st.floats(0, 1),
            sizes=st.lists(st.integers(), max_size=3).map(tuple),
        ),
        last=st.none() | st.builds(Layer, n=st.integers(-9, 9).map(lambda n: 2 * n)),
        data_dir=st.none() | st.sampled_from(["/data", "a b", "1.5"]).map(Path),
        reset=st.sampled_from(Reset),
        limit=st.floats(allow_nan=False),
        seeds=st.dictionaries(text, st.integers(), max_size=3),
    )
)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, job: Job) -> None:
    file = tmp_path_factory.getbasetemp() / "round-trip.yaml"
    file.write_text(dump_config(job), encoding="utf-8")
    assert load_config(Job, file) == job
