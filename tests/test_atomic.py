"""Files and folders appear whole or not at all."""

from __future__ import annotations

import stat

import pytest

from dlm_snn import DlmError
from dlm_snn.files.atomic import write_text, writing, writing_folder
from dlm_snn.files.layouts import FolderKind, text_file

TEXT = text_file("a text", begins="")
TEXTS = FolderKind("a folder of texts", {"*.txt": TEXT})


class Interrupted(BaseException):
    """As Ctrl-C: no Exception."""


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def interrupt(manager, act):
    def broken_off():
        with manager as opened:
            act(opened)
            raise Interrupted

    with pytest.raises(Interrupted):
        broken_off()


def test_a_file_takes_its_name_at_the_end(tmp_path):
    path = tmp_path / "a.txt"
    with writing(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert names(tmp_path) == ["a.txt"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_an_interrupted_file_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    interrupt(writing(path, TEXT, replace=True), lambda file: file.write(b"half"))
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_text_is_written_whole(tmp_path):
    write_text(tmp_path / "a.txt", "grün\n")
    assert (tmp_path / "a.txt").read_bytes() == "grün\n".encode()


def test_a_file_that_cannot_be_made_is_named_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "a.txt", tmp_path / "nowhere" / "a.txt"):
        with pytest.raises(DlmError, match="cannot write") as caught:
            write_text(path, "text")
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_folder_takes_its_name_at_the_end(tmp_path):
    path = tmp_path / "runs" / "a"
    with writing_folder(path) as folder:
        (folder / "record.json").write_text("{}")
        assert not path.exists()
    assert names(path) == ["record.json"]
    assert names(path.parent) == ["a"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_an_interrupted_folder_leaves_nothing(tmp_path):
    interrupt(writing_folder(tmp_path / "a"), lambda folder: (folder / "half").write_text(""))
    assert names(tmp_path) == []


def test_an_existing_folder_is_kept_unless_it_shall_give_way(tmp_path):
    path = tmp_path / "a"
    path.mkdir()
    (path / "old.txt").write_text("text")
    with (
        pytest.raises(DlmError, match=r"a exists; choose another name, or give --replace"),
        writing_folder(path, TEXTS),
    ):
        pass
    assert names(path) == ["old.txt"]
    interrupt(writing_folder(path, TEXTS, replace=True), lambda folder: (folder / "new.txt").write_text(""))
    assert names(path) == ["old.txt"]
    with writing_folder(path, TEXTS, replace=True) as folder:
        (folder / "new.txt").write_text("")
    assert names(path) == ["new.txt"]
    assert names(tmp_path) == ["a"]


def test_a_folder_that_cannot_be_made_is_named_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "runs" / "a"
    with pytest.raises(DlmError, match="cannot write") as caught, writing_folder(path):
        pass
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
