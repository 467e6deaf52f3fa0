"""``dlm-snn energy``: runs, recordings and networks; what it prints, and what it refuses in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.cli import main
from dlm_snn.provenance import Provenance
from dlm_snn.runs.run_folder import write_run
from dlm_snn.runs.run_metrics import RunMetrics
from dlm_snn.tasks.parts import DataConfig, split
from hardware.operations import count
from hardware.verbs.control import chain

pytestmark = pytest.mark.usefixtures("stored")
STEPS, SAMPLES = 8, 6
SETTINGS = "data:\n  dataset: digits\nnetwork:\n  seed: 1\ntraining:\n  epochs: 1\n"


def network() -> dlm.Network:
    rng = np.random.default_rng(0)
    return dlm.Network(
        {
            "pixels": dlm.Input((64,), graded_bits=5, scale=16),
            "h": dlm.LIF((12,), dv=0.25, v_threshold=0.5),
            "o": dlm.LIF((10,), dv=0.25, v_threshold=0.25),
        },
        [
            dlm.Projection("pixels", "h", dlm.Dense(rng.normal(0, 0.1, (12, 64)))),
            dlm.Projection("h", "o", dlm.Dense(rng.normal(0, 0.5, (10, 12)))),
        ],
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of digits, its float network, and stimuli."""
    folder = tmp_path_factory.mktemp("made")
    floats = network()
    integer, _ = dlm.quantize(floats, 8)
    data = split(DataConfig())
    fed = {"pixels": data.x_test[:SAMPLES]}
    both = {"float": floats, "integer": integer}
    names = {"reference": floats, "reference-integer": integer}
    kept = {name: (dlm.run(one, fed, STEPS), dlm.run(one, fed, STEPS, record=("v",))) for name, one in names.items()}
    metrics = RunMetrics(accuracy={"float": 0.5, "integer": 0.9}, accuracy_samples={"float": 449, "integer": 449})
    record = Provenance("a test", seed=0, digests={"data": data.dataset.checksum})
    (folder / "run").mkdir()
    write_run(folder / "run", SETTINGS, both, kept, metrics, record)
    dlm.save(floats, folder / "floats")
    np.save(folder / "steps.npy", np.repeat(fed["pixels"][:, None], STEPS, axis=1))
    np.save(folder / "constant.npy", fed["pixels"])
    return folder


@pytest.fixture
def stored(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)
    monkeypatch.delenv("DLM_DATA", raising=False)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["energy", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_run_is_counted_on_its_own_samples_in_integers(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "run")
    integer = dlm.load(made / "run" / "integer")
    fed = {"pixels": split(DataConfig()).x_test[:SAMPLES]}
    assert isinstance(integer, dlm.IntegerNetwork)
    expected = count(dlm.run(integer, fed, STEPS), fed)
    for name in ("accumulates", "multiplies", "updates", "spikes", "input_events", "activation_sparsity"):
        assert found["operations"][name] == getattr(expected, name)
    assert expected.spikes > 0
    assert found["of"] == f"run, reference-integer: {SAMPLES} samples of {STEPS} steps"
    (estimate,) = found["estimates"]
    assert estimate["method"] == "model"
    assert estimate["profile"] == "loihi1-davies2018"
    assert estimate["boundary"].startswith("neuro-cores alone")
    assert found["measured"] is None
    assert found["against_dense"] is None
    assert told(capsys, "run", "--simulator", "reference")["of"].startswith("run, reference: ")


def test_a_network_takes_a_stimulus_or_a_dataset(capsys: pytest.CaptureFixture[str]) -> None:
    by_file = told(capsys, "floats", "--stimulus", "steps.npy")
    assert by_file["operations"]["steps"] == STEPS
    assert by_file == told(capsys, "floats", "--stimulus", "constant.npy", "--steps", str(STEPS))
    by_name = told(capsys, "floats.json", "--dataset", "digits", "--samples", str(SAMPLES), "--steps", str(STEPS))
    assert by_name["operations"] == by_file["operations"]
    assert main(["simulate", "floats", "--samples", str(SAMPLES), "--steps", str(STEPS), "--out", "recorded"]) == 0
    capsys.readouterr()
    assert told(capsys, "recorded", "--stimulus", "constant.npy")["operations"] == by_file["operations"]
    assert told(capsys, "recorded", "--dataset", "digits")["operations"] == by_file["operations"]


def test_the_table_marks_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--profile", "all", "--learning-events", "500", "--dense-accuracy", "0.9"]
    words += ["--measure", "--backend", "fast"]
    assert main(["energy", *words]) == 0
    out = capsys.readouterr().out
    for name in ("loihi1-davies2018", "truenorth-akopyan2015", "spinnaker2", "45nm-float32"):
        assert out.count(f"estimate by the profile {name}, ") == 1
    assert out.count(" uJ per inference (") == out.count(" uJ per learned sample (") == 4
    assert out.count("spiking / dense: ") == 4
    assert "not known and left out: neuron updates, spikes, learning events" in out
    assert "An estimate may be off by 5 to 100 times" in out
    assert "what the host's link takes is not public" in out
    assert "not told apart" in out
    assert "\nmeasured" in out
    assert main(["energy", "run", "--dense-accuracy", "0.99", "--step-time", "1e-3"]) == 0
    out = capsys.readouterr().out
    assert "the dense network is better by 9.00 points, so their energies are not compared" in out
    assert "spiking / dense" not in out
    assert "latency 1e+04 us: 10 steps of 1000 us (given)" in out


def test_the_control_of_a_run_is_trained_as_the_run_was(capsys: pytest.CaptureFixture[str]) -> None:
    from dlm_snn.training.loop import TrainingConfig
    from dlm_snn.training.relu import train_relu

    found = told(capsys, "run", "--control")["against_dense"]
    data = split(DataConfig())
    config = TrainingConfig(epochs=1)
    relu, _ = train_relu((64, 12, 10), data.x_train, data.y_train, config, np.random.default_rng(1), scale=16)
    assert found["dense"] == np.mean(relu.predict(data.x_test) == data.y_test)
    assert (found["spiking"], found["samples"]) == (0.9, 449)
    looped = dlm.Network(
        {"x": dlm.Input((3,)), "h": dlm.LIF((3,), dv=0.5)},
        [dlm.Projection(pre, "h", dlm.Dense(np.eye(3))) for pre in ("x", "h")],
    )
    with pytest.raises(dlm.DlmError, match="no chain of layers"):
        chain(looped)


def test_the_calibration_table_and_its_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["energy", "--calibration"]) == 0
    out = capsys.readouterr().out
    assert "autoencoder_preloaded  7.89" in out
    assert "static power 16.05 W: 775.2 uJ per inference" in out
    assert main(["energy", "--calibration", "--profile", "all", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 4 * 17


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["run", "--profile", "lohi1-davies2018"], "no profile 'lohi1-davies2018'; did you mean 'loihi1-davies2018'?"),
        ([], "energy needs a run, a recording or a network; or --calibration"),
        (["run", "--calibration"], "--calibration is of published points; leave run out"),
        (["run", "--steps", "5"], "--steps is for networks; run is a run, with its own samples: leave it out"),
        (["floats", "--dataset", "digits", "--stimulus", "steps.npy"], "give either --stimulus FILE.npy or --dataset"),
        (["run", "--backend", "fast"], "--backend is for networks; run is a run"),
        (["run", "--stimulus", "steps.npy"], "--stimulus is for networks; run is a run"),
        (["run", "--simulator", "brian2"], "run has no rasters of 'brian2'; known: reference, reference-integer"),
        (["run", "--learning-events", "-1"], "learning_events = -1.0 per sample; give a number from 0 on"),
        (["run", "--step-time", "0"], "step time 0.0 s is not a positive number of seconds"),
        (["run", "--dense-accuracy", "98"], "dense accuracy = 98.0 is no share; give 0 to 1"),
        (["floats"], "floats does not say what is fed in; give either --stimulus FILE.npy or --dataset NAME"),
        (["floats", "--stimulus", "none.npy"], "no stimulus at none.npy"),
        (["floats", "--stimulus", "constant.npy"], "constant.npy of shape (6, 64) does not say how many steps"),
        (["floats", "--stimulus", "steps.npy", "--steps", "9"], "stimulus 'pixels' has 8 steps, the run 9"),
        (["floats", "--stimulus", "steps.npy", "--samples", "2"], "--samples is for --dataset"),
        (["floats", "--dataset", "digits", "--samples", "0"], "--samples 0: at least 1"),
        (["floats", "--stimulus", "steps.npy", "--dense-accuracy", "0.5"], "the accuracy of floats is not known"),
        (["floats", "--dataset", "digits", "--control"], "--control trains what a run's configuration says"),
        (["floats", "--simulator", "reference"], "--simulator chooses among the rasters of a run, and floats is none"),
        (["nothing"], "nothing at nothing; give a network"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["energy", *words]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert line in err


def test_a_run_without_rasters_or_of_other_data_is_refused(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from shutil import copytree, rmtree

    run = copytree(made / "run", tmp_path / "bare")
    rmtree(run / "rasters")
    assert main(["energy", str(run)]) == 2
    assert "has no rasters to count; write it again with 'dlm-snn run'" in capsys.readouterr().err
    other = tmp_path / "other"
    other.mkdir()
    floats = network()
    recording = dlm.run(floats, {"pixels": np.ones((2, 64), int)}, 3, record=("s", "v"))
    record = Provenance("a test", seed=0, digests={"data": "another"})
    kept = {"reference": (recording, recording)}
    write_run(other, SETTINGS, {"float": floats}, kept, RunMetrics(), record)
    assert main(["energy", str(other)]) == 2
    assert "ran on other data than 'digits' is here; give its --data-dir" in capsys.readouterr().err
