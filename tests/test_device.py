"""The device that learners count on: named by a variable, refused in one line."""

import numpy as np
import pytest

from dlm_snn.errors import DlmError
from dlm_snn.learning.learner import Setting
from dlm_snn.learning.readout.device import chosen_device, device_name
from dlm_snn.learning.readout.learner import make_first_readout
from experiments.harness.cells import Entry, cells
from experiments.harness.continual import run_cell


def learned(seed: int):
    rng = np.random.default_rng(seed)
    learner = make_first_readout(
        Setting((1, 12, 12), 4, 16, 3, 1), np.random.default_rng(1), neurons=20, patch=4, grid=3, first=30
    )
    x = rng.integers(0, 17, (60, 144), dtype=np.uint8)
    learner.observe(x[:40], np.arange(40) % 3)
    return learner, learner.scores(x)


def test_without_a_name_there_is_none(monkeypatch):
    monkeypatch.delenv("DLM_DEVICE", raising=False)
    assert chosen_device() is None
    monkeypatch.setenv("DLM_DEVICE", "")
    assert chosen_device() is None


def test_a_learner_that_counts_there_gives_the_same(monkeypatch):
    monkeypatch.delenv("DLM_DEVICE", raising=False)
    here, scores = learned(0)
    monkeypatch.setenv("DLM_DEVICE", "cpu")
    there, same = learned(0)
    assert np.array_equal(here.gram.pairs, there.gram.pairs)
    assert np.allclose(scores, same, rtol=1e-9, atol=1e-9)
    assert there.info()["device"] == device_name("cpu") == "cpu"
    assert "device" not in here.info()


@pytest.mark.parametrize("name", ["nonsense", "cuda:99", "meta"])
def test_what_cannot_count_is_refused(name, monkeypatch):
    monkeypatch.setenv("DLM_DEVICE", name)
    with pytest.raises(DlmError, match=rf"DLM_DEVICE={name}: no device with float64 \(.+\); name another, or unset"):
        chosen_device()


def test_a_row_names_it(monkeypatch):
    """``cells`` needs no data folder: the digits are scikit-learn's."""
    (cell,) = cells({"readout": Entry("digits", "readout", {"neurons": 20})}, [0])
    monkeypatch.setenv("DLM_DEVICE", "cpu")
    there = run_cell(cell)
    monkeypatch.delenv("DLM_DEVICE")
    here = run_cell(cell)
    assert there.machine == f"{here.machine}, cpu"
    assert there.figures.matrix == here.figures.matrix
    assert there.config == here.config
