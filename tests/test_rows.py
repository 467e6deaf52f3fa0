"""Results files: appended whole, mended after a kill, one writer at a time."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys

import pytest

from dlm_snn.errors import DlmError
from dlm_snn.learning.learner import Declaration
from experiments.harness.rows import CONTINUAL_ROW, ROW, read_rows, writing_rows
from experiments.road.repeat import REPEATED_ROW
from tests.continual_rows import made_row


def test_rows_are_appended_and_read_back(tmp_path):
    path = tmp_path / "new" / "r.jsonl"
    assert read_rows(path) == []
    with writing_rows(path) as file:
        file.append({"seed": 0, "figures": {"acc": 0.5}})
        assert read_rows(path) == file.rows
    with writing_rows(path) as file:
        file.append({"seed": 1})
    first, second = path.read_text().splitlines()
    assert first.startswith('{"seed": 0, "figures": {"acc": 0.5}, "crc32": "')
    assert json.loads(second).keys() == {"seed", "crc32"}
    assert [row["seed"] for row in read_rows(path)] == [0, 1]


@pytest.mark.parametrize("cut", range(1, 14))
def test_a_torn_last_line_is_cut_off_wherever_it_is_torn(tmp_path, cut):
    path = tmp_path / "r.jsonl"
    whole, torn = b'{"seed": 0}\n', b'{"seed": "\xc3\xa9"}\n'
    path.write_bytes(whole + torn[:cut])
    finished = cut >= len(torn) - 1
    assert len(read_rows(path)) == 1 + finished
    with writing_rows(path) as file:
        file.append({"seed": 2})
    assert [row["seed"] for row in read_rows(path)] == [0, *(["é"] if finished else []), 2]
    assert path.read_bytes().startswith(whole)


def test_a_damaged_line_is_named_and_nothing_is_changed(tmp_path):
    path = tmp_path / "r.jsonl"
    for middle in (b"{half a\n", b"3\n", b"\n", b"\xff\n"):
        content = b'{"seed": 0}\n' + middle + b'{"seed": 1}\n'
        path.write_bytes(content)
        with pytest.raises(DlmError, match="line 2 is no row of JSON"), writing_rows(path):
            pass
        with pytest.raises(DlmError, match="line 2 is no row of JSON"):
            read_rows(path)
        assert path.read_bytes() == content


def test_no_bit_of_a_row_is_read_as_another(tmp_path):
    path = tmp_path / "r.jsonl"
    row = {"seed": 0, "config": "abc", "figures": {"acc": 0.1 + 0.2, "matrix": [[0.5, None], [1.0, float("inf")]]}}
    with writing_rows(path) as file:
        file.append(row)
    whole = path.read_bytes()
    seen = 0
    for bit in range(8 * len(whole)):
        torn = bytearray(whole)
        torn[bit // 8] ^= 1 << bit % 8
        path.write_bytes(torn)
        try:
            found = read_rows(path)
        except DlmError:
            seen += 1
            continue
        # Cut off as torn, or with another name for the checksum alone.
        assert all({key: held.get(key) for key in row} == row for held in found)
    assert seen > 6 * len(whole)


@pytest.mark.parametrize(
    ("kind", "row", "fault"),
    [
        (ROW, {"seed": "0"}, "line 1: 'seed' is \"0\", where a whole number is wanted"),
        (ROW, {"figures": []}, r"'figures' is \[\], where an object"),
        (REPEATED_ROW, {"config": "", "variant": "", "seed": 0, "figures": {"float": "x"}}, "'figures.float' is \"x\""),
        (CONTINUAL_ROW, {"protocol": "P2"}, "is missing; mend or remove it"),
    ],
)
def test_a_row_of_another_kind_is_named(tmp_path, kind, row, fault):
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(row) + "\n")
    with pytest.raises(DlmError, match=fault):
        read_rows(path, kind)
    with pytest.raises(DlmError, match=fault), writing_rows(path, kind):
        pass


def test_what_is_no_file_holds_no_rows(tmp_path):
    os.mkfifo(tmp_path / "r.jsonl")
    with pytest.raises(DlmError, match="is a pipe"):
        read_rows(tmp_path / "r.jsonl")
    with pytest.raises(DlmError, match="is a pipe"), writing_rows(tmp_path / "r.jsonl"):
        pass


def test_a_row_that_is_no_result_is_named(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text('{"config": "a"}\n{"seed": 1}\n')
    with writing_rows(path) as file, pytest.raises(DlmError, match=r"r\.jsonl, row 2 has no 'config'"):
        file.find(config="a")
    path.write_text('{"config": "a"}\n{"config": "b"}\n')
    with writing_rows(path) as file:
        assert file.find(config="b") == {"config": "b"}
        assert file.find(config="c") is None


def test_a_row_is_found_by_all_that_decides_it(tmp_path):
    rows = [{"seed": s, "options": {"lr": lr}, "acc": s + lr} for s in (0, 1) for lr in (0.1, 0.2)]
    with writing_rows(tmp_path / "r.jsonl") as file:
        for row in [*rows, {**rows[0], "acc": 9}]:
            file.append(row)
        assert file.find(seed=1, options={"lr": 0.1}) == rows[2]
        assert file.find(seed=0, options={"lr": 0.1})["acc"] == 9, "of two the last"
        assert file.find(seed=1, options={"lr": 0.3}) is None
        with pytest.raises(DlmError, match=r"row 1 has no 'samples': it is no result"):
            file.find(samples=None)


def test_a_row_that_could_not_be_read_again_is_not_written(tmp_path):
    path = tmp_path / "r.jsonl"
    with writing_rows(path, CONTINUAL_ROW) as file:
        file.append(made_row())
        before = path.read_bytes()
        with pytest.raises(DlmError, match=r"line 2: 'declaration.stored_samples' is 0.5, where a whole number"):
            file.append(made_row(declaration=Declaration(stored_samples=0.5)))
        assert path.read_bytes() == before
        assert len(file.rows) == 1


def test_rows_are_held_as_their_format_says(tmp_path):
    path = tmp_path / "r.jsonl"
    row = made_row(seed=3)
    with writing_rows(path, CONTINUAL_ROW) as file:
        file.append(row)
        assert file.rows == [row] == [file.find(config=row.config)]
    assert read_rows(path, CONTINUAL_ROW) == [row]
    assert read_rows(path) == [row.to_json()]


def test_a_second_writer_is_refused_and_readers_are_not(tmp_path):
    path = tmp_path / "r.jsonl"
    code = (
        "import sys, time; from pathlib import Path; from experiments.harness.rows import writing_rows\n"
        "with writing_rows(Path(sys.argv[1])) as file:\n"
        "    file.append({'seed': 0}); print('open', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "open\n"
        with pytest.raises(DlmError, match=r"another run is writing .*r\.jsonl; wait for it"), writing_rows(path):
            pass
        assert read_rows(path) == [{"seed": 0}]
    finally:
        other.kill()
        other.communicate()
    # The kill has freed it: nothing is left to remove by hand.
    with writing_rows(path) as file:
        assert file.rows == [{"seed": 0}]


def test_a_row_that_does_not_go_in_whole_is_taken_back(tmp_path, monkeypatch):
    path = tmp_path / "r.jsonl"
    write = os.write
    with writing_rows(path) as file:
        file.append({"seed": 0})
        monkeypatch.setattr(os, "write", lambda handle, line: write(handle, line[:5]))
        with pytest.raises(DlmError, match="the disk is full; the rows before stand"):
            file.append({"seed": 1})
        monkeypatch.setattr(os, "write", write)
        assert read_rows(path) == [{"seed": 0}]
        assert file.rows == [{"seed": 0}]


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DlmError, match="cannot write"), writing_rows(tmp_path / "file" / "r.jsonl"):
        pass


def test_a_file_without_a_row_is_gone_with_the_folders_that_were_made_for_it(tmp_path):
    path = tmp_path / "a" / "b" / "r.jsonl"
    with pytest.raises(DlmError, match="nothing was run"), writing_rows(path):
        raise DlmError("nothing was run")
    assert not list(tmp_path.iterdir())
    (tmp_path / "a").mkdir()
    with writing_rows(path), writing_rows(path.with_name("s.jsonl")) as other:
        other.append({"seed": 0})
    assert [file.name for file in path.parent.iterdir()] == ["s.jsonl"]
    path.write_text("")
    with writing_rows(path):
        pass
    assert path.is_file()


def test_a_file_that_another_run_took_back_is_not_written(tmp_path, monkeypatch):
    path = tmp_path / "r.jsonl"
    path.write_text("")
    lock = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", lambda *given: (path.unlink(), lock(*given)))
    with pytest.raises(DlmError, match="another run is writing"), writing_rows(path):
        pass
