"""Which commit a row of results names."""

import shutil
import subprocess

import pytest

from dlm_snn import provenance


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_rows_of_results_are_no_changes_of_the_code(tmp_path, monkeypatch):
    def git(*words: str) -> None:
        name = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", *name, *words], cwd=tmp_path, check=True, capture_output=True)

    code, rows = tmp_path / "dlm_snn" / "provenance.py", tmp_path / "experiments" / "results" / "a.jsonl"
    for file in (code, rows):
        file.parent.mkdir(parents=True)
        file.write_text("a\n")
    monkeypatch.setattr(provenance, "__file__", str(code))
    assert provenance.checkout_commit() is None
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "all")
    clean = provenance.checkout_commit()
    assert clean is not None
    assert len(clean) == 12
    rows.write_text("a\nb\n")
    assert provenance.checkout_commit() == clean
    code.write_text("b\n")
    assert provenance.checkout_commit() == f"{clean}+changes"
