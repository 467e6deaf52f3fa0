"""The verbs import, export, compare and raster, as a user types them."""

from __future__ import annotations

import json
import os
import re
import tracemalloc
from pathlib import Path

import h5py
import nir
import numpy as np
import pynwb
import pytest

import dlm_snn as dlm
from dlm_snn.cli import main
from dlm_snn.exchange.netx.writer import write_net
from dlm_snn.exchange.nir.writer import write_nir
from dlm_snn.exchange.rasters.csv_files import write_csv
from dlm_snn.runs.differences import network_difference, raster_differences
from dlm_snn.runs.recording_files import save_recording
from tests.nets import make


@pytest.fixture
def raster():
    return dlm.SpikeRaster.from_dense(np.random.default_rng(5).random((3, 20, 10)) < 0.2, dt=2e-3)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def typed(capsys, *words, code=0):
    assert main([str(word) for word in words]) == code, capsys.readouterr().err
    shown = capsys.readouterr()
    if code == 2:
        assert shown.err.count("\n") == 1
        return shown.err
    return shown.out + shown.err


def simple(weight=0.5):
    return dlm.Network(
        {"x": dlm.Input((2,)), "a": dlm.LIF((2,), dv=0.2)},
        [dlm.Projection("x", "a", dlm.Dense(np.full((2, 2), weight)))],
    )


def integers(weight=4):
    return dlm.IntegerNetwork(
        {"x": dlm.Input((2,)), "a": dlm.IntegerLIF((2,), dv=100, v_threshold=5)},
        [dlm.IntegerProjection("x", "a", dlm.Dense(np.full((2, 2), weight)))],
    )


def test_a_net_comes_in_and_goes_out(capsys):
    write_net(integers(), "a.net")
    told = typed(capsys, "import", "a.net", "--out", "mine")
    assert "a: IntegerLIF (2,)" in told
    assert "network: mine.json" in told
    typed(capsys, "import", "a.net")
    assert "a.json exists; choose another name, or give --replace" in typed(capsys, "import", "a.net", code=2)
    typed(capsys, "import", "a.net", "--replace")
    assert dlm.load("mine").digest() == integers().digest()
    typed(capsys, "export", "mine", "--to", "net", "--out", "b.net")
    assert "equal: digest" in typed(capsys, "compare", "a.net", "b.net")
    told = typed(capsys, "import", "a.net", "--reset-interval", 16, "--out", "resetting")
    assert dlm.load("resetting").populations["a"].period == 16
    typed(capsys, "import", "a.net", "--num-layers", 5, "--skip-layers", 0, "--out", "whole")
    assert dlm.load("whole").digest() == integers().digest()
    typed(capsys, "import", "a.net", "--skip-layers", 1, "--out", "cut")
    assert list(dlm.load("cut").populations) == ["input", "layer1"]
    told = typed(capsys, "import", "a.net", "--skip-layers", 2, "--out", "none", code=2)
    assert "a.net: skip_layers = 2 leaves none of 2 layers; skip fewer" in told
    told = typed(capsys, "compare", "mine", "resetting", code=1)
    assert "the networks differ; first in" in told


def test_a_nir_graph_comes_in_and_goes_out(capsys):
    graph = write_nir(simple())
    graph.metadata.clear()
    nir.write("a.nir", graph)
    assert "a.nir: a NIR graph has no steps; give dt" in typed(capsys, "import", "a.nir", code=2)
    told = typed(capsys, "import", "a.nir", "--dt", 1e-3, "--reset", "zero")
    assert "a: reset 'zero', du = 1, dv = 0.2, factor on its input = 0.2\n" in told
    assert np.array_equal(dlm.load("a").projections[0].connection.weight, np.full((2, 2), 0.5))
    typed(capsys, "export", "a", "--to", "nir", "--out", "b.nir")
    assert "equal: digest" in typed(capsys, "compare", "a", "b.nir")


@pytest.mark.filterwarnings("default::dlm_snn.errors.LossWarning")
def test_a_nir_graph_with_steps_before_its_inputs_own_shape(capsys):
    one = np.float32(1)
    lif = nir.LIF(tau=10 * one, r=one, v_leak=0 * one, v_threshold=one, v_reset=-one)
    nodes = {"in": nir.Input({"input": np.array([50, 2])}), "w": nir.Linear(np.ones((3, 2))), "a": lif}
    nir.write("a.nir", nir.NIRGraph(nodes, [("in", "w"), ("w", "a")], type_check=False), compression=None)
    asked = ("import", "a.nir", "--dt", 1, "--reset", "zero")
    assert "give input_shape=(2,) (--input-shape 2)" in typed(capsys, *asked, code=2)
    told = typed(capsys, *asked, "--input-shape", 2, "--graded-bits", 5, "--scale", 8, "--signed")
    assert "in: shape (2,), as given; the file says (50, 2)\n" in told
    assert "a: one value of each parameter, for all 3 neurons\n" in told
    assert "dlm-snn: a.nir: node 'a' (LIF): v_reset = -1 and v_leak = 0: v starts at v_leak, which NIR does not" in told
    source = dlm.load("a").populations["in"]
    assert (source.shape, source.graded_bits, source.scale, source.signed) == ((2,), 5, 8.0, True)


@pytest.mark.filterwarnings("default::dlm_snn.errors.LossWarning")
def test_what_an_import_changed_is_told_in_one_line(capsys):
    graph = nir.NIRGraph(
        {
            "in": nir.Input({"input": np.array([2])}),
            **{name: nir.LIF(*(np.full(2, v) for v in (0.01, 1, 0, 1, 0))) for name in "ab"},
            **{name: nir.Linear(np.ones((2, 2))) for name in ("w", "ab", "ba")},
        },
        [("in", "w"), ("w", "a"), ("a", "ab"), ("ab", "b"), ("b", "ba"), ("ba", "a")],
        type_check=False,
    )
    nir.write("a.nir", graph)
    assert "ask for extra_steps: it would take 1 more" in typed(capsys, "import", "a.nir", "--dt", 1e-3, code=2)
    told = typed(capsys, "import", "a.nir", "--dt", 1e-3, "--extra-steps")
    assert "dlm-snn: the edge from 'b' back to 'a' takes 1 step more\n" in told
    assert "dlm-snn: a.nir: its neurons are taken to reset to zero: NIR stores no other reset" in told
    told = typed(capsys, "import", "a.nir", "--dt", 1e-3, "--extra-steps", "--reset", "subtract", "--out", "b")
    assert "reset to zero" not in told
    assert {p.reset for p in dlm.load("b").neurons.values()} == {"subtract"}


def test_rasters_in_all_forms(capsys, raster):
    raster.save("a.npz")
    for target in ("b.raster", "b.nwb", "b.csv", "b.npz", "folder"):
        told = typed(capsys, "raster", "convert", "a.npz", target)
        assert f"written: {target}" in told
        name = "b" if target in ("b.raster", "b.npz") else "a"
        typed(capsys, "raster", "convert", target, f"again-{target}.raster", "--population", name)
        assert dlm.SpikeRaster.load(f"again-{target}.raster") == raster
    assert "equal" in typed(capsys, "compare", "a.npz", "b.csv")
    told = typed(capsys, "raster", "info", "a.npz")
    assert told.startswith("a: 3 samples x 20 steps of 0.002 s x 10 neurons\n")
    assert f"{len(raster)} spikes, rate {raster.rate:.2%}, 0 neurons silent" in told
    typed(capsys, "raster", "cut", "a.npz", "part.npz", "--samples", 1, "--steps", "5:15", "--neurons", ":4")
    assert dlm.SpikeRaster.load("part.npz") == raster[1, 5:15, :4]


def test_a_run_is_exported(capsys):
    network, stimulus, n_steps = make("plain")
    recording = dlm.run(network, stimulus, n_steps, ("s", "u", "v"))
    Path("rec").mkdir()
    save_recording(recording, Path("rec"), "reference")
    typed(capsys, "export", "rec", "--to", "csv")
    typed(capsys, "export", "rec", "--to", "nwb", "--out", "b.nwb")
    typed(capsys, "export", "rec", "--to", "nir")
    assert "equal" in typed(capsys, "compare", "rec.csv", "b.nwb")
    assert "equal: digest" in typed(capsys, "compare", "rec/network", "rec.nir")
    told = typed(capsys, "compare", "rec", "rec")
    assert "0 differ; largest difference of u 0" in told


def test_the_first_divergence_of_rasters(capsys, raster):
    raster.save("a.npz")
    dense = raster.dense()
    dense[1, 4, 7] ^= True
    dense[2, 0, 0] ^= True
    os.makedirs("one")
    os.makedirs("two")
    raster.save("one/a.npz")
    dlm.SpikeRaster.from_dense(dense).save("two/a.npz")
    told = typed(capsys, "compare", "one", "two", code=1)
    assert "2 differ; first at sample 1, step 4, a[7], in the" in told
    assert "first divergence at sample 1, step 4, a[7]\ncause unknown" in told
    (difference,) = raster_differences({"a": raster}, {"a": dlm.SpikeRaster.from_dense(dense)})
    assert difference.in_first == bool(raster.dense()[1, 4, 7])


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (simple(), simple(0.25), r"projections x->a.connection.weight\[0, 0\]: 0.5 against 0.25 \(4 of 4"),
        (integers(), integers(6), r"weight\[0, 0\]: 4 against 6"),
        (simple(), integers(), "Network against IntegerNetwork"),
        (make("plain")[0], make("kwta")[0], "winners: None against"),
        (make("plain")[0], make("delays")[0], "against"),
    ],
)
def test_the_first_difference_of_networks(first, second, message):
    told = network_difference(first, second)
    assert told is not None
    assert re.search(message.removeprefix("projections "), told), told
    assert network_difference(first, first) is None


BAD = {
    "nothing there": (["import", "nothing.net"], "no file nothing.net"),
    "unknown kind": (["import", "a.txt"], "a.txt is of no known kind"),
    "no ending": (["import", "noending"], "noending is of no known kind; known: .aedat, .aedat4, .bin"),
    "a pipe": (["import", "pipe.csv"], "pipe.csv is a pipe, where a file is wanted"),
    "start at 0": (
        ["import", "a.csv", "--start", "0"],
        "a.csv: --start is for spikes with times; name them, --columns time=..,unit=.., or leave it out",
    ),
    "no name of a network": (["import", "a.net", "--out", ""], "'.' names no network; give a name"),
    "ours": (["import", "ours.json"], "ours.json is a file of ours already"),
    "csv without extents": (["import", "a.csv"], "a.csv: it does not tell its extents"),
    "csv outside": (
        ["import", "a.csv", "--extent", "1,3,9"],
        "a.csv: population 'p': raster step[0] = 5 lies outside 0..2",
    ),
    "no nwb": (["raster", "info", "a.nwb"], "a.nwb is not a readable HDF5 file"),
    "two kinds": (["compare", "ours", "r.npz"], "ours and r.npz are of two kinds"),
    "no raster": (["raster", "info", "ours"], "ours holds no rasters"),
    "no population": (["raster", "info", "r.npz", "--population", "s"], "r.npz has no 's'"),
    "ending": (["raster", "convert", "r.npz", "r.h5"], "cannot write rasters as '.h5'"),
    "several": (["raster", "convert", "many", "r2.npz"], "r2.npz holds one population, not a, b"),
    "simulator": (
        ["compare", "r.npz", "one/r.npz", "--simulator", "fast"],
        "--simulator fast chooses among the rasters",
    ),
    "exported simulator": (["export", "r.npz", "--to", "csv", "--simulator", "fast"], "r.npz is none"),
    "tolerance": (["compare", "r.npz", "one/r.npz", "--tolerance", "0"], "--tolerance is for u and v"),
    "an ending alone": (["raster", "convert", "r.npz", ".nwb"], ".nwb is an ending without a name; give NAME.nwb"),
    "a folder": (["import", "many"], "many is a folder, and none of phy or spikeinterface; give"),
    "twice": (["raster", "info", "both"], "both holds 'r' as .npz and as .raster; give one of them"),
    "onto a folder": (["raster", "convert", "r.npz", "folder.nwb"], "cannot write folder.nwb, which is a folder"),
    "onto a file": (["raster", "convert", "r.npz", "file.raster"], "cannot write file.raster, which is a file"),
    "exists": (["raster", "convert", "many", "one"], "one exists; choose another name, or give --replace"),
    "damaged csv": (["import", "bytes.csv", "--extent", "1,2,3"], "bytes.csv is not a readable CSV"),
    "altered network": (
        ["compare", "ours", "reset"],
        "reset.json: tree.populations[1]: reset = 'zer0' is neither 'zero' nor 'subtract'",
    ),
    "export of rasters": (["export", "r.npz", "--to", "nir"], "r.npz holds no network"),
    "export of a network": (["export", "ours", "--to", "nwb"], "ours holds no rasters"),
    "floats to net": (["export", "ours", "--to", "net"], "a .net file cannot do a network of floats"),
    "out": (["export", "ours", "--to", "nir", "--out", "x.net"], "--out x.net does not end in .nir"),
    "format": (["export", "ours", "--to", "onnx"], "argument --to: invalid choice: 'onnx'"),
    "shape": (["import", "a.csv", "--extent", "1,2"], "argument --extent: '1,2' holds 2 numbers, not 3"),
    "range": (["raster", "cut", "r.npz", "x.npz", "--steps", "a:b"], "argument --steps: 'a:b' is not a range"),
    "stride": (["raster", "cut", "r.npz", "x.npz", "--steps", "0:4:2"], "'0:4:2' is not a range"),
    "sample": (["raster", "cut", "r.npz", "x.npz", "--samples", "7"], "--samples 7:8 holds none of the samples 0..0"),
    "steps": (["raster", "cut", "r.npz", "x.npz", "--steps", "4:2"], "--steps 4:2 holds none of the steps 0..5 of 'r'"),
    "dt of ours": (
        ["raster", "info", "ours.csv", "--dt", "0.5"],
        "ours.csv: it was written for dt = 0.001 s, not 0.5 s; leave dt out",
    ),
    "dt of rasters": (
        ["export", "many", "--to", "nwb", "--dt", "0.5"],
        "many has steps of 0.001 s, not of --dt 0.5 s; leave it out",
    ),
    "dt of none": (
        ["import", "a.csv", "--extent", "1,6,3", "--dt", "0"],
        "population 'p': raster dt = 0.0 is not a number of seconds",
    ),
    "reset of a net": (["import", "a.net", "--reset", "subtract"], "--reset is for .nir, not for .net; leave it out"),
    "signs of a net": (["import", "a.net", "--signed"], "--signed is for .nir, not for .net; leave it out"),
    "layers of a nir": (["import", "e.nir", "--num-layers", "2"], "--num-layers is for .net, not for .nir; leave it"),
    "start of a csv": (
        ["raster", "info", "r.npz", "--start", "1"],
        "--start is for .nwb, .csv, .bs2, .bin, ",
    ),
    "dt of a raster": (
        ["compare", "r.npz", "one/r.npz", "--dt", "1"],
        "spikeinterface's .npz, not for .npz and .npz; leave it out",
    ),
    "extra steps": (["import", "e.bs2", "--dt", "1", "--extra-steps"], "--extra-steps is for .nir, not for .bs2"),
    "no dt": (["import", "e.bs2"], "e.bs2 has times, not steps; give dt"),
    "truncated events": (["import", "t.bs2", "--dt", "0.001"], "t.bs2 has 7 bytes"),
    "pixel": (
        ["import", "e.bs2", "--dt", "0.001", "--shape", "2,4,4"],
        "e.bs2, event 0: row 33 lies outside 0..3",
    ),
    "no run": (["export", "empty", "--to", "csv"], "no network, run, recording or raster in empty"),
    "action": (["raster", "turn", "r.npz"], "invalid choice: 'turn'"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(capsys, name, tmp_path):
    words, message = BAD[name]
    dlm.save(simple(), "ours")
    for other in ("a.txt", "a.net", "noending"):
        (tmp_path / other).write_text("x")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "a.csv").write_text("population,sample,step,neuron\np,0,5,1\n")
    (tmp_path / "a.nwb").write_text("x")
    (tmp_path / "a.net").write_text("x")
    write_csv({"p": dlm.SpikeRaster.from_dense(np.ones((1, 2, 2), bool))}, "ours.csv")
    (tmp_path / "e.bs2").write_bytes(bytes([33, 33, 0, 0, 5]))
    (tmp_path / "t.bs2").write_bytes(b"1234567")
    (tmp_path / "e.nir").write_text("x")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00a")
    (tmp_path / "file.raster").write_text("x")
    dlm.save(simple(), "reset")
    (tmp_path / "reset.json").write_text((tmp_path / "reset.json").read_text().replace('"zero"', '"zer0"'))
    for folder in ("many", "one", "empty", "both", "folder.nwb"):
        (tmp_path / folder).mkdir()
    ones = np.ones((1, 6, 3), bool)
    dlm.SpikeRaster.from_dense(ones).save("r.npz")
    for form in ("npz", "raster"):
        dlm.SpikeRaster.from_dense(ones).save(f"both/r.{form}")
    dlm.SpikeRaster.from_dense(ones[:, :5]).save("one/r.npz")
    for population in "ab":
        dlm.SpikeRaster.from_dense(ones).save(f"many/{population}.npz")
    before = sorted(p.name for p in tmp_path.iterdir())
    assert message in typed(capsys, *words, code=2)
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_files_of_one_raster_are_compared_whatever_their_names(capsys, raster):
    raster.save("mine.npz")
    raster.save("theirs.raster")
    write_csv({"hidden": raster}, "a.csv")
    write_csv({"output": raster}, "b.csv")
    for first, second in (("mine.npz", "theirs.raster"), ("a.csv", "mine.npz"), ("mine.npz", "a.csv")):
        assert "equal" in typed(capsys, "compare", first, second)
    assert "only one of them has a raster of 'hidden'" in typed(capsys, "compare", "a.csv", "b.csv", code=1)
    raster[:, :-1].save("short.npz")
    assert "differ in (samples, steps, neurons)" in typed(capsys, "compare", "mine.npz", "short.npz", code=1)


@pytest.mark.filterwarnings("default::dlm_snn.errors.LossWarning")
def test_export_of_files_that_do_not_tell_their_step(capsys):
    graph = write_nir(simple())
    graph.metadata.clear()
    nir.write("a.nir", graph)
    assert "give dt" in typed(capsys, "export", "a.nir", "--to", "nir", "--out", "b.nir", code=2)
    typed(capsys, "export", "a.nir", "--to", "nir", "--out", "b.nir", "--dt", 2e-3)
    assert "equal: digest" in typed(capsys, "compare", "a.nir", "b.nir", "--dt", 2e-3)


def test_a_raster_of_very_many_neurons_takes_no_memory(capsys):
    none = np.zeros(0, np.uint32)
    dlm.SpikeRaster(none, none, none, 1, 1, 2**32 - 1).save("a.npz")
    tracemalloc.start()
    assert "0 spikes, rate 0.00%, 4,294,967,295 neurons silent" in typed(capsys, "raster", "info", "a.npz")
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()


def test_a_damaged_net_is_one_line(capsys):
    with h5py.File("a.net", "w") as file:
        file["layer/0/type"] = np.array([b"average"])
    assert "a .net import cannot do the layer type 'average' of a.net: /layer/0" in typed(
        capsys, "import", "a.net", code=2
    )


def test_the_recording_of_an_event_camera(capsys):
    Path("e.bs2").write_bytes(bytes([33, 33, 0, 0, 5, 1, 2, 0x80, 0x27, 0x10]))
    told = typed(capsys, "import", "e.bs2", "--dt", "0.001", "--out", "events")
    assert "e: 2 spikes of 2,312 neurons, 1 sample x 11 steps of 0.001 s" in told
    assert "1 event was moved onto the grid, by 5e-06 s at most; rasters: events" in told
    assert list(dlm.SpikeRaster.load("events/e.npz").step) == [0, 10]
    Path("e.bs2").rename("e.bin")
    typed(capsys, "import", "e.bin", "--dt", "0.001", "--out", "again")
    assert dlm.SpikeRaster.load("again/e.npz") == dlm.SpikeRaster.load("events/e.npz")


def test_an_npz_of_others_is_not_called_ours(capsys):
    np.savez("events.npz", x=[1], y=[2], t=[3], p=[0])
    told = typed(capsys, "import", "events.npz", "--dt", "0.001", "--out", "o", code=2)
    assert "events.npz holds x, y, t, p; a raster holds sample, step, neuron, n_samples, n_steps, n_neurons, dt" in told
    told = typed(capsys, "raster", "info", "events.npz", code=2)
    assert "events.npz is not a complete raster (it has x, y, t, p, but no array 'sample'; wanted: sample, step" in told
    dlm.SpikeRaster.from_dense(np.ones((1, 2, 3), bool)).save("ours.npz")
    assert "ours.npz is a file of ours already; nothing to import" in typed(capsys, "import", "ours.npz", code=2)
    np.savez("many.npz", **{f"an_array_with_a_long_name_{i}": [1] for i in range(99)})
    assert len(typed(capsys, "import", "many.npz", code=2)) < 500


def test_a_network_with_a_constant_of_its_own_is_fed_by_the_command_line(capsys):
    one = dlm.Input((1,), graded_bits=1, aligned=True)
    network = dlm.Network(
        {"pixels": dlm.Input((64,), graded_bits=5, scale=16), "one": one, "cells": dlm.LIF((10,), du=0.5, dv=0.2)},
        [dlm.Projection(pre, "cells", dlm.Dense(np.full((10, n), 0.01))) for pre, n in (("pixels", 64), ("one", 1))],
    )
    dlm.save(network, "biased")
    assert "synaptic operations" in typed(capsys, "simulate", "biased", "--samples", "3", "--steps", "4")
    assert "integer network" in typed(capsys, "convert", "biased", "--samples", "3", "--steps", "4")


def test_units_keep_their_ids_beside_the_rasters(capsys):
    file = pynwb.NWBFile("a session", "someone", pynwb.file.datetime(2020, 1, 1).astimezone())
    for i, unit in enumerate((40, 7, 12)):
        file.add_unit(spike_times=[5.0 + 0.1 * i], id=unit)
    with pynwb.NWBHDF5IO("a.nwb", "w") as io:
        io.write(file)
    told = typed(capsys, "import", "a.nwb", "--dt", 1e-3, "--start", 5, "--out", "o")
    assert "units: neurons 0..2 are the units 40, 7, 12\n" in told
    assert json.loads(Path("o/units.json").read_text()) == {"unit_ids": {"units": [40, 7, 12]}}
    assert dlm.SpikeRaster.load("o/units.npz").step.tolist() == [0, 100, 200]
    assert "3 spikes" in typed(capsys, "raster", "info", "o")
    typed(capsys, "import", "a.nwb", "--dt", 1e-3, "--start", 4.5, "--out", "o", "--replace")
    assert dlm.SpikeRaster.load("o/units.npz").step.tolist() == [500, 600, 700]
    assert "neurons 0..2 are the units" in typed(capsys, "raster", "info", "a.nwb", "--dt", 1e-3)
    told = typed(capsys, "import", "a.nwb", "--dt", 1e-3, "--start", "6", "--out", "late", code=2)
    assert "a.nwb: unit 40, spike 0 has the time -1 s" in told


def test_a_run_exports_the_times_of_the_machine(capsys):
    """From a recording's folder, and from one of its rasters alone."""
    network = dlm.Network(
        {"x": dlm.Input((2,)), "a": dlm.LIF((2,), dv=0.2)},
        [dlm.Projection("x", "a", dlm.Dense(np.full((2, 2), 0.9)), delay=12)],
    )
    recording = dlm.run(network, {"x": np.ones((1, 30, 2), int)}, 30)
    Path("rec").mkdir()
    save_recording(recording, Path("rec"), "reference")
    for source in ("rec", "rec/a.npz"):
        out = f"{source.replace('/', '-')}.nwb"
        typed(capsys, "export", source, "--to", "nwb", "--out", out)
        with h5py.File(out) as file:
            first = file["units/spike_times"][0]
        assert first == pytest.approx((12 + recording.rasters["a"].step[0]) * 1e-3)
        typed(capsys, "raster", "convert", out, f"{out}.raster", "--population", "a")
        again = dlm.SpikeRaster.load(f"{out}.raster")
        assert (again, again.depth) == (recording.rasters["a"], 12)
        assert "equal" in typed(capsys, "compare", source, out)


@pytest.mark.parametrize("name", ["a.aedat3", "a.npyz", "a.evt3"])
def test_no_ending_is_guessed(capsys, name):
    Path(name).write_bytes(b"x")
    told = typed(capsys, "import", name, code=2)
    assert f"{name} is of no known kind; known: .aedat, .aedat4, .bin, " in told
    assert "did you mean" not in told
