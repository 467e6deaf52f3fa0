"""A run in pieces gives what it gives whole, in memory and on disk, and takes no more memory for being long."""

from __future__ import annotations

import json
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

from dlm_snn import DlmError, FolderSink, SpikeRaster, UnsupportedError, run
from dlm_snn.plugins import load, names
from tests.nets import make

ALL = ("s", "u", "v")
STATEFUL = sorted(name for name in names("dlm_snn.backends") if not name.startswith("lava"))
CASES = ["delays", "recurrent", "periodic", "kwta_recurrent", "int_delays", "int_sparse"]


def chunks(stimulus, edges):
    for start, stop in pairwise(edges):
        yield {name: np.asarray(given)[:, start:stop] for name, given in stimulus.items()}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("backend", STATEFUL)
def test_pieces_are_the_whole(backend, case, tmp_path):
    load("dlm_snn.backends", backend)
    network, stimulus, n_steps = make(case)
    try:
        whole = run(network, stimulus, n_steps, record=ALL, backend=backend)
    except UnsupportedError:
        pytest.skip("refused as a whole, too")
    given = chunks(stimulus, [0, 1, 5, 13, n_steps])
    joined = run(network, given, n_steps, record=ALL, backend=backend)
    sink = FolderSink(tmp_path / "run", ALL, chunk=7)
    ended = run(network, stimulus, n_steps, record=sink, backend=backend)
    assert (joined.n_steps, ended.n_steps, joined.state.step, ended.state.step) == (n_steps,) * 4
    for name in network.neurons:
        folder = tmp_path / "run" / f"{name}.raster"
        assert joined.rasters[name] == whole.rasters[name]
        assert SpikeRaster.load(folder) == whole.rasters[name]
        assert json.loads((folder / "meta.json").read_text())["n_steps"] == n_steps
        np.testing.assert_array_equal(np.load(folder / "neuron.npy"), whole.rasters[name].neuron)
        for key in ("u", "v"):
            np.testing.assert_array_equal(getattr(joined, key)[name], getattr(whole, key)[name])
            np.testing.assert_array_equal(np.load(tmp_path / "run" / f"{name}.{key}.npy"), getattr(whole, key)[name])
        np.testing.assert_array_equal(joined.state.neurons[name].v, whole.state.neurons[name].v)


def test_wraps_of_all_pieces_are_counted():
    network, stimulus, n_steps = make("int_wrap")
    whole = run(network, stimulus, n_steps).overflow
    assert run(network, chunks(stimulus, [0, 3, n_steps]), n_steps).overflow == whole


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([0, 3, 9], "chunks of the stimulus have 9 steps, the run 24"),
        ([0, 11, 17, 24], "have 24 steps or more, the run 20"),
    ],
)
def test_steps_that_do_not_add_up_leave_nothing(edges, message, tmp_path):
    network, stimulus, _ = make("recurrent")
    asked = 24 if edges[-1] == 9 else 20
    with pytest.raises(DlmError, match=message):
        run(network, chunks(stimulus, edges), asked, record=FolderSink(tmp_path / "run"))
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_chunk_is_named(tmp_path):
    network, stimulus, n_steps = make("recurrent")
    with pytest.raises(DlmError, match=r"chunk of 'pixels' has shape \(2, 10\); give \(sample, step, neuron\)"):
        run(network, [{"pixels": np.zeros((2, 10), int)}], n_steps)
    with pytest.raises(DlmError, match="a chunk of the stimulus is a ndarray"):
        run(network, [np.zeros((2, 3, 10), int)], n_steps)
    with pytest.raises(DlmError, match="chunk = 0"):
        FolderSink(tmp_path / "run", chunk=0)
    (tmp_path / "run").mkdir()
    with pytest.raises(DlmError, match="run exists; choose another name, or give --replace"):
        run(network, stimulus, n_steps, record=FolderSink(tmp_path / "run"))
    assert list(tmp_path.iterdir()) == [tmp_path / "run"]


def test_lava_has_no_pieces(tmp_path):
    pytest.importorskip("lava")
    network, stimulus, n_steps = make("plain")
    with pytest.raises(UnsupportedError, match="lava-float cannot do a run in pieces"):
        run(network, chunks(stimulus, [0, 4, n_steps]), n_steps, backend="lava-float")


@pytest.mark.parametrize("backend", ["reference", "fast"])
def test_a_longer_run_takes_no_more_memory(tmp_path, backend):
    network, _, _ = make("wide")

    def peak(n_chunks):
        rng = np.random.default_rng(1)
        shape = (4, 50, network.inputs["pixels"].n)
        given = ({"pixels": (rng.random(shape) < 0.3).astype(np.uint8)} for _ in range(n_chunks))
        tracemalloc.start()
        run(network, given, 50 * n_chunks, record=FolderSink(tmp_path / f"{backend}{n_chunks}"), backend=backend)
        reached = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return reached

    peak(2)
    assert peak(32) < 1.1 * peak(4)


def test_a_damaged_folder_is_named(tmp_path):
    network, stimulus, n_steps = make("plain")
    run(network, stimulus, n_steps, record=FolderSink(tmp_path / "run"))
    folder = tmp_path / "run" / "layer0.raster"
    whole = (folder / "step.npy").read_bytes()
    (folder / "step.npy").write_bytes(whole[:-4])
    with pytest.raises(DlmError, match=r"is not a complete raster .* write it again"):
        SpikeRaster.load(folder)
    (folder / "step.npy").unlink()
    with pytest.raises(DlmError, match="is not a complete raster"):
        SpikeRaster.load(folder)


def test_a_raster_is_saved_in_either_form(tmp_path):
    raster = run(*make("plain")).rasters["layer0"]
    for name, replace in (("a.npz", False), ("a.raster", False), ("a.raster", True)):
        raster.save(tmp_path / name, replace)
        assert SpikeRaster.load(tmp_path / name) == raster
        assert SpikeRaster.load(tmp_path / name).dt == raster.dt
    assert [on_disk(SpikeRaster.load(tmp_path / name).step) for name in ("a.npz", "a.raster")] == [False, True]


def on_disk(array):
    """Whether an array lies in a file that is mapped into memory."""
    while isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
        array = array.base
    return isinstance(array, np.memmap)


def test_the_rasters_of_a_sink_carry_the_depth(tmp_path):
    network, stimulus, n_steps = make("delays")
    whole = run(network, stimulus, n_steps)
    run(network, stimulus, n_steps, record=FolderSink(tmp_path / "rec", chunk=7))
    for name in network.neurons:
        raster = SpikeRaster.load(tmp_path / "rec" / f"{name}.raster")
        assert raster == whole.rasters[name]
        assert raster.depth == whole.rasters[name].depth == network.depth[name] > 0
