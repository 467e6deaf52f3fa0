"""Rasters on disk: readable by plain numpy, and refused in one line where they are not whole."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import replace
from io import BytesIO
from mmap import mmap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dlm_snn import DlmError, SpikeRaster, run
from dlm_snn.errors import MissingError
from dlm_snn.runs import raster_files
from dlm_snn.runs.raster_files import RasterWriter
from tests.nets import make

SPIKES = arrays(bool, st.tuples(*(st.integers(0, 5) for _ in range(2)), st.integers(0, 6)))


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
    assert re.search(r"raster neuron\[\d+\] = \d lies outside 0\.\.4", refused(path))


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
    for way, message in ((False, "exists"), (True, "is not a raster that this program wrote")):
        with pytest.raises(DlmError, match=message):
            raster.save(path, replace=way)
        assert path.read_text() == "something else"
    path.unlink()
    raster[:1].save(path)
    raster.save(path, replace=True)
    assert SpikeRaster.load(path) == raster
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step": np.array([0, 1])}, r"they must be flat and equally long"),
        ({"sample": np.zeros((3, 1), int)}, r"they must be flat"),
        ({"neuron": np.array([0, 1, 2])}, r"raster neuron\[2\] = 2 lies outside 0\.\.1"),
        ({"step": np.array([0, -1, 1])}, r"raster step\[1\] = -1 lies outside 0\.\.3"),
        ({"sample": np.array([0.0, 0.0, 1.0])}, "raster sample is an array of float64; give integers"),
        (
            {"step": np.array([0, 0, 1]), "neuron": np.array([1, 1, 0]), "sample": np.zeros(3, int)},
            r"\(0, 0, 1\) twice",
        ),
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
        raster[0:3:2]


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


@given(SPIKES, st.data())
def test_a_part_is_numpys(tmp_path_factory, spikes, data):
    """Slices and numbers on every axis, indices of neurons; of a raster in memory and of a mapped one."""
    raster = SpikeRaster.from_dense(spikes)
    path = tmp_path_factory.mktemp("raster") / "a.raster"
    raster.save(path)

    def bounds(n):
        return slice(*sorted(data.draw(st.integers(0, n)) for _ in range(2)))

    cuts = [bounds(n) for n in spikes.shape[: data.draw(st.integers(1, 3))]]
    neurons = data.draw(st.permutations(range(spikes.shape[2])))[: data.draw(st.integers(0, 3))]
    for whole in (raster, SpikeRaster.load(path)):
        np.testing.assert_array_equal(whole[tuple(cuts)].dense(), spikes[tuple(cuts)])
        np.testing.assert_array_equal(whole[:, :, np.array(neurons, int)].dense(), spikes[:, :, list(neurons)])
        for axis, n in enumerate(spikes.shape):
            if n:
                index = (slice(None),) * axis + (data.draw(st.integers(-n, n - 1)),)
                np.testing.assert_array_equal(whole[index].dense(), np.expand_dims(spikes[index], axis))


def on_disk(array):
    while isinstance(array.base, np.ndarray):
        array = array.base
    return isinstance(array.base, mmap)


def test_what_lies_together_is_not_copied(raster, tmp_path):
    whole = raster[1][0]
    raster.save(tmp_path / "a.raster")
    mapped = SpikeRaster.load(tmp_path / "a.raster")
    assert on_disk(mapped.step)
    assert not on_disk(raster.step)
    for form in (raster, mapped):
        part = form[1:3]
        assert np.shares_memory(part.step, form.step)
        assert np.shares_memory(part.neuron, form.neuron)
        assert np.shares_memory(form[:2].sample, form.sample)
    assert np.shares_memory(whole[0, :12].neuron, raster.neuron)
    assert np.shares_memory(mapped[:, :, :].step, mapped.step)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (3, r"sample 3 lies outside 0\.\.2"),
        ((0, slice(0, 4, 2)), "steps are chosen without stride"),
        ((0, "a"), "steps are chosen by a slice or a number, not by 'a'"),
        ((0, 0, [0, 10]), r"neurons 0\.\.10 lie outside 0\.\.9"),
        ((0, 0, [1, 1]), "a neuron is chosen twice"),
        ((0, 0, [0.5]), "are no slice, number or array of indices"),
        ((0, 0, 0, 0), "4 indices were given"),
        ((0, 0, np.zeros(2, float)), "are no slice, number or array of indices"),
    ],
)
def test_a_part_that_is_not_there_is_named(raster, index, message):
    with pytest.raises(DlmError, match=message):
        raster[index]


@given(SPIKES, st.data())
def test_parts_put_together_are_the_whole(spikes, data):
    raster = SpikeRaster.from_dense(spikes)
    for axis, (name, n) in enumerate(zip(("sample", "step", "neuron"), spikes.shape, strict=True)):
        cut = data.draw(st.integers(0, n))
        parts = [raster[(slice(None),) * axis + (part,)] for part in (slice(0, cut), slice(cut, n))]
        assert SpikeRaster.concatenate(parts, name) == raster


def test_rasters_that_do_not_fit_are_not_put_together(raster):
    with pytest.raises(DlmError, match=r"raster 1 has \(samples, steps, neurons\) = \(3, 19, 10\)"):
        SpikeRaster.concatenate([raster, raster[:, :19]])
    with pytest.raises(DlmError, match="no raster"):
        SpikeRaster.concatenate([])
    with pytest.raises(DlmError, match="axis = 'time'"):
        SpikeRaster.concatenate([raster], "time")


@given(SPIKES, st.integers(1, 9))
def test_bins_are_sums_of_steps(spikes, width):
    raster = SpikeRaster.from_dense(spikes)
    padded = np.pad(spikes, ((0, 0), (0, -spikes.shape[1] % width), (0, 0)))
    shape = (padded.shape[0], padded.shape[1] // width, width, padded.shape[2])
    np.testing.assert_array_equal(raster.binned(width), padded.reshape(shape).sum(2))
    np.testing.assert_array_equal(raster.counts(), spikes.sum(1))


@given(SPIKES, st.integers(1, 9))
def test_pieces_in_order_are_the_whole(tmp_path_factory, spikes, width):
    path = tmp_path_factory.mktemp("raster") / "a.raster"
    SpikeRaster.from_dense(spikes).save(path)
    for raster in (SpikeRaster.from_dense(spikes), SpikeRaster.load(path)):
        rebuilt = np.zeros_like(spikes)
        for sample, first, piece in raster.pieces(width):
            rebuilt[sample, first : first + piece.n_steps] |= piece.dense()[0]
        np.testing.assert_array_equal(rebuilt, spikes)


@given(SPIKES, st.integers(1, 9))
def test_a_raster_written_in_pieces_is_the_whole(tmp_path_factory, spikes, width):
    raster = SpikeRaster.from_dense(spikes, dt=2e-3)
    path = tmp_path_factory.mktemp("raster") / "a.raster"
    with RasterWriter(path, *spikes.shape) as writer:
        for step in range(0, spikes.shape[1], width):
            writer.append(raster[:, step : step + width], step)
    assert SpikeRaster.load(path) == raster
    assert SpikeRaster.load(path).dt == (2e-3 if spikes.shape[1] else 1e-3)
    assert sorted(p.name for p in path.iterdir()) == ["meta.json", "neuron.npy", "sample.npy", "step.npy"]
    assert np.array_equal(np.load(path / "step.npy"), raster.step)


def broken_off(path, pieces):
    """A writer that gets pieces (raster, step); None breaks off."""
    with RasterWriter(path, 3, 20, 10) as writer:
        for piece, step in pieces:
            if piece is None:
                raise ZeroDivisionError("broken off")
            writer.append(piece, step)


def test_a_broken_off_writer_leaves_nothing(raster, tmp_path):
    few = raster[:, :5]
    for pieces, error, message in (
        ([(few, 0), (None, 5)], ZeroDivisionError, "broken off"),
        ([(few, 5), (few, 5)], DlmError, "pieces come one after another"),
        ([(few, 0), (few, 16)], DlmError, "pieces come one after another"),
        ([(few[:, :, :9], 0)], DlmError, "a piece of"),
    ):
        with pytest.raises(error, match=message):
            broken_off(tmp_path / "a.raster", pieces)
        assert list(tmp_path.iterdir()) == []


def test_a_writer_that_cannot_finish_leaves_nothing(raster, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(raster_files, "_write_numbers", full)
    writer = RasterWriter(tmp_path / "a.raster", *raster.extent)
    with pytest.raises(DlmError, match="No space left"), writer:
        writer.append(raster, 0)
    # The writer still lives: nothing is left to what ends with it.
    assert list(tmp_path.iterdir()) == []


def test_a_writer_keeps_the_step_that_it_was_given(raster, tmp_path):
    path = tmp_path / "a.raster"
    with RasterWriter(path, *raster.extent, dt=1e-4) as writer:
        with pytest.raises(DlmError, match=r"a piece of dt = 0.002 s for a raster of 0.0001 s"):
            writer.append(raster, 0)
        writer.append(replace(raster, dt=1e-4), 0)
    assert SpikeRaster.load(path).dt == 1e-4
    with pytest.raises(DlmError, match=r"raster n_steps = 4294967296 is not a whole number"):
        RasterWriter(path, 1, 2**32, 1)
    with pytest.raises(DlmError, match=r"a piece of dt = 0.001 s for a raster of 0.002 s"):
        broken_off(tmp_path / "b.raster", [(raster[:, :5], 0), (replace(raster, dt=1e-3)[:, 5:], 5)])
    assert list(tmp_path.iterdir()) == [path]


def test_no_neurons_may_be_chosen(raster):
    assert raster[:, :, []] == SpikeRaster.from_dense(raster.dense()[:, :, :0])


def without_checksums(path):
    """As earlier versions and other tools write it."""
    meta = path / "meta.json"
    held = json.loads(meta.read_text())
    meta.write_text(json.dumps({name: held[name] for name in ("n_samples", "n_steps", "n_neurons", "dt")}))


def test_a_folder_of_unsorted_or_other_events_is_put_in_order(raster, tmp_path):
    path = tmp_path / "a.raster"
    raster.save(path)
    without_checksums(path)
    back = np.arange(len(raster))[::-1]
    for name in ("sample", "step", "neuron"):
        np.save(path / f"{name}.npy", getattr(raster, name)[back])
    assert SpikeRaster.load(path) == raster
    for name in ("sample", "step", "neuron"):
        np.save(path / f"{name}.npy", getattr(raster, name).astype(np.int64))
    assert SpikeRaster.load(path) == raster


@pytest.mark.parametrize("place", [0, 1, 5, 2**17 - 1, 2**17, 2**17 + 1, 2**18, 300_000 - 2])
@pytest.mark.parametrize("how", ["twice", "outside", "swapped"])
def test_a_wrong_event_is_found_wherever_it_is(tmp_path, place, how):
    """Across the borders of the blocks that are looked at together, in memory and on disk."""
    n = 300_000
    events = {"sample": np.zeros(n), "step": np.arange(n) // 3, "neuron": np.arange(n) % 3}
    events = {name: event.astype(np.uint32) for name, event in events.items()}
    if how == "outside":
        events["neuron"][place] = 3
    for event in events.values():
        if how == "twice":
            event[place + 1] = event[place]
        if how == "swapped":
            event[[place, place + 1]] = event[[place + 1, place]]
    path = tmp_path / "a.raster"
    path.mkdir()
    for name, event in events.items():
        np.save(path / f"{name}.npy", event)
    (path / "meta.json").write_text('{"n_samples": 1, "n_steps": 100000, "n_neurons": 3, "dt": 0.001}')
    if how == "swapped":
        assert not on_disk(SpikeRaster.load(path).step)
        return
    message = "twice" if how == "twice" else rf"raster neuron\[{place}\] = 3 lies outside 0\.\.2"
    with pytest.raises(DlmError, match=message):
        SpikeRaster(**events, n_samples=1, n_steps=100_000, n_neurons=3)
    with pytest.raises(DlmError, match=message):
        SpikeRaster.load(path)


@pytest.mark.parametrize("name", ["sample", "step", "neuron"])
def test_a_truncated_array_of_a_folder_is_named(raster, tmp_path, name):
    raster.save(tmp_path / "a.raster")
    path = tmp_path / "a.raster" / f"{name}.npy"
    whole = path.read_bytes()
    for size in (0, 5, 100, len(whole) - 4):
        path.write_bytes(whole[:size])
        assert "is not a complete raster" in refused(tmp_path / "a.raster")
    path.write_bytes(whole[:60] + b"9" * 30 + whole[90:])
    assert "is not a complete raster" in refused(tmp_path / "a.raster")


def changed(path, values):
    meta = path / "meta.json"
    meta.write_text(json.dumps({**json.loads(meta.read_text()), **values}))
    return refused(path)


@pytest.mark.parametrize("name", ["sample.npy", "step.npy", "neuron.npy", "meta.json"])
@pytest.mark.parametrize("piece", ["saved", "appended"])
def test_no_bit_of_a_folder_is_read_as_another(raster, tmp_path, name, piece):
    path = tmp_path / "a.raster"
    if piece == "saved":
        raster.save(path)
    else:
        with RasterWriter(path, *raster.extent, raster.dt) as writer:
            for first in range(0, raster.n_steps, 3):
                writer.append(raster[:, first : first + 3], first)
    whole = (path / name).read_bytes()
    for bit in range(0, 8 * len(whole), 1 + 8 * len(whole) // 301):
        torn = bytearray(whole)
        torn[bit // 8] ^= 1 << bit % 8
        (path / name).write_bytes(torn)
        assert "is not a complete raster" in refused(path)
    (path / name).write_bytes(whole)
    assert SpikeRaster.load(path) == raster


def test_what_a_folder_does_not_have_is_named(raster, tmp_path):
    raster.save(tmp_path / "a.raster")
    assert "the key 'n_step', which no raster has" in changed(tmp_path / "a.raster", {"n_step": 3})
    for path in ("a.raster/step.npy", "b.npz"):
        (tmp_path / path).unlink(missing_ok=True)
        os.mkfifo(tmp_path / path)
    without_checksums(tmp_path / "a.raster")
    assert "step.npy is a pipe" in refused(tmp_path / "a.raster")
    assert "b.npz is a pipe" in refused(tmp_path / "b.npz")


@pytest.mark.parametrize(
    ("name", "value"), [("n_steps", -1), ("n_neurons", 2.5), ("dt", 0), ("n_samples", 2**40), ("dt", "x")]
)
def test_an_extent_that_cannot_be_is_named(raster, tmp_path, name, value):
    raster.save(tmp_path / "a.raster")
    meta = tmp_path / "a.raster" / "meta.json"
    assert "meta.json was changed since it was written" in changed(tmp_path / "a.raster", {name: value})
    without_checksums(tmp_path / "a.raster")
    meta.write_text(json.dumps({**json.loads(meta.read_text()), name: value}))
    assert f"raster {name} = {value!r}" in refused(tmp_path / "a.raster")


@pytest.mark.parametrize("ending", [".npz", ".raster"])
@pytest.mark.parametrize("depth", [0, 3])
def test_files_keep_the_depth(tmp_path, ending, depth):
    raster = SpikeRaster.from_dense(np.ones((2, 6, 3), bool)).at_depth(depth)
    raster.save(tmp_path / f"a{ending}")
    assert SpikeRaster.load(tmp_path / f"a{ending}").depth == depth
    raster.save(tmp_path / f"a{ending}", replace=True)
    numbers = {"n_samples", "n_steps", "n_neurons", "dt"} | ({"depth"} if depth else set())
    if ending == ".npz":
        with np.load(tmp_path / "a.npz") as held:
            assert set(held) == {"sample", "step", "neuron"} | numbers
    else:
        assert json.loads((tmp_path / "a.raster" / "meta.json").read_text()).keys() - {"parts", "crc32"} == numbers
    with RasterWriter(tmp_path / "b.raster", *raster.extent) as writer:
        for step in (0, 3):
            writer.append(raster[:, step : step + 3], step)
    assert SpikeRaster.load(tmp_path / "b.raster").depth == depth


def test_a_depth_that_is_none_is_refused(tmp_path):
    raster = SpikeRaster.from_dense(np.ones((1, 2, 3), bool))
    arrays_of = {name: getattr(raster, name) for name in ("sample", "step", "neuron", *raster_files.NUMBERS)}
    for depth in (-1, 0.5, "a", [1, 2]):
        np.savez(tmp_path / "a.npz", **arrays_of, depth=depth)
        with pytest.raises(DlmError, match=r"a\.npz is not a complete raster"):
            SpikeRaster.load(tmp_path / "a.npz")
