"""What ``dlm-snn deploy`` and ``compare`` refuse or say of options, stimuli and files that do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.cli import main
from hardware.loihi2 import contents, rasters
from hardware.loihi2.bundle import write_bundle
from hardware.loihi2.prepared import prepared

TITLES = "population,sample,step,neuron"


def network() -> dlm.IntegerNetwork:
    """'b' needs two spikes at once."""
    return dlm.IntegerNetwork(
        {
            "x": dlm.Input((2,)),
            "a": dlm.IntegerLIF((2,), dv=0, v_threshold=30),
            "b": dlm.IntegerLIF((1,), dv=4095, v_threshold=50),
        },
        [
            dlm.IntegerProjection("x", "a", dlm.Dense([[40, 0], [0, 40]])),
            dlm.IntegerProjection("a", "b", dlm.Dense([[40, 40]])),
        ],
    )


def fed(samples: int = 6, neurons: int = 2) -> np.ndarray:
    x = np.zeros((samples, 4, 2), int)
    x[:, 0, :neurons] = 1
    return x


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    dlm.save(network(), "small")
    dlm.save(dlm.IntegerNetwork({"x": dlm.Input((2,))}), "inputs")
    np.savez("x.npz", x=fed())
    np.savez("one.npz", x=fed(neurons=1))
    np.savez("none.npz", x=fed(neurons=0))
    np.savez("number.npz", x=np.array(1))
    write_bundle(prepared(network(), {"x": fed()}, 4), tmp_path / "bundle")
    return tmp_path


def line_of(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(words) == 2
    told = capsys.readouterr()
    assert (told.out, len(told.err.splitlines())) == ("", 1)
    return told.err.removeprefix("dlm-snn: ").rstrip("\n")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--host", "a"], "--host is for a run on a board; leave it out with --dry-run"),
        (["--partition", "a"], "--partition is for a run on a board"),
        (["--board", "a"], "--board is for a run on a board"),
        (["--generation", "N3B3"], "--generation is for a run on a board"),
        (["--input-steps", "0"], "--input-steps is for a run on a board"),
        (["--output-steps", "2"], "--output-steps is for a run on a board"),
        (["--split-seed", "-1"], "--split-seed -1: at least 0"),
        (["--samples", "7"], "--samples 7: x.npz has 6"),
    ],
)
def test_options_that_would_be_ignored_are_refused(
    words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = line_of(
        ["deploy", "small", "--dry-run", "--stimulus", "x.npz", "--steps", "4", "--out", "made", *words], capsys
    )
    assert told.startswith(line)
    assert not Path("made").exists()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("name", "stimulus", "line"),
    [
        ("small", "none.npz", "0 spikes expected in 6 windows; nothing would be compared: feed something else"),
        ("small", "number.npz", "stimulus 'x' has shape ()"),
        ("inputs", "x.npz", "the network has no neurons to place"),
    ],
)
def test_what_would_compare_nothing_is_refused(
    name: str, stimulus: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = line_of(["deploy", name, "--dry-run", "--stimulus", stimulus, "--steps", "4", "--out", "made"], capsys)
    assert told.startswith(line)
    assert not Path("made").exists()


@pytest.mark.usefixtures("here")
def test_populations_that_never_spike_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["deploy", "small", "--dry-run", "--steps", "4", "--out"]
    assert main([*words, "made", "--stimulus", "one.npz"]) == 0
    assert capsys.readouterr().out.endswith("; 6 spikes expected; never spikes: b\n")
    assert main([*words, "other", "--stimulus", "x.npz"]) == 0
    assert capsys.readouterr().out.endswith("; 18 spikes expected\n")


@pytest.mark.usefixtures("here")
def test_what_came_back_from_a_board_is_never_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["deploy", "small", "--dry-run", "--steps", "4", "--stimulus", "x.npz", "--out", "bundle", "--replace"]
    Path("bundle/got-cpu.npz").write_bytes(b"")
    assert main(words) == 0
    assert not Path("bundle/got-cpu.npz").exists()
    capsys.readouterr()
    Path("bundle/got-loihi2.npz").write_bytes(b"back")
    told = line_of(words, capsys)
    assert told == (
        "bundle is not replaced: got-loihi2.npz may come from a board; move it away, or choose another name"
    )
    with pytest.raises(dlm.DlmError, match=r"got-loihi2.npz may come from a board"):
        write_bundle(prepared(network(), {"x": fed()}, 4), Path("bundle"), replace=True)
    assert Path("bundle/got-loihi2.npz").read_bytes() == b"back"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("words", [["check"], ["deploy", "--dry-run"], ["energy"]])
def test_a_bundle_is_no_network(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    told = line_of([words[0], "bundle", *words[1:]], capsys)
    assert told == "bundle is a bundle of 'dlm-snn deploy'; give the network that it was made from"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("file", "line"),
    [
        (".", ". is a folder; give the npz or CSV that a board made of the bundle"),
        ("untitled.csv", f"untitled.csv has another title line; its first line must be {TITLES}"),
        ("typo.csv", f"typo.csv has another title line; its first line must be {TITLES}"),
        ("void.csv", f"void.csv has another title line; its first line must be {TITLES}"),
    ],
)
def test_another_title_line_and_a_folder(file: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("untitled.csv").write_text("a,0,1,0\n")
    Path("typo.csv").write_text("population,sample,step,neurn\na,0,1,0\n")
    Path("void.csv").write_text("")
    assert line_of(["compare", "bundle", file], capsys) == line


@pytest.mark.usefixtures("here")
def test_a_csv_of_fewer_windows_is_told_to_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    held = rasters.read(Path("bundle") / contents.EXPECTED)
    rows = [
        f"{name},{sample},{step},{neuron}"
        for name, raster in held.items()
        for sample, step, neuron in zip(*map(np.ndarray.tolist, raster[:3]), strict=True)
    ]
    Path("few.csv").write_text("\n".join([TITLES, *(row for row in rows if row.split(",")[1] < "2")]) + "\n")
    Path("all.csv").write_text("\n".join([TITLES, *rows[1:]]) + "\n")
    note = "few.csv ends with sample 1 of 0..5; of fewer windows give an npz, which says how many"
    assert main(["compare", "bundle", "few.csv"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == note
    assert main(["compare", "bundle", "all.csv"]) == 1
    assert "ends with sample" not in capsys.readouterr().out
