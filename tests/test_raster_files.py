"""Rasters on disk: readable by plain numpy, and refused in one line where they are not whole."""

from __future__ import annotations

import hashlib
from io import BytesIO

import numpy as np
import pytest

from dlm_snn import DlmError, SpikeRaster, run
from dlm_snn.errors import MissingError
from tests.nets import make


@pytest.fixture
def raster():
    return SpikeRaster.from_dense(np.random.default_rng(5).random((3, 20, 10)) < 0.2, dt=2e-3)


def npy(array):
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()


def refused(path):
    with pytest.raises(DlmError) as caught:
        SpikeRaster.load(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_keys_and_types_are_as_documented(raster, tmp_path):
    raster.save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        types = {name: (stored[name].dtype, stored[name].ndim) for name in stored.files}
        dense = np.zeros([int(stored[n]) for n in ("n_samples", "n_steps", "n_neurons")], bool)
        dense[stored["sample"], stored["step"], stored["neuron"]] = True
    assert types == {
        **dict.fromkeys(("sample", "step", "neuron"), (np.uint32, 1)),
        **dict.fromkeys(("n_samples", "n_steps", "n_neurons"), (np.int64, 0)),
        "dt": (np.float64, 0),
    }
    np.testing.assert_array_equal(dense, raster.dense())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingError, match=r"no raster at .*nothing\.npz"):
        SpikeRaster.load(tmp_path / "nothing.npz")
    with pytest.raises(MissingError, match="no raster at"):
        SpikeRaster.load(tmp_path)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(raster, tmp_path, share):
    path = tmp_path / "a.npz"
    raster.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert "is not a complete raster" in refused(path)


def test_damage_anywhere_is_refused_or_harmless(raster, tmp_path):
    """Any byte flipped: an error in one line, or (in bytes that nothing reads) the same raster."""
    path = tmp_path / "a.npz"
    raster.save(path)
    whole = path.read_bytes()
    messages = []
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        path.write_bytes(damaged)
        try:
            loaded = SpikeRaster.load(path)
        except DlmError as error:
            messages.append(str(error))
            continue
        assert loaded == raster
    assert len(messages) > len(whole) / 14
    assert not any("\n" in message for message in messages)


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda path: path.write_text("hello"), id="text"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(npy(np.arange(3))), id="npy"),
        pytest.param(lambda path: np.savez(path, sample=np.arange(3)), id="other npz"),
        pytest.param(lambda path: np.savez(path, sample=np.array([{}], dtype=object)), id="pickle"),
    ],
)
def test_what_is_no_raster_is_refused(tmp_path, write):
    path = tmp_path / "a.npz"
    write(path)
    assert "is not a complete raster" in refused(path)


def test_events_outside_the_extent_are_refused(raster, tmp_path):
    path = tmp_path / "a.npz"
    numbers = {"n_samples": 3, "n_steps": 20, "n_neurons": 5, "dt": 1e-3}
    np.savez(path, sample=raster.sample, step=raster.step, neuron=raster.neuron, **numbers)
    assert "raster neuron holds 0..9, outside 0..4" in refused(path)


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(raster, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    for path in (tmp_path / "file" / "a.npz", tmp_path / "nowhere" / "a.npz"):
        with pytest.raises(DlmError, match="cannot write") as caught:
            raster.save(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_saving_replaces_whole_files_and_leaves_no_others(raster, tmp_path):
    path = tmp_path / "a.npz"
    path.write_text("something else")
    raster.save(path)
    assert SpikeRaster.load(path) == raster
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step": np.array([0, 1])}, r"they must be flat and equally long"),
        ({"sample": np.zeros((3, 1), int)}, r"they must be flat"),
        ({"neuron": np.array([0, 1, 2])}, r"raster neuron holds 0\.\.2, outside 0\.\.1"),
        ({"step": np.array([0, -1, 1])}, r"raster step holds -1\.\.1, outside 0\.\.3"),
        ({"sample": np.array([0.0, 0.0, 1.0])}, "raster sample holds"),
        ({"step": np.array([0, 0, 1]), "neuron": np.array([1, 1, 0]), "sample": np.zeros(3, int)}, "an event twice"),
    ],
)
def test_wrong_events_are_named(change, message):
    arrays = {"sample": np.array([0, 0, 1]), "step": np.array([0, 1, 2]), "neuron": np.array([0, 1, 0])}
    SpikeRaster(**arrays, n_samples=2, n_steps=4, n_neurons=2)
    with pytest.raises(DlmError, match=message):
        SpikeRaster(**{**arrays, **change}, n_samples=2, n_steps=4, n_neurons=2)


@pytest.mark.parametrize("spikes", [np.zeros((2, 3)), np.full((1, 2, 3), 2), np.full((1, 2, 3), 0.5)])
def test_dense_is_three_axes_of_zeros_and_ones(spikes):
    with pytest.raises(DlmError, match=r"a dense raster is \(sample, step, neuron\) of 0 and 1"):
        SpikeRaster.from_dense(spikes)


def test_a_raster_cannot_be_changed_or_hashed(raster):
    with pytest.raises(ValueError, match="read-only"):
        raster.step[0] = 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(raster)
    assert raster != "raster"


def test_samples_are_taken_without_stride(raster):
    with pytest.raises(DlmError, match="without stride"):
        raster.samples(slice(0, 3, 2))


# What the reference computes: a change of these is a change of every result.
GOLDEN = {
    "plain": "26cb9a048e8d004398593e9f8420e37beb8a801e1b2d1f1c5a3c5fbd5b86040b",
    "subtract_recurrent": "bfa58c415cf85790d6b916765e04671fb45b872f90d7dd0cb8841eef1d320e2e",
    "kwta_ties": "8c907cb075b25e0a735f5c14184998df12d0792f862ff71dee1b9934610603e9",
    "int_delays": "5fbddbefc80307504e788af3ee2c591f4492f371a1de977123089c92ef106efa",
    "int_wrap": "702a6aed088f9a80c2e322dc61cea72650ca80ec3557ec9dc49d93c1b13389f1",
}


@pytest.mark.parametrize("case", GOLDEN)
def test_golden_rasters(case):
    """SHA-256 over the events of all populations by name."""
    content = hashlib.sha256()
    for name, spikes in sorted(run(*make(case)).rasters.items()):
        content.update(name.encode())
        for array in (spikes.sample, spikes.step, spikes.neuron):
            content.update(array.astype("<u4").tobytes())
    assert content.hexdigest() == GOLDEN[case]
