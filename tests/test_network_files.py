"""Networks on disk: whatever stands in their JSON, the network that was written or a line that names the key."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn import DlmError
from dlm_snn.errors import MissingError
from dlm_snn.networks import artifact
from tests.nets import make


@pytest.fixture
def stored(tmp_path):
    artifact.save(make("plain")[0], tmp_path / "a")
    return tmp_path / "a"


def changed(stored, *way, to):
    """Put another value at a place of the tree."""
    path = stored.with_suffix(".json")
    content = json.loads(path.read_text())
    inside = content
    for key in way[:-1]:
        inside = inside[key]
    if to is KeyError:
        del inside[way[-1]]
    else:
        inside[way[-1]] = to
    path.write_text(json.dumps(content))
    with pytest.raises(DlmError) as caught:
        artifact.load(stored)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("way", "to", "told"),
    [
        (["format"], 3, "'format' is 3, where a text is wanted"),
        (["digest"], None, "'digest' is null"),
        (["digest"], KeyError, "'digest' is missing"),
        (["tree"], [], "'tree' is [], where an object"),
        (["tree", "type"], [], "tree: 'type' is [], where a text"),
        (["tree", "type"], "Netwrk", "tree: a network file names the type 'Netwrk'; did you mean 'Network'?"),
        (["tree", "populations"], 3, "tree: 'populations' is 3, where a list is wanted"),
        (["tree", "populations", 0], "x", "'populations[0]' is \"x\", where an object"),
        (["tree", "populations", 0, "name"], 3, "'populations[0].name' is 3, where a text"),
        (["tree", "populations", 1, "dv"], [[]], "tree.populations[1]"),
        (["tree", "populations", 1, "dv"], {"array": 3}, "tree.populations[1].dv: 'array' is 3"),
        (["tree", "populations", 1, "dv"], {"array": "x"}, "tree.populations[1].dv: no array 'x' lies beside it"),
        (["tree", "populations", 1, "dw"], 3, "tree.populations[1] (LIF) has no field 'dw'"),
        (["tree", "populations", 1, "shape"], KeyError, "tree.populations[1] (LIF) lacks 'shape'"),
        (["tree", "populations", 1, "shape"], None, "tree.populations[1]: shape None"),
        (["tree", "populations", 1, "reset"], {}, "tree.populations[1].reset: 'type' is missing"),
        (["tree", "projections"], {}, "tree: 'projections' is {}, where a list"),
        (["tree", "projections", 0, "connection"], 3, "tree"),
        (["tree", "projections", 0, "connection", "weight"], "x", "tree.projections[0].connection"),
        (["tree", "projections", 0, "delay"], 10**30, "tree.projections[0]"),
    ],
    ids=str,
)
def test_a_value_of_another_kind_is_named_by_its_key(stored, way, to, told):
    assert told in changed(stored, *way, to=to)


def test_two_populations_of_one_name(stored):
    content = json.loads(stored.with_suffix(".json").read_text())
    names = [population["name"] for population in content["tree"]["populations"]]
    assert "names one population twice" in changed(stored, "tree", "populations", 1, "name", to=names[0])


def test_nesting_and_pipes(stored):
    path = stored.with_suffix(".json")
    whole = path.read_text()
    path.write_text("[" * 100_000)
    with pytest.raises(DlmError, match="brackets deeper than 60"):
        artifact.load(stored)
    path.write_text(whole[:-3] + ', "tree": {}}')
    with pytest.raises(DlmError, match="key 'tree' stands twice"):
        artifact.load(stored)
    for ending in (".json", ".safetensors"):
        other = stored.with_suffix(ending)
        other.unlink()
        with pytest.raises(MissingError, match="no network at"):
            artifact.load(stored)
        os.mkfifo(other)
        with pytest.raises(DlmError, match=f"a{ending} is a pipe"):
            artifact.load(stored)
        other.unlink()
        path.write_text(whole)


@pytest.mark.parametrize(
    ("name", "array", "told"),
    [
        ("other/v", np.zeros((2, 3, 4)), "holds 'other/v' of float64, which no population records"),
        ("a/w", np.zeros((2, 3, 4)), "holds 'a/w' of float64"),
        ("a/v", np.array("x"), "holds 'a/v' of <U1"),
        ("a/v", np.zeros((2, 3)), "'a/v' has (samples, steps, neurons) = (2, 3), the recording (2, 6, 3)"),
    ],
)
def test_traces_that_do_not_fit_are_named(tmp_path, name, array, told):
    from dlm_snn.runs.recording_files import load_recording, save_recording

    network = dlm.Network(
        {"x": dlm.Input((4,)), "a": dlm.LIF((3,), dv=0.125)}, [dlm.Projection("x", "a", dlm.Dense(np.ones((3, 4))))]
    )
    stimulus = {"x": dlm.SpikeRaster.from_dense(np.ones((2, 6, 4), bool))}
    save_recording(dlm.run(network, stimulus, 6, record=("s", "u", "v")), tmp_path, "reference")
    assert load_recording(tmp_path).v["a"].shape == (2, 6, 3)
    np.savez(tmp_path / "traces.npz", **{name: array})
    with pytest.raises(DlmError) as caught:
        load_recording(tmp_path)
    assert told in str(caught.value)
    held = json.loads((tmp_path / "recording.json").read_text())
    for change, words in (({"n_steps": 7}, "was changed since it was written"), ({"n_steps": "x"}, "was changed")):
        (tmp_path / "recording.json").write_text(json.dumps({**held, **change}))
        with pytest.raises(DlmError, match=words):
            load_recording(tmp_path)
    (tmp_path / "recording.json").write_text('{"n_samples": 2, "n_steps": 7}')
    with pytest.raises(DlmError, match=r"the raster has .samples, steps, neurons. = .2, 6, 3., the recording"):
        load_recording(tmp_path)
