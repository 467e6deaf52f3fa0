"""``dlm-snn raster plot``: what it draws of files, recordings and runs, and what it refuses."""

from __future__ import annotations

import re
import shlex
from html import unescape
from pathlib import Path

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.cli import main
from dlm_snn.exchange.formats import write_rasters
from dlm_snn.provenance import Provenance
from dlm_snn.runs.run_folder import write_run
from dlm_snn.runs.run_metrics import RunMetrics

RASTER = dlm.SpikeRaster.from_dense(np.random.default_rng(3).random((3, 40, 6)) < 0.2)
NETWORK = dlm.Network(
    {"in": dlm.Input((5,)), "hidden": dlm.LIF((4,), dv=0.25), "output": dlm.LIF((2,), dv=0.25)},
    (
        dlm.Projection("in", "hidden", dlm.Dense(np.random.default_rng(1).integers(-16, 64, (4, 5)) / 64)),
        dlm.Projection("hidden", "output", dlm.Dense(np.random.default_rng(2).integers(-16, 64, (2, 4)) / 64)),
    ),
)
FED = {"in": np.random.default_rng(2).random((3, 30, 5)) < 0.5}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    RASTER.save("spikes.npz")
    return tmp_path


def texts(path) -> list[str]:
    """What stands in an SVG, glyph boxes left out."""
    return [unescape(text) for text in re.findall(r"<text[^>]*>([^<]+)</text>", path.read_text())]


def plotted(capsys, *words: str) -> str:
    assert main(["raster", "plot", *words]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def refused(capsys, *words: str) -> str:
    assert main(["raster", "plot", *words]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    return told


def test_a_file_is_drawn_beside_nothing_under_its_own_name(here, capsys):
    assert plotted(capsys, "spikes.npz") == "written: spikes.png\n"
    assert (here / "spikes.png").read_bytes().startswith(b"\x89PNG")
    assert "exists" in refused(capsys, "spikes.npz")
    assert plotted(capsys, "spikes.npz", "--replace") == "written: spikes.png\n"
    assert sorted(path.name for path in here.iterdir()) == ["spikes.npz", "spikes.png"]


def test_kinds_become_panels_below_one_another(here, capsys):
    kinds = "raster,activity,rates,isi,psth"
    plotted(capsys, "spikes.npz", "--kind", kinds, "--out", "a.svg", "--bin", "5")
    said = texts(here / "a.svg")
    for label in ("neuron", "sample, each 40 ms", "rate in Hz", "intervals in %", "time in ms, bins of 5 ms"):
        assert label in said
    assert said.count("rate in Hz") == 3


@pytest.mark.long
def test_the_jitter_of_a_correlogram_has_a_seed(here, capsys):
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        words = ("--kind", "correlogram", "--pair", "4,2", "--neurons", "2:", "--seed", seed, "--out", f"{name}.svg")
        plotted(capsys, "spikes.npz", *words)
    a, b, c = ((here / f"{name}.svg").read_bytes() for name in "abc")
    assert a == b != c


def test_the_part_that_was_selected_has_its_own_numbers_on_the_axes(here, capsys):
    plotted(
        capsys, "spikes.npz", "--trials", "1", "--neurons", "2:5", "--from", "0.01", "--to", "0.03", "--out", "a.svg"
    )
    said = texts(here / "a.svg")
    assert {"2", "3", "4", "10", "20", "30"} <= set(said)
    assert not {"0", "1", "5", "40"} & set(said[: said.index("time in ms")])
    plotted(capsys, "spikes.npz", "--by", "trial", "--trials", "1:3", "--out", "b.svg")
    said = texts(here / "b.svg")
    assert "trial of 6 neurons" in said
    assert said[said.index("time in ms") + 1 :].index("trial of 6 neurons") == 2  # the trials 1 and 2
    assert "time in ms, bins of 1 ms" in said


def test_a_correlogram_names_its_pair_by_the_numbers_of_the_file(here, capsys):
    words = ("--kind", "correlogram", "--pair", "4,2", "--neurons", "2:", "--out", "a.svg")
    plotted(capsys, "spikes.npz", *words)
    assert {"lag of neuron 2 behind 4, in ms", "jitter within 20 ms, 95 %"} <= set(texts(here / "a.svg"))
    told = refused(capsys, "spikes.npz", "--kind", "correlogram", "--pair", "1,3", "--neurons", "2:")
    assert "--pair 1,3: 'spikes' has the neurons 2..5 here" in told


def test_a_table_of_trials_brings_labels(here, capsys):
    trials = [{"start": float(k), "cue": cue} for k, cue in enumerate(("left", "right", "left"))]
    write_rasters({"a": RASTER, "b": RASTER}, here / "many", labels={"trials": trials})
    plotted(capsys, "many", "--by", "label", "--labels", "cue", "--out", "a.svg")
    said = texts(here / "a.svg")
    assert {"left", "right", "label", "a", "b"} <= set(said)
    plotted(capsys, "many", "--by", "label", "--labels", "cue", "--trials", "0", "--out", "b.svg")
    assert "right" not in texts(here / "b.svg")
    assert "a column of its trials: start, cue" in refused(capsys, "many", "--by", "label", "--out", "c.svg")
    assert "did you mean 'cue'" in refused(capsys, "many", "--by", "label", "--labels", "cues", "--out", "c.svg")
    assert "needs the output population alone" in refused(capsys, "many", "--kind", "confusion", "--labels", "cue")
    told = refused(capsys, "many", "--kind", "confusion", "--population", "a", "--labels", "cue", "--out", "c.svg")
    assert "labels" in told
    assert not (here / "c.svg").exists()


def test_a_recording_has_voltages_and_weights(here, capsys):
    from dlm_snn.runs.recording_files import save_recording

    (here / "rec").mkdir()
    save_recording(dlm.run(NETWORK, FED, n_steps=30, record=("s", "u", "v")), here / "rec", "reference")
    words = ("rec", "--kind", "v,weights", "--trials", "1:2", "--from", "0.01", "--neurons", "0:2", "--out", "a.svg")
    plotted(capsys, *words)
    said = texts(here / "a.svg")
    assert {"hidden, sample 1", "output, sample 1", "neuron 0", "neuron 1", "in->hidden", "hidden->output"} <= set(said)
    assert "before the reset" in said
    assert "neuron 2" not in said
    plotted(capsys, "rec", "--kind", "v,weights", "--population", "output", "--out", "b.svg")
    assert not {"hidden, sample 0", "in->hidden"} & set(texts(here / "b.svg"))
    assert "does not tell the labels" in refused(capsys, "rec", "--kind", "confusion")
    assert "no network" in refused(capsys, "spikes.npz", "--kind", "weights")
    assert "holds no v of spikes" in refused(capsys, "spikes.npz", "--kind", "v")


@pytest.fixture
def run_folder(here):
    folder = here / "demo"
    folder.mkdir()
    integer, _ = dlm.quantize(NETWORK, calibration=FED, n_steps=30)
    both = {"reference": NETWORK, "lava-fixed": integer}
    recorded = {name: dlm.run(one, FED, n_steps=30, record=("s", "u", "v")) for name, one in both.items()}
    write_run(
        folder,
        "a: 1\n",
        {"float": NETWORK, "integer": integer},
        {name: (one, one) for name, one in recorded.items()},
        RunMetrics(),
        Provenance("a test", seed=0),
    )
    return folder


def test_a_run_has_voltages_of_floats_and_integers_together(run_folder, capsys):
    plotted(capsys, str(run_folder), "--kind", "v", "--out", "a.svg")
    assert {"reference", "lava-fixed", "output, sample 0"} <= set(texts(run_folder.parent / "a.svg"))
    plotted(capsys, str(run_folder), "--kind", "v", "--simulator", "lava-fixed", "--out", "b.svg")
    assert "reference" not in texts(run_folder.parent / "b.svg")
    assert "sample 0 alone" in refused(capsys, str(run_folder), "--kind", "v", "--trials", "1")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--out", "a.jpg"], "ends in .png, .svg, .pdf"),
        (["--by", "label"], "does not tell the labels of its samples; it has no table of trials"),
        (["--labels", "stimulus", "--by", "label"], "it has no table of trials"),
        (["--bin", "0.3"], "spikes.npz: width"),
        (["--kind", "confusion", "--neurons", "0:2"], "needs all output neurons"),
        (["--kind", "psth", "--bin", "1000"], "spikes.npz: width"),
    ],
)
def test_what_cannot_be_drawn_is_one_line_and_leaves_no_file(here, capsys, words, told):
    assert told in refused(capsys, "spikes.npz", *words)
    assert [path.name for path in here.iterdir()] == ["spikes.npz"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--kind", "rasters"], "'rasters' is none of raster, activity"),
        (["--width", "0.5"], "leave no room to draw; give 1 or more"),
        (["--width", "-1"], "'-1' is not a number above 0"),
        (["--bin", "x"], "'x' is not a number"),
        (["--by", "neuron"], "invalid choice"),
        (["--pair", "3"], "'3' is not a pair of neurons such as 3,5"),
    ],
)
def test_wrong_words_are_told(here, capsys, words, told):
    assert main(["raster", "plot", "spikes.npz", *words]) == 2
    assert told in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["spikes.npz"]


@pytest.mark.long
def test_the_commands_of_the_page(here, capsys):
    page = (Path(__file__).parents[1] / "docs" / "plots.md").read_text()
    dlm.SpikeRaster.from_dense(np.random.default_rng(0).random((2, 300, 5)) < 0.1).save("hidden.npz")
    commands = re.search(r"^```bash\n(.*?)^```", page, re.S | re.M)[1].splitlines()
    made = []
    for command in commands:
        words = shlex.split(command)
        assert words[:3] == ["dlm-snn", "raster", "plot"]
        made.append(plotted(capsys, *words[3:]))
    assert made == [f"written: {name}\n" for name in ("hidden.png", "statistics.svg", "neuron.pdf")]


def test_no_file(here, capsys):
    assert "none.npz" in refused(capsys, "none.npz")


def test_of_many_samples_the_first_are_drawn_and_it_says_so(here, capsys):
    dense = np.random.default_rng(3).random((170, 10, 2)) < 0.2
    write_rasters({"a": dlm.SpikeRaster.from_dense(dense)}, here / "many", labels={"unit_ids": {"a": [31, 72]}})
    told = plotted(capsys, "many", "--out", "a.svg")
    assert told.endswith("written: a.svg; spikes of the first 10 of 170 samples alone, --trials 0:170 draws all\n")
    said = texts(here / "a.svg")
    assert said.count("the first 10 of 170 samples") == 2
    assert {"31", "72"} <= set(said)
    assert "first 100 of 170" in plotted(capsys, "many", "--by", "trial", "--out", "b.svg")
    assert plotted(capsys, "many", "--trials", "0:170", "--out", "c.svg").endswith("written: c.svg\n")
    assert "first" not in "".join(texts(here / "c.svg"))


def test_no_samples_and_a_debug_behind_the_action(here, capsys):
    RASTER[:0].save("none.npz")
    assert plotted(capsys, "none.npz", "--out", "a.svg", "--debug") == "written: a.svg\n"
    assert "no spikes" in texts(here / "a.svg")
