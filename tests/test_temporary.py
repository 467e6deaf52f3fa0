"""Folders in the system's temporary one: those of killed commands go, those of live ones stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlm_snn.files.temporary import note_child, recover, temporary_folder

HOLD = """
import signal, sys
from dlm_snn.files.temporary import temporary_folder
with temporary_folder() as folder:
    print(folder, flush=True)
    signal.pause()
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_folder_is_gone_with_its_block(place):
    with temporary_folder() as folder:
        (folder / "a").write_text("")
        recover()
        assert (folder / "a").exists()
    assert list(place.iterdir()) == []


def test_what_a_killed_command_left_goes_with_the_next(place):
    (place / "dlm-other-x").mkdir()
    holder = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    with holder:
        folder = Path(holder.stdout.readline().strip())
        with temporary_folder():
            assert folder.is_dir()
        holder.kill()
    assert folder.is_dir()
    with temporary_folder():
        assert not folder.exists()
    assert [entry.name for entry in place.iterdir()] == ["dlm-other-x"]


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no /dev/shm")
def test_shared_memory_goes_with_its_folder(place):
    # No process has this number: it is beyond the largest one that Linux gives.
    pid = 2**22 + os.getpid()
    left = place / "dlm-job-x"
    left.mkdir()
    note_child(left, pid)
    segment = Path(f"/dev/shm/dlm{pid}_a")
    segment.write_text("")
    try:
        recover()
        assert not left.exists()
        assert not segment.exists()
    finally:
        segment.unlink(missing_ok=True)
