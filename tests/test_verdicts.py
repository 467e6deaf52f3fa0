"""What a verdict says where there is no answer: by every verb, by the report, and by the loss budget."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import dlm_snn as dlm
from dlm_snn.cli import main
from dlm_snn.provenance import Provenance
from dlm_snn.report import wording
from dlm_snn.runs.metrics import answering, silence, silent_populations, verdict
from dlm_snn.runs.run_metrics import RunMetrics
from experiments.recipes.config import RunConfig
from experiments.road.again import Earlier, compared

SMALL = [
    *("--set", "network.hidden=[8]", "--set", "network.winners=null", "--set", "training.epochs=1"),
    *("--set", "simulation.n_steps=4", "--dynamics", "plain"),
]
ALONE = [
    *("--set", "simulation.float_backends=[reference]", "--set", "simulation.integer_backends=[reference]"),
    *("--set", "simulation.samples=30", "--set", "simulation.state_samples=5"),
]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def typed(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> str:
    assert main([str(word) for word in words]) == code
    out, err = capsys.readouterr()
    return out + err


def pixels_to_classes(hidden_threshold: float, output_threshold: float, brightest: float = 1.0) -> dlm.Network:
    rng = np.random.default_rng(0)
    return dlm.Network(
        {
            "pixels": dlm.Input((64,), graded_bits=5, scale=16),
            "hidden": dlm.LIF((8,), dv=0.1, v_threshold=hidden_threshold),
            "output": dlm.LIF((10,), dv=0.1, v_threshold=output_threshold),
        },
        [
            dlm.Projection("pixels", "hidden", dlm.Dense(brightest * rng.normal(0.02, 0.1, (8, 64)))),
            dlm.Projection("hidden", "output", dlm.Dense(rng.normal(0.1, 0.5, (10, 8)))),
        ],
    )


@pytest.mark.parametrize(
    ("unanswered", "never", "text"),
    [
        (0.0, [], ""),
        (0.98, [], "98.0% of samples without an answer"),
        (1.0, ["output"], "all samples without an answer, 'output' never spikes"),
        (0.0, ["hidden"], "'hidden' never spikes"),
    ],
)
def test_silence_is_one_phrase(unanswered, never, text):
    assert silence(unanswered, never) == text
    told = verdict(0.02, "50 test samples", unanswered, never)
    assert told == "accuracy 2.00% on 50 test samples" + (f" ({text})" if text else "")


def test_the_population_that_answers_is_the_one_that_sends_to_no_other():
    loop = dlm.Projection("output", "output", dlm.Dense(-np.eye(10)))
    network = pixels_to_classes(1, 1)
    assert answering(network) == "output"
    turned = {name: network.populations[name] for name in ("output", "pixels", "hidden")}
    assert answering(dlm.Network(turned, [*network.projections, loop])) == "output"
    assert silent_populations({"hidden": 0.0, "output": 0.5}) == ["hidden"]
    with pytest.raises(dlm.DlmError, match="the network has no neurons"):
        answering(dlm.Network({"pixels": dlm.Input((4,))}))


@pytest.mark.parametrize(
    ("thresholds", "told"),
    [
        (
            (1e6, 1.0),
            "accuracy 0.00% on 20 test samples (all samples without an answer, 'hidden' never spikes, 'output'",
        ),
        ((0.5, 1e6), "accuracy 0.00% on 20 test samples (all samples without an answer, 'output' never spikes)"),
    ],
)
def test_simulate_and_convert_name_what_never_spikes(capsys, thresholds, told):
    dlm.save(pixels_to_classes(*thresholds), "net")
    assert told in typed(capsys, "simulate", "net", "--steps", 4)
    out = typed(capsys, "convert", "net", "--steps", 4, "--samples", 30)
    assert "  float accuracy 0.00% (all samples without an answer)" in out
    assert "  integer accuracy 0.00% (all samples without an answer)" in out
    assert "warning: 'output' never spikes on the calibration data" in out
    loss = json.loads(Path("integer.loss.json").read_text())
    assert loss["accuracy"] == {"float": 0, "integer": 0}
    assert loss["unanswered"] == {"float": 1, "integer": 1}


def test_convert_prints_both_accuracies(capsys):
    network = pixels_to_classes(0.5, 0.5)
    dlm.save(network, "net")
    out = typed(capsys, "convert", "net", "--steps", 6, "--samples", 40)
    found = json.loads(Path("integer.loss.json").read_text())["accuracy"]
    assert 0 < found["float"] < 1
    for kind, value in found.items():
        assert f"  {kind} accuracy {value:.2%}" in out
    few = {**network.populations, "output": dlm.LIF((4,), dv=0.1)}
    cut = dlm.Projection("hidden", "output", dlm.Dense(np.ones((4, 8))))
    dlm.save(dlm.Network(few, [network.projections[0], cut]), "few")
    out = typed(capsys, "convert", "few", "--steps", 4, "--samples", 5, "--out", "few-int")
    assert "no accuracy: digits has 10 classes, the network has 4 output neurons" in out


def test_train_names_a_silent_network(capsys):
    told = typed(capsys, "train", *SMALL, "--set", "network.v_threshold=1000.0")
    assert "held-out samples (all samples without an answer, 'hidden' never spikes, 'output' never spikes)" in told
    assert "accuracy 0.0%" in told  # of the training samples, where no answer is no class 0


def test_run_names_a_silent_network_and_whether_it_repeats_another(capsys):
    out = typed(capsys, "run", *SMALL, *ALONE, "--set", "network.v_threshold=1000.0", "--name", "quiet")
    assert "samples without an answer" in out
    assert "100.00%" in out
    assert "warning: float network: 'hidden' never spikes, 'output' never spikes on the test samples" in out
    page = Path("runs/quiet/report.html").read_text()
    assert "all samples without an answer, 'hidden' never spikes" in page.replace("&#39;", "'")
    out = typed(capsys, "run", "--config", "runs/quiet", "--name", "again", "--set", "quantization.weight_bits=4")
    assert "the run repeats 'quiet': the same data and network" in out
    record = json.loads(Path("runs/again/record.json").read_text())
    assert record["instruction_set"] == torch.backends.cpu.get_cpu_capability()
    assert record["repetition"] == "repeats 'quiet': the same data and network"
    page = Path("runs/again/report.html").read_text().replace("&#39;", "'")
    assert record["repetition"] in page
    assert record["instruction_set"] in page


EARLIER = {
    "digests": {"data": "d", "network": "n", "integer": "i"},
    "instruction_set": "AVX512",
    "machine": "one",
    "commit": "c",
    "versions": {"torch": "2.13.0", "numpy": "1.26.4"},
}
REPETITIONS = {
    "same": ({}, {}, {}, "repeats 'first': the same data, network and integer network"),
    "another CPU": (
        {},
        {"network": "x", "integer": "y"},
        {"instruction_set": "AVX2", "machine": "two"},
        "repeats 'first' and got another network and integer network: the digests differ "
        "(torch's instruction set AVX2 here, AVX512 there; machine two here, one there)",
    ),
    "another torch": (
        {},
        {"network": "x"},
        {"versions": {"torch": "2.14.0", "numpy": "1.26.4"}},
        "repeats 'first' and got another network: the digests differ (torch 2.14.0 here, 2.13.0 there)",
    ),
    "no reason": (
        {},
        {"integer": "x"},
        {},
        "repeats 'first' and got another integer network: the digests differ "
        "(machine, commit and versions are the same)",
    ),
    "other bits": (
        {"quantization": {"weight_bits": 4}},
        {"integer": "x"},
        {},
        "repeats 'first': the same data and network",
    ),
    "other training": (
        {"training": {"epochs": 9}},
        {"network": "x", "integer": "x"},
        {},
        "repeats 'first': the same data",
    ),
    "other simulators": (
        {"simulation": {"samples": 3}},
        {"network": "x"},
        {},
        "repeats 'first' and got another network: the digests differ (machine, commit and versions are the same)",
    ),
    "other data": ({"data": {"dataset": "mnist"}}, {"data": "x", "network": "x"}, {}, None),
    "changed data": (
        {},
        {"data": "x"},
        {},
        "repeats 'first' and got other data: the digests differ (machine, commit and versions are the same)",
    ),
}


@pytest.mark.parametrize("name", REPETITIONS)
def test_a_repetition_says_whether_it_got_the_same(name):
    changes, digests, others, told = REPETITIONS[name]
    fields = {key: value for key, value in EARLIER.items() if key != "digests"} | others
    record = Provenance("dlm-snn run", seed=0, digests=EARLIER["digests"] | digests, **fields)
    assert compared(Earlier("first", RunConfig(), EARLIER), RunConfig.model_validate(changes), record) == told


def test_the_report_shows_no_accuracy_without_the_share_of_answers():
    content = {
        "accuracy": {"float": 0.02, "integer": 0.5},
        "accuracy_samples": {"float": 50, "integer": 50},
        "silent": {"float": 49, "integer": 0},
        "activity": {"float": {"rates": {"hidden": 0.1, "output": 0.001}}, "integer": {"rates": {"hidden": 0.1}}},
    }
    metrics = RunMetrics.from_json(content)
    told = wording.sentence(metrics).replace("\u00a0", " ")
    assert told.startswith("The float network gets 2.0 % right (98.0 % of samples without an answer); its integer form")
    first, second = wording.tiles(metrics)[:2]
    assert first.label.replace("\u00a0", " ") == (
        "test accuracy; 95 % interval 0.4 to 10.5 %; 98.0 % of samples without an answer"
    )
    assert second.label.replace("\u00a0", " ") == "test accuracy; 95 % interval 36.6 to 63.4 %"
