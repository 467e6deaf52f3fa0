"""A bundle's script where something is wrong: exit code 2 and one line, found before anything runs, and no hang."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.files.reading import SEAL, sealed
from hardware.loihi2 import contents, running, script
from hardware.loihi2.bundle import write_bundle
from hardware.loihi2.prepared import prepared

STEPS = 4


def network(delay: int = 1) -> dlm.IntegerNetwork:
    return dlm.IntegerNetwork(
        {
            "x": dlm.Input((3,)),
            "a": dlm.IntegerLIF((2,), dv=0, v_threshold=30),
            "b": dlm.IntegerLIF((2,), dv=0, v_threshold=30),
        },
        [
            dlm.IntegerProjection("x", "a", dlm.Dense([[40, 0, 8], [0, 40, 8]]), delay),
            dlm.IntegerProjection("a", "b", dlm.Dense([[20, 0], [0, 40]])),
        ],
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults") / "bundle"
    write_bundle(prepared(network(), {"x": np.ones((3, STEPS, 3), int)}, STEPS), folder)
    return folder


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "bundle"))


def line_of(error: str) -> str:
    """What is wrong, where that is all that is said."""
    assert error.startswith("error: ")
    assert len(error.splitlines()) == 1
    return error.removeprefix("error: ").rstrip("\n")


def refused(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert script.run(folder, list(words)) == 2
    told = capsys.readouterr()
    assert told.out == ""
    return line_of(told.err)


def edited(change: Callable[[dict[str, Any]], object], seal: bool) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        record = json.loads((folder / contents.RECORD).read_text())
        change(record)
        if seal:
            record = sealed({key: value for key, value in record.items() if key != SEAL})
        (folder / contents.RECORD).write_text(json.dumps(record))

    return edit


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a string": lambda record: record.update(period="16"),
    "no period": lambda record: record.update(period=0),
    "true": lambda record: record.update(n_windows=True),
    "a list": lambda record: record.update(files=[]),
    "no files": lambda record: record.update(files={}),
    "files are missing": lambda record: record.pop("files"),
    "no windows": lambda record: record.pop("n_windows"),
    "other populations": lambda record: record.update(populations=[]),
    "no populations": lambda record: record.update(populations={}),
    "no inputs": lambda record: record.pop("inputs"),
    "half a projection": lambda record: record["projections"][0].pop("arrays"),
    "another threshold": lambda record: record["populations"]["a"].update(v_threshold=31),
}


@pytest.mark.parametrize(
    ("change", "seal"),
    [
        pytest.param(change, seal, id=f"{name}{', sealed' * seal}")
        for name, change in CHANGES.items()
        # Whoever seals another number has made another bundle.
        for seal in (False, True)[: 1 + (name != "another threshold")]
    ],
)
def test_a_record_that_was_changed_is_a_line(
    change: Callable[[dict[str, Any]], object], seal: bool, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited(change, seal)(bundle)
    told = refused(bundle, capsys)
    assert told.endswith("copy it again, or ask who made it")
    expected = "is no bundle that this script can run (" if seal else "bundle.json was changed since it was written"
    assert expected in told


def test_a_record_without_its_checksum_is_a_line(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited(lambda record: record.pop(SEAL), False)(bundle)
    assert "bundle.json was changed" in refused(bundle, capsys)


def test_what_people_read_may_be_changed(bundle: Path) -> None:
    (bundle / "README.md").write_text("hello")
    (bundle / "placement.txt").unlink()
    assert contents.read(bundle)["n_windows"] == 3


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--out", "nowhere/got.npz"], "cannot write nowhere/got.npz (No such file or directory); give another --out"),
        (["--out", "/proc/got.npz"], "cannot write /proc/got.npz ("),
        (["--out", "got"], "--out got: the name of the file ends in .npz"),
        (["--out", "folder.npz"], "cannot write folder.npz: it is a folder; give another --out"),
        (["--record", "a, c"], "--record 'c' is none of a, b"),
        (["--record", ""], "--record '' is none of a, b"),
        (["--windows", "4"], "--windows 4 is not in 1..3"),
        (["--patience", "0"], "--patience 0: more than 0 seconds"),
        (["--patience", "nan"], "--patience nan: more than 0 seconds"),
        (["--partition", "p"], "--partition is for a run on a board; leave it out, or give --target loihi2"),
        (["--board", "p"], "--board is for a run on a board"),
        (["--host", "p"], "--host is for a run on a board"),
        (["--generation", "N3B3"], "--generation is for a run on a board"),
        (["--input-steps", "0"], "--input-steps is for a run on a board"),
        (["--output-steps", "2"], "--output-steps is for a run on a board"),
    ],
)
def test_settings_that_cannot_be_are_a_line_before_the_run(
    words: list[str], line: str, bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(bundle)
    Path("folder.npz").mkdir()
    monkeypatch.setattr(script, "_rows", lambda *given: pytest.fail("it ran"))
    assert refused(bundle, capsys, *words).startswith(line)


def test_names_may_stand_apart(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def rows(told: dict[str, Any], aside: Path, names: list[str], given: Any) -> dict[str, Any]:
        asked.append(names)
        return {name: np.zeros((STEPS * 9, 2), np.uint8) for name in names}

    monkeypatch.setattr(script, "_rows", rows)
    for words, names in ((["--record", " b , a"], ["a", "b"]), (["--record", "b"], ["b"]), ([], ["a", "b"])):
        assert script.run(bundle, words) == 1
        assert asked.pop() == names


def test_no_folder_for_what_is_needed_on_the_way(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(**given: Any) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(script.tempfile, "TemporaryDirectory", none)
    assert refused(bundle, capsys).endswith("; set TMPDIR")


BLOCK = (
    "import sys, runpy; sys.modules[{!r}] = None; sys.argv = sys.argv[1:]; "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)


def told_by(bundle: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, *words], cwd="/", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    return line_of(done.stderr)


@pytest.mark.parametrize("package", ["numpy", "lava"])
def test_a_package_that_is_missing_is_a_line(package: str, bundle: Path) -> None:
    told = told_by(bundle, "-c", BLOCK.format(package), str(bundle / "run.py"))
    assert told == f"the package '{package}' is not installed; README.md says what is needed"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda folder: shutil.rmtree(folder / "parts"),
            "/bundle/parts cannot be used (ModuleNotFoundError: No module",
        ),
        (lambda folder: (folder / "parts/script.py").write_text("def"), "/bundle/parts cannot be used (SyntaxError: "),
        (lambda folder: (folder / "parts/rasters.py").unlink(), "/bundle/parts cannot be used (ImportError: "),
    ],
    ids=["all", "one changed", "one"],
)
def test_parts_that_are_missing_are_a_line(change: Callable[[Path], None], line: str, bundle: Path) -> None:
    change(bundle)
    told = told_by(bundle, str(bundle / "run.py"))
    assert line in told
    assert told.endswith("copy the bundle again")


@pytest.mark.parametrize("words", [["-I"], ["-P"]])
def test_a_python_that_is_told_to_be_safe_finds_the_parts(words: list[str], bundle: Path) -> None:
    if sys.version_info < (3, 11) and "-P" in words:
        pytest.skip("-P is of Python 3.11")
    assert "--windows 9 is not in 1..3" in told_by(bundle, *words, str(bundle / "run.py"), "--windows", "9")


def of_lava(*actors: Any) -> Any:
    infrastructure = SimpleNamespace(actors=list(actors), _smm=None)
    return SimpleNamespace(runtime=SimpleNamespace(_messaging_infrastructure=infrastructure))


def watched(process: Any, aside: Path, patience: float, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The exit codes with which it ended."""
    over, codes = threading.Event(), list[int]()

    def leave(code: int) -> None:
        codes.append(code)
        over.set()

    monkeypatch.setattr(running.os, "_exit", leave)
    monkeypatch.setattr(running, "LOOK_EVERY", 0.01)
    thread = threading.Thread(target=running.watch, args=(process, aside, over, patience))
    thread.start()
    thread.join(0.3)
    over.set()
    thread.join()
    return codes


def test_a_run_ends_where_no_step_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    actor = SimpleNamespace(exitcode=None, kill=lambda: None)
    aside = tmp_path / "aside"
    aside.mkdir()
    np.save(aside / running.PROGRESS, np.array([7]))
    assert watched(of_lava(actor), aside, 600, monkeypatch) == []
    assert watched(of_lava(actor), aside, 0.05, monkeypatch) == [2]
    told = line_of(capsys.readouterr().err)
    assert told == (
        "the run ended early (no step in 0.05 s, after step 7; --patience SECONDS waits longer); nothing was compared"
    )
    assert not aside.exists()


def test_before_lava_has_processes_patience_ends_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watched(SimpleNamespace(runtime=None), tmp_path / "none", 0.05, monkeypatch) == [2]
    assert "after step 0" in line_of(capsys.readouterr().err)


def test_a_process_of_lava_that_failed_while_others_were_made_is_told_and_ends_the_run(tmp_path: Path) -> None:
    """Lava itself waits for good here. Its own delays end at 62; a chip that is not asked would get 79."""
    pytest.importorskip("lava")
    write_bundle(prepared(network(60), {"x": np.ones((1, STEPS, 3), int)}, STEPS), tmp_path / "bundle")

    def longer(record: dict[str, Any]) -> None:
        record["projections"][0]["delay"] = 80

    edited(longer, True)(tmp_path / "bundle")
    words = [sys.executable, str(tmp_path / "bundle/run.py"), "--stock-delays"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    (told,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert told.startswith("error: the run ended early (ValueError: DelayDense Process 'delays' expects values between")
    assert told.endswith("; nothing was compared")


def test_sinks_tell_the_step_that_they_have_reached(tmp_path: Path) -> None:
    """It is what patience looks at."""
    pytest.importorskip("lava")
    from hardware.loihi2.host.process import PySink

    path, progress = tmp_path / "spikes.npy", tmp_path / running.PROGRESS
    np.save(path, np.zeros((2, 3), np.uint8))
    np.save(progress, np.zeros(1, np.int64))
    sink = PySink({"path": str(path), "progress": str(progress), "n": 3, "name": "sink"})
    sink.a_in = SimpleNamespace(recv=lambda: np.array([0, 64, 0]))
    for step in (1, 2, 3):
        sink.time_step = step
        sink.run_spk()
        assert running._progress(tmp_path) == step
    assert np.load(path).tolist() == [[0, 1, 0]] * 2
