"""Learning from a stream: the archive, the order, anytime figures, rows that are not run again, and bad input."""

import json
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from dlm_snn.cli import main
from dlm_snn.errors import DlmError, MissingError
from dlm_snn.exchange.rasters.events import NMNIST
from dlm_snn.tasks.recordings import EXCERPT, nmnist_excerpt
from experiments.harness.stream import held_out, order_of

ADDITIONS = Path(__file__).parent / "additions"


def content(label: int, rng: np.random.Generator) -> bytes:
    """A recording in N-MNIST's bytes: events along a row that the class decides, for 60 ms."""
    n = 300
    time = np.sort(rng.integers(0, 60_000, n))
    row, column = 2 + 3 * label + rng.integers(0, 2, n), rng.integers(4, 30, n)
    polarity = rng.integers(0, 2, n)
    return (
        np.stack([column, row, polarity << 7 | time >> 16, time >> 8 & 255, time & 255], axis=1).astype("u1").tobytes()
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 10
    with zipfile.ZipFile(place / EXCERPT, "w") as archive:
        for number, label in enumerate(labels, start=1):
            archive.writestr(f"some/{number}.bs2", content(int(label), rng))
        for name, part in (("train1K.txt", range(50)), ("test100.txt", range(50, 60))):
            archive.writestr(f"some/{name}", "#sample #class\n" + "".join(f"{i + 1}\t{labels[i]}\n" for i in part))
    return place


def test_recordings_are_read_one_by_one(folder):
    recordings = nmnist_excerpt(folder)
    assert [len(part) for part in recordings.parts.values()] == [50, 10]
    raster = recordings.raster(3)
    assert raster.extent[::2] == (1, np.prod(NMNIST))
    assert 200 < len(raster) <= 300
    rows = raster.neuron % (34 * 34) // 34
    assert set(rows.tolist()) == {8, 9}


def test_orders_hold_every_recording_once_and_keep_a_class_in_its_order(folder):
    train, test = held_out(nmnist_excerpt(folder), seed=3)
    assert len(train) == 48
    assert not train.keys() & test.keys()
    folds = [set(held_out(nmnist_excerpt(folder), seed)[1]) for seed in range(5)]
    assert set.union(*folds) == {*range(1, 61)}
    shuffled, by_class = (order_of(train, order, 1) for order in ("random", "by class"))
    assert sorted(shuffled) == sorted(by_class) == sorted(train)
    runs = [train[n] for n in by_class]
    assert sum(a != b for a, b in pairwise(runs)) == 9
    for label in range(10):
        assert [n for n in shuffled if train[n] == label] == [n for n in by_class if train[n] == label]


def test_a_stream_is_learned_and_its_rows_are_kept(folder, tmp_path, capsys):
    command = ["learn", "--stream", "--learner", "columns", "--set", "neurons=20", "--set", "pixel_steps=70"]
    command += ["--data-dir", str(folder), "--results", str(tmp_path)]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert "N-MNIST excerpt" in told
    assert "by class" in told
    rows = [json.loads(line) for line in (tmp_path / "stream.jsonl").read_text().splitlines()]
    assert [row["order"] for row in rows] == ["random", "by class"]
    first, second = (row["figures"] for row in rows)
    assert first["acc"] == second["acc"] > 0.8, "columns learn each class apart"
    assert [look["seen"] for look in first["anytime"]] == [48]
    assert first["latency_ms"]["p95"] >= first["latency_ms"]["p50"] > 0
    assert first["anytime"][0]["memory_mib"] > 1
    before = (tmp_path / "stream.jsonl").read_bytes()
    assert main(command) == 0
    assert (tmp_path / "stream.jsonl").read_bytes() == before
    assert main([*command[:3], "kept", "--set", "per_class=2", *command[-4:]]) == 0
    kept = json.loads((tmp_path / "stream.jsonl").read_text().splitlines()[2])
    assert kept["figures"]["ridge"] is None
    assert kept["figures"]["acc"] > 0.8
    mine = tmp_path / "mine.py"
    for prior, expected in (("0.0", 6), ("0.0", 6), ("1.0", 8)):
        mine.write_text((ADDITIONS / "means.py").read_text().replace("prior: float = 0.0", f"prior: float = {prior}"))
        assert main([*command[:3], f"{mine}:Means", *command[-4:]]) == 0
        rows = [json.loads(line) for line in (tmp_path / "stream.jsonl").read_text().splitlines()]
        assert len(rows) == expected, "another content is another row"
    assert {row["learner"] for row in rows[4:]} == {"mine.py:Means"}


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--protocol", "P2"], "--protocol does not go with --stream"),
        (["--jobs", "2"], "--jobs does not go with --stream"),
        (["--replace"], "--replace does not go with --stream"),
        (["--seeds", "0"], "--seeds 0: at least one"),
        (["--set", "neuron=3"], "no option 'neuron'"),
        (["--set", "form=ramp"], "take images of one channel"),
    ],
)
def test_bad_options_are_one_line(folder, tmp_path, capsys, extra, words):
    command = ["learn", "--stream", "--learner", "columns", "--data-dir", str(folder), "--results", str(tmp_path)]
    assert main([*command, *extra]) == 2
    assert words in capsys.readouterr().err


def test_a_learner_that_ends_the_program_is_one_line(folder, tmp_path, capsys):
    mine = tmp_path / "mine.py"
    mine.write_text((ADDITIONS / "means.py").read_text().replace("x, y = self", "exit(0)\n        x, y = self"))
    command = ["learn", "--stream", "--learner", f"{mine}:Means", "--data-dir", str(folder), "--results", str(tmp_path)]
    assert main(command) == 2
    assert "sys.exit(0) ends the program; take it out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ewc", "learner 'ewc' wants boundaries of tasks, which a stream does not give"),
        ("packnet", "learner 'packnet' wants"),
        ("joint", "learner 'joint' wants all samples at once"),
    ],
)
def test_who_must_be_told_is_refused(folder, tmp_path, capsys, name, words):
    command = ["learn", "--stream", "--learner", name, "--data-dir", str(folder), "--results", str(tmp_path)]
    assert main(command) == 2
    assert words in capsys.readouterr().err


def test_bad_archives_are_one_line(folder, tmp_path, capsys):
    with pytest.raises(MissingError, match=f"no {EXCERPT} in"):
        nmnist_excerpt(tmp_path)
    bad = tmp_path / EXCERPT
    bad.write_bytes((folder / EXCERPT).read_bytes()[:-100])
    with pytest.raises(DlmError, match="is truncated or altered"):
        nmnist_excerpt(tmp_path)
    for line, words in (
        ("#sample", "train1K.txt lists no recording"),
        ("1 12", "line 1: '1 12'"),
        ("77 1", "line 1: '77 1'"),
        ("x", "line 1: 'x'"),
    ):
        with zipfile.ZipFile(bad, "w") as archive:
            archive.writestr("1.bs2", b"12345")
            archive.writestr("train1K.txt", line)
        with pytest.raises(DlmError, match=words):
            nmnist_excerpt(tmp_path)
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("1.bs2", b"123456")
        archive.writestr("train1K.txt", "1 1")
    with pytest.raises(DlmError, match=r"has no test100.txt"):
        nmnist_excerpt(tmp_path)
    with zipfile.ZipFile(bad, "a") as archive:
        archive.writestr("test100.txt", "1 1")
    with pytest.raises(DlmError, match=r"1.bs2 has 6 bytes"):
        nmnist_excerpt(tmp_path).raster(1)
    assert main(["learn", "--learner", "columns"]) == 2
    assert "learn needs --protocol NAME, or --stream" in capsys.readouterr().err
