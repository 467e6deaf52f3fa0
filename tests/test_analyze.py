"""``dlm-snn analyze``: conclusions, tables, JSON, folders, and refusals."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from dlm_snn.analysis import Finding, power_law_noise
from dlm_snn.cli import main
from dlm_snn.errors import how_many
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.verbs.rasters.analyses.outcome import Outcome
from dlm_snn.verbs.rasters.answers import WIDTH, Answer, as_json, as_text


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "spikes.npz"
    noise = power_law_noise(-1, 8000, np.random.default_rng(1))[0]
    rate = np.clip(0.2 + 0.1 * noise / noise.std(), 0, 1)
    SpikeRaster.from_dense(np.random.default_rng(0).random((1, 8000, 100)) < rate[:, None]).save(path)
    return path


def answers(file, capsys, *words):
    assert main(["analyze", str(file), *words]) == 0
    return capsys.readouterr().out


def test_text_has_a_conclusion_and_fits(file, capsys):
    out = answers(file, capsys, "--what", "spectrum")
    assert out.startswith("spectrum of 'spikes': spectral slope")
    assert max(map(len, out.splitlines())) <= WIDTH


def test_a_conclusion_names_its_analysis_once():
    found = Finding("irreversibility", 0.2, unit="nats")
    assert as_text([Answer("a", "irreversibility", Outcome([found]))]).startswith("irreversibility of 'a': 0.2 nats\n")
    assert as_text([Answer("a", "spectrum", Outcome([found]))]).startswith(
        "spectrum of 'a': irreversibility: 0.2 nats\n"
    )


@pytest.mark.parametrize(
    ("number", "things", "words"),
    [
        (1, "samples", "1 sample"),
        (0, "samples", "0 samples"),
        (12000, "steps per sample", "12,000 steps per sample"),
        (1, "steps per sample", "1 step per sample"),
        (1, "frequencies", "1 frequency"),
        (1, "classes", "1 class"),
        (1, "avalanches", "1 avalanche"),
        (1, "cut at the ends", "1 cut at the ends"),
        (1, "in the tail", "1 in the tail"),
    ],
)
def test_one_thing_is_told_in_the_singular(number, things, words):
    assert how_many(number, things) == words
    assert Finding("a", 1.0, size={things: number}).row()["sample"] == words


def test_json_holds_every_finding(file, capsys):
    told = json.loads(answers(file, capsys, "--what", "spectrum", "--json"))
    assert told["schema"] == 1
    assert told["seed"] == 0
    (answer,) = told["answers"]
    assert (answer["population"], answer["what"], answer["applies"]) == ("spikes", "spectrum", True)
    assert answer["findings"][0]["name"] == "spectral slope"
    assert answer["findings"][0]["controls"]


def test_a_seed_gives_the_same_again(file, capsys):
    first, again, other = (answers(file, capsys, "--what", "spectrum", "--json", "--seed", s) for s in "112")
    assert first == again
    assert json.loads(first)["answers"] != json.loads(other)["answers"]


def test_folder(file, capsys, tmp_path):
    out = tmp_path / "found"
    answers(file, capsys, "--what", "spectrum", "--out", str(out))
    names = {path.name for path in out.iterdir()}
    assert names == {"table.csv", "table.json", "spikes-spectrum.png", "spikes-spectrum.svg"}
    (*_, last) = csv.DictReader((out / "table.csv").read_text().splitlines())
    assert last["population"] == "spikes"
    told = json.loads((out / "table.json").read_text())
    assert set(told["files"]) == names
    assert main(["analyze", str(file), "--what", "spectrum", "--out", str(out)]) == 2
    assert "exists" in capsys.readouterr().err
    answers(file, capsys, "--what", "spectrum", "--out", str(out), "--replace", "--format", "svg")
    assert {path.name for path in out.iterdir()} == names - {"spikes-spectrum.png"}
    (out / "mine.txt").write_text("mine")
    assert main(["analyze", str(file), "--what", "spectrum", "--out", str(out), "--replace"]) == 2
    assert (out / "mine.txt").exists()


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--what", "colour"], "none of spectrum"),
        (["--replace"], "give --out"),
        (["--format", "png"], "give --out"),
        (["--seed", "-1"], "--seed -1"),
        (["--population", "hidden"], "no 'hidden'"),
    ],
)
def test_bad_words(file, capsys, words, match):
    try:
        code = main(["analyze", str(file), *words])
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert match in capsys.readouterr().err


def test_what_does_not_apply(tmp_path, capsys):
    """Asked for by name it is refused, with the file; else it is told."""
    path = tmp_path / "silent.npz"
    SpikeRaster.from_dense(np.zeros((1, 300, 4), dtype=bool)).save(path)
    assert main(["analyze", str(path), "--what", "spectrum"]) == 2
    error = capsys.readouterr().err
    assert "silent.npz" in error
    assert "with 0 spikes" in error
    assert "does not apply" in answers(path, capsys)


def test_no_number_that_is_none():
    found = Finding("slope of something with a name as long as this one, which has to be wrapped", float("nan"))
    answer = Answer("a", "spectrum", Outcome([found], conclusion="nothing"))
    assert json.loads(as_json([answer], {}))["answers"][0]["findings"][0]["value"] is None
    text = as_text([answer])
    assert "not resolved" in text
    assert max(map(len, text.splitlines())) <= WIDTH
