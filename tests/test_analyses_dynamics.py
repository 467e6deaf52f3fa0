"""``dlm-snn analyze --what stability,information,irreversibility``: what each makes of files, runs and recordings."""

from __future__ import annotations

from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.analysis import Finding
from dlm_snn.cli import main
from dlm_snn.exchange.formats import write_rasters
from dlm_snn.provenance import Provenance
from dlm_snn.runs.answers import Answers
from dlm_snn.runs.recording_files import save_recording
from dlm_snn.runs.run_folder import write_run
from dlm_snn.runs.run_metrics import RunMetrics
from dlm_snn.verbs.rasters.selection import add_selection, selected

NAMES = ("stability", "information", "irreversibility")


def analyzed(what: str, population: str, *words: str | Path) -> dict[str, Finding]:
    parser = ArgumentParser(allow_abbrev=False)
    add_selection(parser)
    part = selected(parser.parse_args([str(word) for word in words]))
    analyze = import_module(f"dlm_snn.verbs.rasters.analyses.{what}").analyze
    return {finding.name: finding for finding in analyze(part, population, np.random.default_rng(0)).findings}


@pytest.fixture
def follower(tmp_path: Path) -> Path:
    """Neuron 1 repeats neuron 0 a step later, often; neuron 2 is noise."""
    rng = np.random.default_rng(1)
    spikes = rng.random((4, 3000, 3)) < 0.2
    spikes[:, 1:, 1] |= spikes[:, :-1, 0] & (rng.random((4, 2999)) < 0.7)
    spikes[:, :, 2] &= rng.random((4, 3000)) < 0.5
    dlm.SpikeRaster.from_dense(spikes).save(tmp_path / "r.npz")
    return tmp_path / "r.npz"


def test_the_command_says_what_is_resolved(follower, capsys):
    assert main(["analyze", str(follower), "--what", ",".join(NAMES)]) == 0
    out = capsys.readouterr().out
    assert "information of 'r': 1 of 2 figures resolved, transfer entropy of neuron 0 to 1: 0." in out
    assert "stability of 'r': damage slope: not resolved\n" in out
    assert out.count("needs a network") == 1
    assert "irreversibility of 'r': 0." in out


def test_a_raster_alone(follower):
    found = analyzed("information", "r", follower)
    assert found["transfer entropy of neuron 0 to 1"].resolved
    assert not found["transfer entropy of neuron 1 to 0"].resolved
    assert analyzed("irreversibility", "r", follower)["irreversibility"].resolved
    (stability,) = analyzed("stability", "r", follower).values()
    assert str(stability) == "damage slope: not resolved (needs a network; give a run or a recording)"
    cut = analyzed("information", "r", follower, "--to", "0.02")
    assert not any(one.resolved for one in cut.values())


@pytest.mark.parametrize("shape", [(0, 5, 3), (1, 0, 3), (1, 5, 0), (2, 1, 1), (1, 50, 3)])
@pytest.mark.parametrize("what", NAMES)
def test_rasters_with_nothing_in_them(tmp_path, what, shape):
    dlm.SpikeRaster.from_dense(np.zeros(shape, bool)).save(tmp_path / "r.npz")
    assert not any(one.resolved for one in analyzed(what, "r", tmp_path / "r.npz").values())


def test_one_neuron_has_nothing_between_neurons_and_no_figure_where_nothing_was_fitted(tmp_path):
    dlm.SpikeRaster.from_dense(np.random.default_rng(1).random((1, 500, 1)) < 0.1).save(tmp_path / "r.npz")
    (between,) = analyzed("information", "r", tmp_path / "r.npz").values()
    (arrow,) = analyzed("irreversibility", "r", tmp_path / "r.npz").values()
    for finding in (between, arrow):
        assert len(finding.doubts) == 1
        assert finding.doubts[0].startswith("does not apply: needs two neurons")
    dlm.SpikeRaster.from_dense(np.ones((1, 500, 4), bool)).save(tmp_path / "all.npz")
    parser = ArgumentParser(allow_abbrev=False)
    add_selection(parser)
    part = selected(parser.parse_args([str(tmp_path / "all.npz")]))
    for what in ("spectrum", "criticality"):
        analyze = import_module(f"dlm_snn.verbs.rasters.analyses.{what}").analyze
        assert not analyze(part, "all", np.random.default_rng(0)).figures
    assert analyzed("irreversibility", "all", tmp_path / "all.npz")["irreversibility"].doubts == (
        "one word only, in all steps",
    )


def test_labels_of_trials(tmp_path):
    """Kinds are words; the spike count of neuron 0 tells two of them apart."""
    rng = np.random.default_rng(2)
    kinds = rng.integers(0, 2, 400)
    raster = dlm.SpikeRaster.from_dense(rng.random((400, 4, 2)) < np.where(kinds, 0.9, 0.1)[:, None, None])
    trials = [{"label": ("left", "right")[kind]} for kind in kinds]
    write_rasters({"a": raster}, tmp_path / "many", labels={"trials": trials})
    found = analyzed("information", "a", tmp_path / "many")
    assert found["I(label; count of neuron 0)"].estimate > 0.4
    assert found["decoder bound of I(label; all counts)"].resolved
    part = analyzed("information", "a", tmp_path / "many", "--trials", ":300")
    assert part["I(label; count of neuron 0)"].size["observations"] == 300


def test_a_run_with_labels_and_images(tmp_path):
    rng = np.random.default_rng(3)
    pixels = dlm.Input((1, 4, 4), graded_bits=4, scale=15)
    to_h, to_o = dlm.Dense(rng.random((8, 16)) / 8), dlm.Dense(np.eye(2, 8))
    network = dlm.Network(
        {"pixels": pixels, "h": dlm.LIF((8,), dv=0.2), "o": dlm.LIF((2,), dv=0.2)},
        [dlm.Projection("pixels", "h", to_h), dlm.Projection("h", "o", to_o)],
    )
    labels = rng.integers(0, 2, 300)
    images = (rng.integers(0, 8, (300, 16)) + 7 * labels[:, None]).astype(np.uint8)
    recording = dlm.run(network, {"pixels": images[:200]}, 20, record=("s", "v"))
    answers = Answers(labels, {"float": labels}, np.arange(12), images[:12].reshape(12, 1, 4, 4), 15)
    (tmp_path / "run").mkdir()
    kept = {"reference": (recording, recording)}
    record = Provenance("a test", seed=0)
    write_run(tmp_path / "run", "seed: 0\n", {"float": network}, kept, RunMetrics(), record, answers)
    found = analyzed("information", "h", tmp_path / "run")
    assert found["decoder bound of I(label; all counts)"].resolved
    assert found["I(2 neurons; 2 neurons of o)"].size["observations"] == 200 * 20
    damage = analyzed("stability", "o", tmp_path / "run")
    assert damage["damage slope (ordered)"].estimate == 0
    assert "ordered: below 1, damage dies out" in damage["damage slope (ordered)"].estimator
    assert damage["damage slope (ordered)"].size["samples"] <= 12


def test_recordings_of_networks(tmp_path):
    """Without input: damage and a period. With input that no file holds: it is said."""
    integer = dlm.IntegerNetwork(
        {"a": dlm.IntegerLIF((2,), dv=0, v_threshold=50, bias_mant=np.array([100, 150]))},
        [dlm.IntegerProjection("a", "a", dlm.Dense(np.array([[0, -20], [-20, 0]])))],
    )
    fed = dlm.Network(
        {"x": dlm.Input((2,)), "a": dlm.LIF((2,), dv=0.2)}, [dlm.Projection("x", "a", dlm.Dense(np.eye(2)))]
    )
    for name, network, stimulus in (("own", integer, {}), ("fed", fed, {"x": np.ones((1, 40, 2), bool)})):
        (tmp_path / name).mkdir()
        save_recording(dlm.run(network, stimulus, 40), tmp_path / name, "reference")
    own = analyzed("stability", "a", tmp_path / "own")
    assert own["period"].resolved
    assert own["period"].value > 1
    assert any(name.startswith("damage slope") for name in own)
    (missing,) = analyzed("stability", "a", tmp_path / "fed").values()
    assert missing.doubts == ("needs what fed the Input 'x', which the file does not hold",)
