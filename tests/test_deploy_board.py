"""Every branch of a deployment to a board, with a stand-in of the vendor's extension (tests/loihi2_stand_in)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.cli import main
from hardware.loihi2 import launch, script
from hardware.loihi2.bundle import write_bundle
from hardware.loihi2.prepared import prepared
from tests.test_deploy import STEPS, held, images, network

pytest.importorskip("lava")
STAND_IN = Path(__file__).parent / "loihi2_stand_in"
BARE = {name: value for name, value in os.environ.items() if name not in ("NXSDKHOST", "PARTITION", "BOARD", "SLURM")}


def environment(extension: bool = True, slurm: bool = True, late: str = "0,0") -> dict[str, str]:
    path = f"{STAND_IN / 'bin'}{os.pathsep}" * slurm + os.environ["PATH"]
    return {**BARE, "PATH": path, "STAND_IN_LATE": late, "PYTHONPATH": str(STAND_IN) * extension}


def run(folder: Path, *words: str, **given: Any) -> tuple[int, str, str]:
    command = [sys.executable, str(folder / "run.py"), "--target", "loihi2", *words]
    done = subprocess.run(command, env=environment(**given), cwd="/", capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deployed") / "bundle"
    write_bundle(prepared(network(), images(2), STEPS), folder)
    return folder


def test_with_extension_and_board_it_runs_as_lava_chooses_models_there(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in environment(late="1,2").items():
        monkeypatch.setenv(name, value)
    settings = {"partition": "oheogulch", "input-steps": 1, "output-steps": 2, "host": None}
    code = launch.run_bundle(bundle, settings)
    told, error = capfd.readouterr()
    assert (code, told.splitlines()[0]) == (0, "SLURM, oheogulch"), error
    assert told.splitlines()[1].startswith("0 of ")
    assert (bundle / "got-loihi2.npz").is_file()


def test_what_would_run_in_python_is_refused_before_it_runs(tmp_path: Path) -> None:
    """The stand-in has no model of Sparse, for which Lava would take its Python model without a word."""
    net = dlm.IntegerNetwork(
        {"x": dlm.Input((3,)), "h": dlm.IntegerLIF((2,), dv=10, v_threshold=20)},
        [dlm.IntegerProjection("x", "h", dlm.Sparse((2, 3), [0, 1], [0, 2], [40, 60]))],
    )
    write_bundle(prepared(net, {"x": np.ones((1, 3), int)}, 4), tmp_path / "bundle")
    code, told, error = run(tmp_path / "bundle", "--host", "10.0.0.1")
    assert (code, told) == (2, "board at 10.0.0.1\n")
    line = "error: 'x->h' (Sparse) would run in Python (PySparseModel"
    assert next(one for one in error.splitlines() if one.startswith("error")).startswith(line), error
    assert "nothing was run" in error
    assert not (tmp_path / "bundle" / "got-loihi2.npz").exists()


@pytest.mark.parametrize(
    ("words", "given", "line"),
    [
        ([], {"extension": False}, "Intel's extension of Lava (lava-loihi, for members of its research community) is"),
        ([], {"slurm": False}, "no board: SLURM (sinfo) is not there, and neither --host nor NXSDKHOST names one"),
        (["--partition", "og"], {}, "SLURM has no partition 'og'; known: oheogulch"),
        (["--board", "ncl-og-02"], {}, "SLURM has no board 'ncl-og-02'; known: ncl-og-01"),
        (["--host", "10.0.0.9"], {}, "`ping 10.0.0.9` failed"),
        (["--input-steps", "-1"], {}, "argument --input-steps: '-1' is not a number of steps >= 0"),
        (["--generation", "N4"], {}, "argument --generation: invalid choice: 'N4'"),
    ],
    ids=["no extension", "no board", "partition", "board", "a silent host", "steps", "generation"],
)
def test_what_is_missing_is_said_in_a_line_and_nothing_runs(
    bundle: Path, words: list[str], given: dict[str, Any], line: str
) -> None:
    code, told, error = run(bundle, *words, **given)
    assert (code, told) == (2, "")
    assert error.startswith("error: cannot run on a Loihi 2: " if "argument" not in line else "error: ")
    assert line in error
    assert len(error.splitlines()) == 1


CLAIM = (
    "import os, sys; from hardware.loihi2 import board\n"
    "print(board.missing(), board.claim(**dict(word.split('=') for word in sys.argv[1:])))\n"
    "print(*(os.environ.get(name) for name in ('SLURM', 'PARTITION', 'BOARD', 'NXSDKHOST', 'LOIHI_GEN')))\n"
)


@pytest.mark.parametrize(
    ("words", "variables", "told"),
    [
        (["partition=oheogulch"], {}, ["None SLURM, oheogulch", "1 oheogulch None None N3B3"]),
        (["board=ncl-og-01", "generation=N3C1"], {}, ["None SLURM, ncl-og-01", "1 None ncl-og-01 None N3C1"]),
        (["host=10.0.0.1"], {}, ["None board at 10.0.0.1", "None None None 10.0.0.1 N3B3"]),
        ([], {"NXSDKHOST": "10.0.0.2"}, ["None board at 10.0.0.2", "None None None 10.0.0.2 N3B3"]),
    ],
    ids=["partition", "board", "host", "host of the environment"],
)
def test_a_claim_sets_what_the_extension_reads(words: list[str], variables: dict[str, str], told: list[str]) -> None:
    root = str(Path(__file__).parents[1])
    given = {**environment(), **variables, "PYTHONPATH": f"{STAND_IN}{os.pathsep}{root}"}
    done = subprocess.run(
        [sys.executable, "-c", CLAIM, *words], env=given, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == told, done.stderr


@pytest.mark.parametrize(
    ("shift", "last"),
    [
        (0, "got.npz has the spikes)"),
        (3, "all spikes came 3 steps late: give --output-steps 4"),
        (9, "no delay of 1 to 8 steps explains it; events may reach the chip late: try --input-steps 1, 2, 3"),
    ],
)
def test_late_spikes_are_found(
    shift: int,
    last: str,
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(script, "_claimed", lambda asked: "board")
    monkeypatch.setattr(script, "_rows", held(bundle, shift + 1))
    words = ["--target", "loihi2", "--output-steps", "1", "--out", str(tmp_path / "got.npz")]
    assert script.run(bundle, words) == bool(shift)
    assert capsys.readouterr().out.splitlines()[-1].endswith(last)


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    for name in ("NXSDKHOST", "SLURM"):
        monkeypatch.delenv(name, raising=False)
    dlm.save(network(), "small")
    np.savez("images.npz", **images(3))
    return ["deploy", "small.json", "--stimulus", "images.npz", "--steps", "16"]


def test_deploy_without_a_board_says_what_is_missing_and_what_is_in_order(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--out", "made"]) == 2
    told = capsys.readouterr().err
    assert "cannot deploy to a Loihi 2: Intel's extension" in told
    assert "Validated: 3 windows of 16 steps, one every 16; 2 cores; " in told
    assert len(told.splitlines()) == 1
    assert not Path("made").exists()


@pytest.mark.parametrize("out", [[], ["--out", "made"]])
def test_deploy_with_a_board_runs_the_bundles_script_and_ends_as_it_does(
    words: list[str], out: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[list[str]] = []

    def instead(command: list[str], **given: Any) -> subprocess.CompletedProcess[str]:
        assert Path(command[1]).is_file()
        ran.append(command)
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(launch, "missing", lambda host: None)
    monkeypatch.setattr(launch.subprocess, "run", instead)
    assert main([*words, *out, "--host", "10.0.0.1", "--input-steps", "2"]) == 1
    (command,) = ran
    assert command[0] == sys.executable
    assert command[2:] == ["--target", "loihi2", "--host", "10.0.0.1", "--input-steps", "2"]
    assert ("--out FOLDER keeps it" in capsys.readouterr().out) == (not out)
    assert Path("made").is_dir() == bool(out)
    assert Path(command[1]).exists() == bool(out)
