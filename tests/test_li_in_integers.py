"""A read-out without spikes in integers: its scale, what the budget tells of it, and the verbs that read it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from dlm_snn import LI, LIF, Dense, DlmError, Input, IntegerLI, Network, Projection, load, quantize, run, save
from dlm_snn.cli import main
from dlm_snn.provenance import Provenance
from dlm_snn.report.page import write as write_report
from dlm_snn.runs.run_folder import stored_name, write_run
from dlm_snn.runs.run_metrics import RunMetrics

N_STEPS = 20
PIXELS = np.random.default_rng(1).integers(0, 17, (40, 64))


def network(out: LI, strength: float = 0.1) -> Network:
    rng = np.random.default_rng(2)
    return Network(
        {"pixels": Input((64,), graded_bits=5, scale=16), "hidden": LIF((60,), dv=0.125), "output": out},
        [
            Projection("pixels", "hidden", Dense(rng.normal(0, 0.1, (60, 64)))),
            Projection("hidden", "output", Dense(rng.normal(0, strength, (10, 60)))),
        ],
    )


def in_floats(integer, recording):
    return recording.v["output"] / (64 * integer.populations["output"].scale)


@pytest.mark.parametrize(
    "out",
    [
        LI((10,), dv=0.125),
        LI((10,), dv=0.0, du=0.25),
        LI((10,), dv=0.01, bias=np.arange(-5, 5) / 16, period=9),
        LI((10,), dv=0.0, bias=30.0),
    ],
)
def test_v_comes_back_in_float_units_and_keeps_room(out):
    floats = network(out)
    integer, report = quantize(floats, 8, {"pixels": PIXELS}, N_STEPS)
    there = integer.populations["output"]
    assert type(there) is IntegerLI
    assert there.period == out.period
    exact = run(floats, {"pixels": PIXELS}, N_STEPS, ("v",)).v["output"]
    found = run(integer, {"pixels": PIXELS}, N_STEPS, ("v",))
    loss = report.populations[1]
    off = np.sqrt(np.mean((in_floats(integer, found) - exact) ** 2)) / np.ptp(exact)
    assert loss.v_error == pytest.approx(off)
    assert off < 0.02
    assert loss.v_range == pytest.approx(np.ptp(exact))
    assert loss.v_peak == np.abs(found.v["output"]).max() / 2**23 < 0.52
    assert loss.wraps == loss.saturations == 0


def test_a_scale_gives_way_to_v_and_leaves_it_a_factor_of_two():
    """A current that is held adds up until its v needs more than 24 bits at the weights' full range."""
    floats = network(LI((10,), dv=0.0, du=0.0), strength=1.0)
    integer, report = quantize(floats, 8, {"pixels": PIXELS}, 200)
    assert integer.projections[1].weight_exp < 0
    assert 0.2 < report.populations[1].v_peak < 0.51
    again = run(integer, {"pixels": PIXELS}, 200, ("v",))
    assert again.overflow["output"].saturations == 0
    with pytest.warns(UserWarning, match=r"output\[\d\] and perhaps others left their 24 bits: v saturated"):
        longer = run(integer, {"pixels": PIXELS}, 800, ("v",))
    assert longer.overflow["output"].saturations > 0


def test_the_budget_tells_v_in_place_of_a_threshold():
    labels = np.arange(40) % 10
    _, report = quantize(network(LI((10,), dv=0.125)), 8, {"pixels": PIXELS}, N_STEPS, labels, kind="largest")
    told = str(report)
    assert re.search(
        r"output: never spikes, du 4095 .* of the largest bias\), \|v\| up to [\d.]+% of 24 bits and off", told
    )
    assert "'output' never spikes on" not in told
    assert report.accuracy.keys() == {"float", "integer"}
    assert report.unanswered == {"float": 0, "integer": 0}
    assert report.populations[1].v_threshold is None
    assert not re.search("NaN|Infinity", json.dumps(report.to_dict()))
    with pytest.raises(DlmError, match="'output' never spikes; say how its v is read"):
        quantize(network(LI((10,), dv=0.125)), 8, {"pixels": PIXELS}, N_STEPS, labels)


def test_one_that_nothing_reaches_has_a_scale():
    integer, _ = quantize(Network({"output": LI((2,), dv=0.5, bias=0.25)}))
    assert run(integer, {}, 3, ("v",)).v["output"][0, -1, 0] == pytest.approx(
        0.4375 * 64 * integer.populations["output"].scale
    )
    assert np.isfinite(quantize(Network({"output": LI((2,), dv=0.5)}))[0].populations["output"].scale)


def typed(capsys, *words, code=0):
    assert main([str(word) for word in words]) == code
    shown = capsys.readouterr()
    return shown.err if code == 2 else shown.out


def test_verbs_read_v_where_they_are_told_how(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(network(LI((10,), dv=0.125)), "net")
    assert "'output' never spikes; say how" in typed(capsys, "simulate", "net", code=2)
    assert "no read-out of the kind 'men'; did you mean 'mean'" in typed(
        capsys, "simulate", "net", "--read-out", "men", code=2
    )
    assert "--record s leaves it out" in typed(capsys, "simulate", "net", "--read-out", "last", "--record", "s", code=2)
    shown = typed(capsys, "simulate", "net", "--read-out", "last")
    assert "output: never spikes\n" in shown
    assert re.search(r"accuracy [\d.]+% on 20 test samples; recording: reference", shown)
    assert "'output' never spikes; say how" in typed(capsys, "convert", "net", code=2)
    assert "output: never spikes, du 4095" in typed(capsys, "convert", "net", "--samples", "30", "--read-out", "mean")
    assert type(load("integer").populations["output"]) is IntegerLI
    typed(capsys, "simulate", "net", "--read-out", "last", "--backend", "fast")
    assert "equal: spikes of 2 populations, u and v within" in typed(capsys, "compare", "reference", "fast")


def test_a_report_shows_v_without_a_threshold(tmp_path):
    floats = network(LI((10,), dv=0.125))
    integer, budget = quantize(floats, 8, {"pixels": PIXELS}, N_STEPS, np.arange(40) % 10, "last")
    both = {"float": floats, "integer": integer}
    runs = {arithmetic: run(net, {"pixels": PIXELS}, N_STEPS, ("s", "u", "v")) for arithmetic, net in both.items()}
    kept = {stored_name("reference", arithmetic): (made, made) for arithmetic, made in runs.items()}
    metrics = RunMetrics.from_json({"loss_budget": json.loads(json.dumps(budget.to_dict()))})
    folder = tmp_path / "run"
    folder.mkdir()
    write_run(folder, "seed: 0\n", both, kept, metrics, Provenance("a test", seed=0))
    with np.load(folder / "traces.npz") as stored:
        assert "reference/output/v" in stored
        assert "reference/hidden/v_threshold" in stored
        assert not any(key.endswith("output/v_threshold") for key in stored)
        assert np.isfinite(stored["reference-integer/output/v"]).all()
    page = write_report(folder).read_text()
    told = re.sub("<[^>]*>", " ", re.sub("(?s)<(svg|style|script).*?</\\1>", " ", page))
    assert "Membrane voltage of neurons" in page
    assert "Error of v (root mean square), of its range" in told
    assert not re.search(r"\b(inf|nan|None)\b", told)
