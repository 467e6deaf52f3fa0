"""Rasters from what people have in memory, and the figure that says what it stands on."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.analysis import Control, Finding, raster_of, rasters_of
from dlm_snn.errors import LossWarning

DENSE = np.random.default_rng(3).random((2, 40, 6)) < 0.2
RASTER = dlm.SpikeRaster.from_dense(DENSE)


def test_each_kind_of_object_gives_the_same_raster():
    import torch

    from dlm_snn.exchange import to_frame, to_neo

    time_first = DENSE.transpose(1, 0, 2)
    assert raster_of(RASTER) is RASTER
    assert raster_of({"a": RASTER}, population="a") == RASTER
    assert rasters_of({"a": torch.from_numpy(time_first), "b": DENSE[0]}) == {"a": RASTER, "b": RASTER[:1]}
    assert raster_of(to_neo({"a": RASTER})) == RASTER
    assert raster_of(to_frame({"a": RASTER})) == RASTER
    assert raster_of(torch.from_numpy(time_first.astype(np.float32))) == RASTER
    assert raster_of(time_first.tolist()) == RASTER
    assert raster_of(DENSE[0]) == RASTER[:1]
    assert raster_of({"lif": {"s_out": DENSE[0].astype(int)}}) == RASTER[:1]
    recording = dlm.Recording(dlm.Network({"a": dlm.LIF(6, dv=0.1)}, {}), 2, 40, {"a": RASTER})
    assert rasters_of(recording) == {"a": RASTER}


def test_trains_alone_and_in_a_list_need_a_step():
    neo = pytest.importorskip("neo")
    train = neo.SpikeTrain([1.0, 5.0], units="ms", t_stop=10.0)
    for thing in (train, [train]):
        found = raster_of(thing, dt=1e-3)
        assert found.step.tolist() == [1, 5]
    with pytest.raises(dlm.DlmError, match="give dt"):
        rasters_of(train)


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        ("r.npz", r"r.npz is the name of a file; give SpikeRaster.load\('r.npz'\)"),
        (
            [[0.1, 0.2], [0.3]],
            "a list of rows of unequal lengths is no raster; give times of spikes as Neo SpikeTrains",
        ),
        (5, "a int of shape \\(\\) is no raster"),
        (np.zeros((2, 2, 2, 2)), "of shape \\(2, 2, 2, 2\\) is no raster"),
        ({"a": 3}, "'a' is a int, where a SpikeRaster is wanted"),
        ({"a": RASTER, "b": RASTER}, "there are rasters of a, b, and no population was named"),
        (SimpleNamespace(), "SimpleNamespace of shape \\(\\) is no raster"),
    ],
)
def test_what_is_no_raster_is_refused_in_a_line(thing, message):
    with pytest.raises(dlm.DlmError, match=message):
        raster_of(thing)


def test_a_raster_of_ours_keeps_its_step():
    with pytest.raises(dlm.DlmError, match=r"dt = 0\.001 s, and dt = 0\.1 was given"):
        raster_of(RASTER, dt=0.1)


def test_a_figure_that_is_not_resolved_says_so_and_gives_no_number():
    good = Finding("slope", -1.5, (-1.6, -1.4), "", "Welch", {"steps": 1000}, (Control("white noise", 0.02),))
    bad = Finding("slope", -1.5, (-1.6, -1.4), doubts=("a step at 500",))
    assert str(good) == "slope: -1.5 [-1.6, -1.4]"
    assert good.row()["control"] == "white noise 0.02"
    assert bad.value is None
    assert not bad.resolved
    assert str(bad) == "slope: not resolved (a step at 500)"
    assert bad.row()["value"] == "not resolved"
    told = json.loads(json.dumps(bad.to_json()))
    assert told["value"] is None
    assert told["interval"] is None
    assert told["doubts"] == ["a step at 500"]
    assert Finding("m", float("nan")).value is None


def test_spikes_that_fall_into_one_step_are_told():
    neo = pytest.importorskip("neo")
    train = neo.SpikeTrain([1.0, 1.2, 5.0], units="ms", t_stop=10.0)
    with pytest.warns(LossWarning, match="1 fell onto another; a smaller dt keeps them apart"):
        assert len(raster_of(train, dt=1e-3)) == 2
