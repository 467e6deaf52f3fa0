"""Rasters in other people's formats: every spike there and back, and what is wrong by its file and first event."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import warnings
import zipfile
from pathlib import Path

import h5py
import neo
import nir
import numpy as np
import pandas as pd
import pynwb
import pytest
import quantities as pq
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import dlm_snn as dlm
from dlm_snn import DlmError, SpikeRaster
from dlm_snn.errors import LossWarning, MissingError
from dlm_snn.exchange.guarded import apart, hdf5
from dlm_snn.exchange.rasters import arrays, grid
from dlm_snn.exchange.rasters.aedat4 import read_aedat4
from dlm_snn.exchange.rasters.csv_files import from_frame, populations_of, read_csv, to_frame, write_csv
from dlm_snn.exchange.rasters.events import CameraEvents, from_events
from dlm_snn.exchange.rasters.grid import Moved, to_steps, to_times
from dlm_snn.exchange.rasters.neo import from_neo, labels_of, to_neo
from dlm_snn.exchange.rasters.nir_recording import from_nir_data, to_nir_data
from dlm_snn.exchange.rasters.nmnist import parse_bs2, read_bs2
from dlm_snn.exchange.rasters.nwb import read_nwb, read_session, write_nwb

DTS = (1e-3, 1e-4, 0.0123, 1 / 3, 3e-9)


@st.composite
def runs(draw, alike=True):
    """Rasters of one run by population; with silent neurons, samples and populations among them."""
    n_samples, n_steps = draw(st.integers(1, 3)), draw(st.integers(1, 40))
    dt = draw(st.sampled_from(DTS))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rasters = {}
    for name in draw(
        st.lists(st.sampled_from(["hidden", "out", 'a, "b"', "größe"]), min_size=1, max_size=3, unique=True)
    ):
        if not alike:
            n_samples, n_steps = draw(st.integers(1, 3)), draw(st.integers(1, 40))
        spikes = generator.random((n_samples, n_steps, draw(st.integers(1, 6)))) < draw(
            st.sampled_from((0, 0.05, 0.5, 1))
        )
        rasters[name] = SpikeRaster.from_dense(spikes, dt).at_depth(draw(st.sampled_from((0, 0, 1, 2, 7))))
    return rasters


def same(ours, theirs):
    assert list(ours) == list(theirs)
    for name, raster in ours.items():
        assert raster == theirs[name]
        assert (raster.dt, raster.depth) == (theirs[name].dt, theirs[name].depth)
    return True


@given(st.lists(st.integers(0, 2**32 - 2), max_size=50), st.floats(1e-9, 1e3))
def test_steps_and_times_are_each_others_inverse(steps, dt):
    back, moved = to_steps(to_times(steps, dt), dt)
    assert back.tolist() == steps
    assert moved.events == 0


def test_times_off_the_grid_are_told():
    steps, moved = to_steps([0.0, 0.0014, 0.0016, 0.002], 1e-3)
    assert steps.tolist() == [0, 1, 2, 2]
    assert (moved.events, round(moved.most, 9)) == (2, 0.0004)
    assert str(moved) == "2 events were moved onto the grid, by 0.0004 s at most"
    assert str(Moved(0, 0.0, 0)) == "every event lies on the grid"
    for times, message in (
        ([0.0, -1.0], "event 1 has the time -1 s"),
        ([np.nan], "event 0 has the time nan s"),
        ([1e9], "event 0 has the time 1e"),
    ):
        with pytest.raises(DlmError, match=message):
            to_steps(times, 1e-3)
    for dt in (0, -1, np.nan, "a"):
        with pytest.raises(DlmError, match="is not a number of seconds"):
            to_steps([0.0], dt)


@settings(max_examples=15)
@given(runs())
def test_nwb_there_and_back(tmp_path_factory, rasters):
    path = tmp_path_factory.mktemp("nwb") / "a.nwb"
    write_nwb(rasters, path)
    again, moved = read_nwb(path)
    assert same(rasters, again)
    assert moved == Moved()


def test_nwb_is_valid_and_read_by_others(tmp_path):
    generator = np.random.default_rng(1)
    rasters = {
        name: SpikeRaster.from_dense(generator.random((2, 50, n)) < 0.1) for name, n in (("hidden", 5), ("out", 3))
    }
    path = tmp_path / "a.nwb"
    write_nwb(rasters, path)
    assert pynwb.validate(path=str(path)) in ([], ([], 0), ([], False))
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        file = io.read()
        assert len(file.units) == 8
        assert list(file.units["population"][:]) == ["hidden"] * 5 + ["out"] * 3
        assert file.trials["start_time"][:].tolist() == [0.0, 0.05]
        hidden = rasters["hidden"]
        own = hidden.neuron == 2
        expected = (hidden.sample[own] * 50 + hidden.step[own]) * 1e-3
        np.testing.assert_array_equal(file.units["spike_times"][2], expected)


def nwb_of_others(path, trains, ids=None, trials=0, module=None, **columns):
    """A file as pynwb writes it, with a unit a train."""
    file = pynwb.NWBFile("a session", "someone", pynwb.file.datetime(2020, 1, 1).astimezone())
    table = file
    if module is not None:
        table = pynwb.misc.Units(name=module, description="sorted")
        file.create_processing_module("ecephys", "sorted").add(table)
    add = table.add_unit
    for key in columns:
        (table.add_column if module else file.add_unit_column)(key, "of the user")
    for i, times in enumerate(trains):
        add(
            spike_times=np.asarray(times, float),
            id=i if ids is None else ids[i],
            **{k: v[i] for k, v in columns.items()},
        )
    for trial in range(trials):
        file.add_trial(float(trial), trial + 0.5)
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    return path


def test_nwb_of_others(tmp_path):
    path = nwb_of_others(tmp_path / "a.nwb", ([0.0101, 0.002, 0.0021], [], [0.5]))
    with pytest.raises(DlmError, match=r"a.nwb does not tell its steps; give dt"):
        read_nwb(path)
    with pytest.raises(DlmError, match=r"a.nwb: dt = 0 is not a number of seconds above 0$"):
        read_nwb(path, 0)
    rasters, moved = read_nwb(path, 1e-3)
    assert rasters["units"] == SpikeRaster(np.array([0, 0, 0]), np.array([2, 10, 500]), np.array([0, 0, 2]), 1, 501, 3)
    assert (moved.events, moved.merged) == (2, 1)
    assert moved.most == pytest.approx(1e-4)
    assert read_session(path, 1e-3).unit_ids == {}


def test_units_keep_their_ids(tmp_path):
    path = nwb_of_others(tmp_path / "a.nwb", ([0.1], [0.2], [0.3], [0.4]), (7, 3, 0, 1), population=list("ABBA"))
    session = read_session(path, 1e-3)
    assert session.unit_ids == {"A": (7, 1), "B": (3, 0)}
    assert [(r.step.tolist(), r.neuron.tolist()) for r in session.rasters.values()] == [
        ([100, 400], [0, 1]),
        ([200, 300], [0, 1]),
    ]


@pytest.mark.parametrize(
    ("trains", "message"),
    [
        (
            ([0.1, 0.2], [-0.3, 0.4]),
            "unit 7, spike 0 has the time -0.3 s, .*; give start .* the first event comes at -0.3 s",
        ),
        (([0.1, 0.2], [0.3, 0.4, np.nan]), "unit 7, spike 2 has the time nan s, .*; leave out what is no number"),
        (([1.6e9, 1.6e9 + 1], []), r"unit 5, spike 0 has the time 1.6e\+09 s, .*; give start .* comes at 1600000000 s"),
        (([], [], [np.inf]), "unit 9, spike 0 has the time inf s"),
    ],
)
def test_a_time_that_is_none_is_named_by_its_unit(tmp_path, trains, message):
    path = nwb_of_others(tmp_path / "a.nwb", trains, (5, 7, 9))
    with pytest.raises(DlmError, match=f"a.nwb: {message}"):
        read_nwb(path, 1e-3)


@settings(max_examples=10)
@given(st.floats(-1e9, 1e9), st.lists(st.integers(0, 500), min_size=1, max_size=6, unique=True))
def test_a_session_clock_has_a_start(tmp_path_factory, start, steps):
    path = nwb_of_others(tmp_path_factory.mktemp("nwb") / "a.nwb", ([start + s * 1e-3 for s in sorted(steps)],))
    raster = read_nwb(path, 1e-3, start=start)[0]["units"]
    assert raster.step.tolist() == sorted(steps)


def test_a_start_that_is_none(tmp_path):
    path = nwb_of_others(tmp_path / "a.nwb", ([0.1],))
    for start in (np.nan, "now"):
        with pytest.raises(DlmError, match=r"a.nwb: start = .* is no number of seconds"):
            read_nwb(path, 1e-3, start)
    write_nwb({"a": SpikeRaster.from_dense(np.ones((1, 2, 2), bool))}, tmp_path / "ours.nwb")
    with pytest.raises(DlmError, match=r"ours.nwb: start = 0.5 of a file of ours, .*; leave it out"):
        read_nwb(tmp_path / "ours.nwb", start=0.5)


def test_units_of_a_processing_module_and_trials_are_told(tmp_path):
    path = nwb_of_others(tmp_path / "a.nwb", ([0.1], [0.2]), trials=3, module="sorted")
    with pytest.warns(LossWarning) as told:
        rasters, _ = read_nwb(path, 1e-3)
    assert rasters["units"].step.tolist() == [100, 200]
    assert [str(w.message).removeprefix(f"{path}: ") for w in told] == [
        "its units are those of processing/ecephys/sorted, a processing module",
        "its 3 trials are left out; the recording is one sample (trials=True makes each one)",
    ]
    with h5py.File(path, "a") as file:
        file.copy("processing/ecephys/sorted", "processing/ecephys/again")
    with pytest.raises(
        DlmError, match=r"a.nwb has several units tables, processing/ecephys/again, processing/ecephys/so"
    ):
        read_nwb(path, 1e-3)


@pytest.mark.parametrize(
    ("times", "dt", "start", "message"),
    [
        (np.arange(50) * 1e-3, 1.0, 0.0, "all 50 events fall into step 0, as they lie within 0.049 s; is dt = 1 s"),
        (np.arange(50) * 200.0, 1e-3, 0.0, "50 events lie over 9800001 steps of 0.001 s; are its times in seconds"),
        (1000 + np.arange(50) * 0.1, 1e-3, 0.0, "1000000 steps are empty before its first event; .* --start"),
        (np.arange(50) * 0.2, 1e-3, 0.0, None),
        (1000 + np.arange(50) * 0.1, 1e-3, 1000.0, None),
        (np.zeros(1), 1e-3, 0.0, None),
        (np.zeros(5), 1.0, 0.0, None),
        (np.arange(18_000) * 0.2, 1 / 30_000, 0.0, None),
    ],
)
def test_times_in_another_unit_are_told(tmp_path, times, dt, start, message):
    """Also of an hour of a neuron of 5 Hz at 30 kHz nothing is said."""
    path = nwb_of_others(tmp_path / "a.nwb", (times,))
    block = [neo.SpikeTrain(times, units="s", t_stop=times.max() + 1)]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", LossWarning)
        read_nwb(path, dt, start)
        if not start:
            from_neo(block, dt)
    found = [str(w.message) for w in told if w.category is LossWarning]
    assert len(found) == (0 if message is None else 2)
    for line in found:
        assert re.search(message, line), line


def test_nwb_of_many_long_samples(tmp_path):
    path = tmp_path / "a.nwb"
    n_steps = 2**31
    raster = SpikeRaster(np.array([0, 9]), np.array([7, n_steps - 1]), np.array([0, 1]), 10, n_steps, 2)
    write_nwb({"a": raster}, path)
    assert read_nwb(path) == ({"a": raster}, Moved())


def test_nwb_does_not_lose_units_or_take_another_step(tmp_path):
    path = tmp_path / "a.nwb"
    write_nwb({"a": SpikeRaster.from_dense(np.ones((1, 4, 2), bool), 2e-3)}, path)
    with pytest.raises(DlmError, match=r"a.nwb: it was written for dt = 0.002 s, not 0.001 s; leave dt out"):
        read_nwb(path, 1e-3)
    with pytest.raises(DlmError, match=r"a.nwb: .* not 0 s"):
        read_nwb(path, 0)
    with h5py.File(path, "a") as file:
        file["units/population"][1] = "b"
    with pytest.raises(DlmError, match=r"a.nwb: its notes 'dlm-snn' do not tell the extent of the units of 'b'"):
        read_nwb(path)
    with h5py.File(path, "a") as file:
        del file["units/neuron"]
        file["units"].attrs["colnames"] = ["spike_times", "population"]
    rasters, _ = read_nwb(path)
    assert {name: raster.dt for name, raster in rasters.items()} == {"a": 2e-3, "b": 2e-3}


def test_damaged_nwb_files_are_named(tmp_path):
    path = tmp_path / "a.nwb"
    with pytest.raises(MissingError, match=r"no file .*a.nwb"):
        read_nwb(path)
    path.write_bytes(b"something")
    with pytest.raises(DlmError, match=r"a.nwb is not a readable HDF5 file"):
        read_nwb(path)
    with h5py.File(path, "w") as file:
        file["x"] = 1
    with pytest.raises(DlmError, match=r"a.nwb is not a readable NWB file"):
        read_nwb(path)
    with h5py.File(path, "w") as file:
        file["units"] = np.arange(3)
    with pytest.raises(DlmError, match=r"a.nwb: /units is an array, expected a table"):
        read_nwb(path)
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(pynwb.NWBFile("a", "b", pynwb.file.datetime(2020, 1, 1).astimezone()))
    with pytest.raises(DlmError, match=r"a.nwb has no units table with spike times"):
        read_nwb(path, 1e-3)
    path.unlink()
    write_nwb({"a": SpikeRaster.from_dense(np.ones((1, 4, 2), bool))}, path)
    with h5py.File(path, "a") as file:
        file["units/spike_times"][3] = -1.0
    with pytest.raises(DlmError, match=r"a.nwb: unit 0, spike 3 has the time -1 s"):
        read_nwb(path)
    with h5py.File(path, "a") as file:
        del file["units/spike_times"]
        file.create_dataset("units/spike_times", shape=(10**13,), dtype="f8", chunks=(1000,))
    with pytest.raises(DlmError, match=r"a.nwb: /units/spike_times declares the shape \(10000000000000,\)"):
        read_nwb(path)


def test_waveforms_and_signals_are_not_read(tmp_path, monkeypatch):
    """They take gigabytes where spikes take megabytes."""
    path = nwb_of_others(tmp_path / "a.nwb", (np.arange(200_000) * 1e-3, [0.2]))
    with h5py.File(path, "a") as file:
        for place in ("units/waveforms", "acquisition/raw"):
            file.create_dataset(place, data=np.zeros((1000, 300)))
    read = []
    getting = h5py.Dataset.__getitem__
    monkeypatch.setattr(h5py.Dataset, "__getitem__", lambda self, key: [read.append(self.name), getting(self, key)][1])
    hdf5._walked(path, spikes_only=True)
    assert {"/units/spike_times", "/units/spike_times_index", "/units/id"} <= set(read)
    assert not {"/units/waveforms", "/acquisition/raw"} & set(read)


@pytest.mark.parametrize("ends", [[3, 2], [1, 9]])
def test_an_index_that_does_not_fit_is_named(tmp_path, ends):
    path = nwb_of_others(tmp_path / "a.nwb", ([0.1, 0.2], [0.3, 0.4]))
    with h5py.File(path, "a") as file:
        file["units/spike_times_index"][:] = ends
    told = r"a.nwb: spike_times_index of its units does not fit .* first at unit 1; write it again"
    with pytest.raises(DlmError, match=told):
        read_nwb(path, 1e-3)


@given(runs())
def test_neo_there_and_back(rasters):
    again, moved = from_neo(to_neo(rasters))
    assert same(rasters, again)
    assert moved == Moved()


def test_neo_of_ours_that_somebody_changed():
    block = to_neo({"a": SpikeRaster.from_dense(np.ones((1, 3, 2), bool))})
    with pytest.raises(DlmError, match=r"dt = 0.002 of a Neo block that has steps of 0.001 s"):
        from_neo(block, 2e-3)
    assert from_neo(block, 1e-3)[0]["a"].dt == 1e-3
    block.segments[0].spiketrains[0].annotate(population="b")
    with pytest.raises(DlmError, match="population 'b' of the Neo block is not in its annotation"):
        from_neo(block)


def test_neo_of_others():
    train = neo.SpikeTrain([12.0, 13.0, 30.0] * pq.ms, t_start=10 * pq.ms, t_stop=31 * pq.ms)
    silent = neo.SpikeTrain([] * pq.s, t_start=0.01 * pq.s, t_stop=0.031 * pq.s)
    block = blocks([train, silent], [silent, train])
    with pytest.raises(DlmError, match="does not tell its steps"):
        from_neo(block)
    rasters, moved = from_neo(block, 1e-3)
    dense = np.zeros((2, 21, 2), bool)
    dense[0, [2, 3, 20], 0] = dense[1, [2, 3, 20], 1] = True
    assert rasters["units"] == SpikeRaster.from_dense(dense)
    assert moved == Moved()


def blocks(*samples):
    block = neo.Block()
    for trains in samples:
        segment = neo.Segment()
        for train in trains:
            segment.spiketrains.append(train)
        block.segments.append(segment)
    return block


def train(*times, t_start=0.0, t_stop=0.1, units="s", **notes):
    return neo.SpikeTrain(list(times), units=units, t_start=t_start, t_stop=t_stop, **notes)


def events(rasters, name="units"):
    raster = rasters[name]
    return list(zip(raster.sample.tolist(), raster.step.tolist(), raster.neuron.tolist(), strict=True))


def test_times_of_a_segment_have_one_origin():
    """Its earliest t_start, whatever the unit; each Segment its own."""
    same = blocks([train(0.06), train(0.06, t_start=0.05)])
    assert events(from_neo(same, 1e-3)[0]) == [(0, 60, 0), (0, 60, 1)]
    late = blocks([train(0.01)], [train(5.01, t_start=5.0, t_stop=5.1)])
    assert events(from_neo(late, 1e-3)[0]) == [(0, 10, 0), (1, 10, 0)]
    around = blocks([train(-0.02, 0.03, t_start=-0.05)])
    assert events(from_neo(around, 1e-3)[0]) == [(0, 30, 0), (0, 80, 0)]
    mixed = blocks([train(0.01), train(20.0, units="ms", t_stop=100.0), train(0.05, 0.01)])
    assert events(from_neo(mixed, 1e-3)[0]) == [(0, 10, 0), (0, 10, 2), (0, 20, 1), (0, 50, 2)]
    assert from_neo(blocks([], [train()]), 1e-3)[0]["units"].extent == (2, 100, 1)


def test_units_of_each_train_and_bound_are_their_own():
    """Those of a block that was copied or stored are objects of their own, and no text is taken for another unit."""
    tick, other = (pq.UnitTime("tick", n * pq.ms, symbol="tick") for n in (2, 5))
    compound = pq.CompoundUnit("0.01*s")
    trains = [
        train(20.0, units="ms", t_stop=100.0),
        train(10.0, units=tick, t_stop=50.0),
        train(4.0, units=other, t_stop=20.0),
        train(2.0, units=compound, t_stop=10.0),
        train(0.02),
    ]
    trains[0].t_start, trains[0].t_stop = -0.01 * pq.s, 100_000 * pq.us
    block = blocks(trains)
    for form in (block, copy.deepcopy(block), pickle.loads(pickle.dumps(block))):
        raster = from_neo(form, 1e-3)[0]["units"]
        assert (raster.step.tolist(), raster.n_steps) == ([30] * 5, 110)
    for units in (pq.mV, pq.s**2, pq.dimensionless):
        trains[1] = neo.SpikeTrain([1.0] * units, t_start=0.0 * units, t_stop=2.0 * units)
        with pytest.raises(DlmError, match="segment 0, train 1 is no SpikeTrain in a unit of time"):
            from_neo(blocks(trains), 1e-3)


@given(st.permutations(["u0", "u1", "u2"]), st.sets(st.sampled_from(["u0", "u1", "u2"]), min_size=1))
def test_a_neuron_is_known_by_its_name(order, present):
    block = blocks(
        [train(0.01 * (1 + int(name[1])), name=name) for name in order],
        [train(0.01 * (1 + int(name[1])), name=name) for name in sorted(present)],
    )
    assert labels_of(block) == {"units": tuple(order)}
    for _, step, neuron in events(from_neo(block, 1e-3)[0]):
        assert step == 10 * (1 + int(order[neuron][1]))


def test_trains_without_names_are_known_by_their_place_or_refused():
    for names in (("", ""), ("u", "u"), ("u", "")):
        own = [[train(0.01 * (1 + i), name=name) for i, name in enumerate(names)] for _ in range(2)]
        assert labels_of(blocks(*own)) == {"units": ("0", "1")}
        assert events(from_neo(blocks(*own, []), 1e-3)[0])[:2] == [(0, 10, 0), (0, 20, 1)]
        with pytest.raises(
            DlmError, match=r"Segments have 1 and 2 trains of 'units', and names do not tell which neuron"
        ):
            from_neo(blocks(own[0], own[1][1:]), 1e-3)


def test_a_segment_and_a_list_of_trains_are_samples():
    trains = [train(0.01, name="a"), train(0.02, name="b")]
    block = blocks(trains)
    for given_form in (block, block.segments[0], trains, block.segments[0].spiketrains, tuple(trains)):
        assert events(from_neo(given_form, 1e-3)[0]) == [(0, 10, 0), (0, 20, 1)]
        assert labels_of(given_form) == {"units": ("a", "b")}
    for wrong in (3, None, trains[0]):
        with pytest.raises(DlmError, match=r"is no neo\.Block, Segment or list of SpikeTrains"):
            from_neo(wrong, 1e-3)
    for wrong in ([3], ["a"], [np.zeros(3)]):
        with pytest.raises(DlmError, match="segment 0, train 0 is no SpikeTrain in a unit of time"):
            from_neo(wrong, 1e-3)


def test_a_spike_of_neo_that_is_none_is_named():
    broken = [train(0.01, name="a"), train(0.02, 0.03, name="b")]
    broken[1].array_annotations.clear()
    np.asarray(broken[1])[1] = np.nan
    with pytest.raises(DlmError, match="segment 1, train 'b', spike 1 has the time nan s"):
        from_neo(blocks([], broken), 1e-3)


def test_neo_of_ours_without_its_notes():
    block = to_neo({"a": SpikeRaster.from_dense(np.ones((1, 3, 2), bool))})
    del block.segments[0].spiketrains[1].annotations["neuron"]
    with pytest.raises(DlmError, match="the annotation 'dlm_snn' of the Neo block, or 'neuron' of a train, is damaged"):
        from_neo(block)
    block = to_neo({"a": SpikeRaster.from_dense(np.ones((1, 3, 2), bool))})
    block.annotations["dlm_snn"] = {"dt": 1e-3}
    with pytest.raises(DlmError, match="is damaged"):
        from_neo(block)


@given(runs(alike=False))
def test_frames_and_csv_there_and_back(tmp_path_factory, rasters):
    frame = to_frame(rasters)
    assert same(rasters, from_frame(frame))
    assert frame["time"].tolist() == [t for r in rasters.values() for t in to_times(r.step + np.int64(r.depth), r.dt)]
    shuffled = frame.sample(frac=1, random_state=1)
    assert same(rasters, from_frame(shuffled))
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    write_csv(rasters, path)
    assert same(rasters, read_csv(path))
    plain = pd.read_csv(path, comment="#", keep_default_na=False) if not any("#" in name for name in rasters) else frame
    assert len(plain) == sum(map(len, rasters.values()))
    assert same(rasters, from_frame(plain, frame.attrs["dlm_snn"]))


def delayed(delay):
    """x -> a -> b, each spike making the next: the times of the machine are 10, 10 + delay, 11 + delay."""
    one = dlm.Dense(np.ones((1, 1)))
    lif = dlm.LIF((1,), dv=0.5, v_threshold=0.5)
    network = dlm.Network(
        {"x": dlm.Input((1,)), "a": lif, "b": lif},
        [dlm.Projection("x", "a", one, delay), dlm.Projection("a", "b", one)],
    )
    spikes = np.zeros((2, 60, 1), int)
    spikes[:, [10, 59]] = 1
    recording = dlm.run(network, {"x": spikes}, n_steps=60)
    return {"x": SpikeRaster.from_dense(spikes), **recording.rasters}


@pytest.mark.parametrize("delay", [1, 12, 63])
def test_exported_times_are_those_of_the_machine(tmp_path, delay):
    rasters = delayed(delay)
    late = {"x": 0, "a": delay, "b": delay + 1}
    assert {name: raster.depth for name, raster in rasters.items()} == late
    steps = {name: [10 + own, 59 + own] for name, own in late.items()}
    block = to_neo(rasters)
    for segment in block.segments:
        for one in segment.spiketrains:
            assert np.rint(one.times.rescale("ms").magnitude).tolist() == steps[one.annotations["population"]]
    assert same(rasters, from_neo(block)[0])
    frame = to_frame(rasters)
    for name, own in steps.items():
        chosen = frame[(frame["population"] == name) & (frame["sample"] == 1)]
        assert np.rint(chosen["time"] * 1e3).tolist() == own
        assert chosen["step"].tolist() == [10, 59]
    write_nwb(rasters, tmp_path / "a.nwb")
    with pynwb.NWBHDF5IO(str(tmp_path / "a.nwb"), "r") as io:
        file = io.read()
        starts = file.trials["start_time"][:]
        assert np.rint(starts * 1e3).tolist() == [0, 60 + delay + 1]
        for unit, name in enumerate(rasters):
            expected = [start + step * 1e-3 for start in starts for step in steps[name]]
            np.testing.assert_allclose(file.units["spike_times"][unit], expected)
    assert same(rasters, read_nwb(tmp_path / "a.nwb")[0])
    write_csv(rasters, tmp_path / "a.csv")
    assert same(rasters, read_csv(tmp_path / "a.csv"))


def test_parts_keep_the_depth():
    raster = SpikeRaster.from_dense(np.ones((3, 6, 4), bool)).at_depth(5)
    parts = [
        raster[1:],
        raster[:, 2:4],
        raster[:, :, [3, 0]],
        raster[2, 1, 0],
        *(part for _, _, part in raster.pieces(4)),
    ]
    assert {part.depth for part in parts} == {5}
    for axis in ("sample", "step", "neuron"):
        assert SpikeRaster.concatenate([raster, raster], axis).depth == 5
        assert SpikeRaster.concatenate([raster, raster.at_depth(1)], axis).depth == 0
    assert raster == raster.at_depth(0)
    assert np.shares_memory(raster.at_depth(1).neuron, raster.neuron)
    for depth in (-1, 2**32, 0.5):
        with pytest.raises(DlmError, match=r"raster depth = .* is not a whole number in 0"):
            SpikeRaster(*(np.zeros(0, int),) * 3, 1, 1, 1, depth=depth)


def test_files_of_ours_without_depths_are_read(tmp_path):
    raster = SpikeRaster.from_dense(np.ones((2, 4, 2), bool))
    write_nwb({"a": raster}, tmp_path / "a.nwb")
    with h5py.File(tmp_path / "a.nwb", "a") as file:
        note = json.loads(file["general/notes"][()])
        del note["dlm-snn"]["period"], note["dlm-snn"]["populations"]["a"]["depth"], file["general/notes"]
        file["general/notes"] = json.dumps(note)
    assert read_nwb(tmp_path / "a.nwb")[0] == {"a": raster}


CSV = {
    "population,sample,step,neuron\na,0,1,2\n": "does not tell its extents",
    "sample,step,neuron\n0,1,2\n": "no column 'population'; it has sample, step, neuron",
    "": "no column 'population'; it has none",
    "{head}a,0,1,99999999999999999999\n": r"line 3, 'a,0,1,99999999999999999999', holds a number beyond 4294967295",
    "# dlm_snn [1]\npopulation,sample,step,neuron\n": r"its extents hold \[1\]; expected population",
    '# dlm_snn {"a": 3}\npopulation,sample,step,neuron\na,0,1,1\n': "its extents hold 3; expected population",
    '# dlm_snn {"a": {"n_samples": 1, "n_steps": 2, "n_neurons": 3, "dt": "x"}}\n'
    "population,sample,step,neuron\na,0,1,1\n": "population 'a': raster dt = 'x' is not a number of seconds",
    "{head}a,0,1,x\n": r"line 3, 'a,0,1,x', is not an event",
    "{head}a,0,1,2\na,0\n": r"line 4, 'a,0', is not an event",
    "{head}b,0,1,1\n": "events of the population 'b', whose extents are not told",
    "{head}a,0,1,1\na,0,1,1\n": r"population 'a': raster holds \(sample, step, neuron\) = \(0, 1, 1\) twice",
    "{head}a,0,1,-1\n": r"population 'a': raster neuron\[0\] = -1 lies outside 0..2",
    "{head}a,0,0,0\na,0,4,1\n": r"population 'a': raster step\[1\] = 4 lies outside 0..3",
    '# dlm_snn {"a": {"n_samples": 1}}\npopulation,sample,step,neuron\n': "the extents of 'a' lack 'n_steps'",
    "# dlm_snn {\n": "its first line is not complete JSON",
    "# dlm_snn " + "[" * 100_000: "its first line is not complete JSON .brackets deeper than 60",
    '# dlm_snn {"a": {}, "a": {}}\n': "key 'a' stands twice",
    "{head}a,0,1," + "1" * 99_999: "line 3 has more than 65536 characters",
    "{head}a,0,1,1_0\n": "line 3, 'a,0,1,1_0', is not an event of whole numbers",
    "{head}a,0,1,\u0661\n": "line 3, .*, is not an event of whole numbers",
}


@pytest.mark.parametrize("text", CSV)
def test_bad_csv_is_named(tmp_path, text):
    head = (
        '# dlm_snn {"a": {"n_samples": 1, "n_steps": 4, "n_neurons": 3, "dt": 0.001}}\npopulation,sample,step,neuron\n'
    )
    path = tmp_path / "a.csv"
    path.write_text(text.replace("{head}", head))
    with pytest.raises(DlmError, match=CSV[text]) as caught:
        read_csv(path)
    assert str(path) in str(caught.value)


def test_a_csv_that_was_changed_is_told(tmp_path):
    path = tmp_path / "a.csv"
    rasters = {name: SpikeRaster.from_dense(np.ones((1, 3, 2), bool)) for name in ("a", 'b "c", d')}
    write_csv(rasters, path)
    whole = path.read_bytes()
    assert same(rasters, read_csv(path))
    head, body = whole.split(b"\n", 1)
    for other in (
        head + b"\n" + body.replace(b"a,0,0,1\n", b""),
        whole.replace(b"\n", b"\r\n"),
        whole.replace(b"0.001", b"0.002", 1),
        whole.replace(b"n_steps", b"n_steps", 1).replace(b": 3", b": 4", 1),
    ):
        path.write_bytes(other)
        with pytest.warns(LossWarning, match=r"a\.csv was changed since it was written"):
            read_csv(path)
    path.write_bytes(re.sub(rb" crc32=\w+", b"", whole))
    assert same(rasters, read_csv(path))


def test_no_bit_of_a_csv_is_read_as_another(tmp_path):
    path = tmp_path / "a.csv"
    rasters = {"hidden": SpikeRaster.from_dense(np.ones((1, 2, 2), bool))}
    write_csv(rasters, path)
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        torn = bytearray(whole)
        torn[bit // 8] ^= 1 << bit % 8
        path.write_bytes(torn)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                found = read_csv(path)
            except DlmError:
                continue
        assert told or same(rasters, found)


def test_an_extent_beyond_all_memory_is_told_before_it_is_taken(tmp_path):
    none = np.zeros(1, np.uint32)
    huge = SpikeRaster(none, none, none, *[2**20] * 3)
    write_csv({"hidden": huge}, tmp_path / "a.csv")
    assert same({"hidden": huge}, read_csv(tmp_path / "a.csv"))
    for take in (huge.dense, huge.counts, lambda: huge.binned(9), huge[:, :0].counts, lambda: arrays.to_scipy(huge)):
        with pytest.raises(DlmError, match=r"GiB, .* are free; take a part"):
            take()
    for write in (lambda: write_nwb({"hidden": huge}, tmp_path / "a.nwb"), lambda: to_neo({"hidden": huge})):
        with pytest.raises(DlmError, match="keeps an entry a neuron and a sample, 2097152 in all"):
            write()


@pytest.mark.filterwarnings("ignore:.*was changed since:dlm_snn.errors.LossWarning")
def test_a_csv_whose_extent_no_raster_has(tmp_path):
    none = np.zeros(1, np.uint32)
    write_csv({"hidden": SpikeRaster(none, none, none, 2, 2, 2)}, tmp_path / "a.csv")
    head, *rows = (tmp_path / "a.csv").read_text().splitlines()
    for name in ("n_samples", "n_steps", "n_neurons"):
        head = head.replace(f'"{name}": 2', f'"{name}": {2**32 - 1}')
    (tmp_path / "a.csv").write_text("\n".join([head, *rows]) + "\n")
    with pytest.raises(DlmError, match=r"a\.csv.* \(4294967295, 4294967295, 4294967295\) .* more than"):
        read_csv(tmp_path / "a.csv")


def test_what_is_no_file_is_no_table(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    for read in (read_csv, populations_of):
        with pytest.raises(DlmError, match=r"a\.csv is a pipe"):
            read(tmp_path / "a.csv")


def test_a_csv_of_a_spreadsheet(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("population,sample,step,neuron\n#1,0,1,2\n", encoding="utf-8-sig")
    assert populations_of(path) == ["#1"]
    extents = {"#1": {"n_samples": 1, "n_steps": 2, "n_neurons": 3}}
    assert read_csv(path, extents)["#1"].dense()[0, 1, 2]
    path.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(DlmError, match=r"a.csv is not a readable CSV"):
        populations_of(path)
    with pytest.raises(MissingError, match=r"no file .*b.csv"):
        populations_of(tmp_path / "b.csv")


def test_frames_without_what_is_needed():
    frame = to_frame({"a": SpikeRaster.from_dense(np.ones((1, 2, 2), bool))})
    with pytest.raises(DlmError, match="the frame has no column 'neuron'"):
        from_frame(frame.drop(columns="neuron"))
    frame.attrs.clear()
    with pytest.raises(DlmError, match=r"extents; give dlm_snn.exchange.from_frame\(frame, extents=\{'a': "):
        from_frame(frame)
    extents = {"a": {"n_samples": 1, "n_steps": 2, "n_neurons": 2, "dt": 0.001}}
    assert len(from_frame(frame, extents)["a"]) == 4
    # One population, one sample: the message says how to add the column.
    bare = frame[["step", "neuron"]]
    with pytest.raises(DlmError, match=r"no column 'population' but step, neuron; .*frame.assign\(population='a'\)"):
        from_frame(bare, extents)
    with pytest.raises(DlmError, match=r"frame.assign\(sample=0\)"):
        from_frame(bare.assign(population="a"), extents)
    assert len(from_frame(bare.assign(population="a", sample=0), extents)["a"]) == 4


def test_rasters_of_different_extent_are_not_one_run(tmp_path):
    rasters = {
        "a": SpikeRaster.from_dense(np.ones((1, 4, 2), bool)),
        "b": SpikeRaster.from_dense(np.ones((1, 5, 2), bool)),
    }
    for write in (lambda: write_nwb(rasters, tmp_path / "a.nwb"), lambda: to_neo(rasters)):
        with pytest.raises(DlmError, match=r"'b' has \(samples, steps, dt\) = \(1, 5, 0.001\), 'a' \(1, 4, 0.001\)"):
            write()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DlmError, match="no raster to write"):
        write_nwb({}, tmp_path / "a.nwb")


@given(runs(alike=False))
def test_nir_data_there_and_back(tmp_path_factory, rasters):
    rasters = {name.replace("/", ""): raster for name, raster in rasters.items()}
    path = tmp_path_factory.mktemp("nir") / "a.h5"
    nir.write_data(path, to_nir_data(rasters))
    for data in (to_nir_data(rasters), nir.read_data(path)):
        for name, raster in rasters.items():
            again, moved = from_nir_data(nir.NIRGraphData({name: data.nodes[name]}), raster.dt)
            assert again[name] == raster
            assert moved == Moved()


def test_nir_data_that_floor_would_lose():
    """nir's own conversion gives 284 of 300 spikes back (floor of t / dt)."""
    raster = SpikeRaster.from_dense(np.ones((1, 300, 1), bool), 1e-4)
    data = to_nir_data({"a": raster})
    assert data.nodes["a"].observables["spikes"].to_time_gridded(1e-4).data.sum() < 300
    assert from_nir_data(data, 1e-4)[0]["a"] == raster
    gridded = nir.NIRNodeData({"spikes": nir.TimeGriddedData(raster.dense(), 1e-4)})
    assert from_nir_data(nir.NIRGraphData({"a": gridded}))[0]["a"] == raster
    with pytest.raises(DlmError, match="node 'a': its times have no steps"):
        from_nir_data(data)
    with pytest.raises(DlmError, match="node 'a' has no 'v'; it has spikes"):
        from_nir_data(data, 1e-4, "v")
    data.nodes["a"].observables["spikes"].idx[0, 7] = 3
    with pytest.raises(DlmError, match=r"node 'a': event 7 has the neuron 3, outside 0..0"):
        from_nir_data(data, 1e-4)


@given(runs())
def test_arrays_of_others_there_and_back(rasters):
    for raster in rasters.values():
        n_samples, n_steps, n_neurons = raster.extent
        first = arrays.to_time_first(raster)
        assert first.shape == (n_steps, n_samples, n_neurons)
        assert arrays.from_time_first(torch.from_numpy(first), raster.dt) == raster
        last = arrays.to_time_last(raster, (1, n_neurons, 1))
        assert last.shape == (n_samples, 1, n_neurons, 1, n_steps)
        assert arrays.from_time_last(last, raster.dt) == raster
        assert arrays.from_time_last(arrays.to_time_last(raster)) == raster
        matrix = arrays.to_scipy(raster)
        np.testing.assert_array_equal(matrix.toarray().reshape(raster.extent), raster.dense())
        assert arrays.from_scipy(matrix, n_steps) == raster
        if len(raster):
            assert np.shares_memory(matrix.indices, raster.neuron)
        assert arrays.from_monitor({"lif": {"s_out": raster.dense()[0]}}) == raster[0]


def test_bad_arrays_are_named():
    with pytest.raises(DlmError, match="are not"):
        arrays.from_time_first(np.zeros((3, 4)))
    with pytest.raises(DlmError, match="of 0 and 1"):
        arrays.from_time_last(np.full((1, 2, 3), 0.5))
    with pytest.raises(DlmError, match=r"hold 2 Processes, 'a, b' is none"):
        arrays.from_monitor({"a": {}, "b": {}})
    with pytest.raises(DlmError, match="hold s, v; give those of one port"):
        arrays.from_monitor({"a": {"s": [], "v": []}})
    with pytest.raises(DlmError, match="7 rows are not whole samples of n_steps = 2"):
        arrays.from_scipy(arrays.to_scipy(SpikeRaster.from_dense(np.ones((1, 7, 1), bool))), 2)


def test_lava_monitor_data_of_the_documentation():
    """The form of Lava's Monitor.get_data(): {process: {port: (step, neuron)}}."""
    dense = np.random.default_rng(3).random((20, 4)) < 0.3
    data = {"Process_1": {"s_out": dense.astype(np.int32)}, "Process_2": {"s_out": np.zeros((20, 1))}}
    assert arrays.from_monitor(data, "Process_1") == SpikeRaster.from_dense(dense[None])


def test_bs2(tmp_path):
    path = tmp_path / "a.bs2"
    path.write_bytes(bytes([3, 4, 0x80 | 0x01, 0x02, 0x03, 33, 0, 0x00, 0x00, 0x05]))
    with pytest.warns(LossWarning, match=r"a.bs2: 1 events come before the one before them, by 0.066 s at most"):
        events = read_bs2(path)
    assert [field.tolist() for field in events] == [[0x010203, 5], [4, 0], [3, 33], [1, 0]]
    raster, moved = from_events([events], 1e-3)
    assert list(zip(raster.step, raster.neuron, strict=True)) == [(0, 33), (66, 1 * 34 * 34 + 4 * 34 + 3)]
    assert (raster.extent, moved.events) == ((1, 67, 2312), 2)
    path.write_bytes(b"")
    with pytest.raises(DlmError, match=r"a.bs2 is empty; give a recording"):
        read_bs2(path)
    with pytest.raises(DlmError, match=r"a.bs2 is empty; give a recording"):
        parse_bs2(b"", "a.bs2")
    path.write_bytes(b"1234567")
    with pytest.raises(DlmError, match=r"a.bs2 has 7 bytes, no whole number of events"):
        read_bs2(path)
    with pytest.raises(MissingError, match="no file"):
        read_bs2(tmp_path / "b.bs2")


def test_recordings_of_nmnist(tmp_path):
    path = Path(os.environ.get("DLM_DATA") or "missing") / "nmnist-excerpt.zip"
    if not path.is_file():
        pytest.skip("needs nmnist-excerpt.zip in the folder that $DLM_DATA names")
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".bs2")][:3]
        contents = [archive.read(name) for name in names]
    for name, content in zip(names, contents, strict=True):
        (tmp_path / name).write_bytes(content)
    recordings = [read_bs2(tmp_path / name) for name in names]
    raster, moved = from_events(recordings, 1e-3)
    assert raster.extent[0] == 3
    assert 290 < raster.n_steps < 330
    total = sum(len(content) // 5 for content in contents)
    assert len(raster) + moved.merged == total
    assert moved.most <= 5.01e-4
    places = {
        (s, round(t / 1000), p * 34 * 34 + y * 34 + x)
        for s, e in enumerate(recordings)
        for t, y, x, p in zip(*e, strict=True)
    }
    assert places == set(zip(raster.sample.tolist(), raster.step.tolist(), raster.neuron.tolist(), strict=True))


def test_events_outside_are_named():
    events = CameraEvents(*(np.array(values) for values in ([0, 10, 2000], [0, 1, 2], [0, 40, 0], [0, 1, 1])))
    with pytest.raises(DlmError, match=r"recording 1, event 1: column 40 lies outside 0..33"):
        from_events([CameraEvents(*(np.zeros(0, int),) * 4), events], 1e-3)
    events.column[1] = 0
    with pytest.raises(DlmError, match=r"event 2 has the step 2, outside 0..1"):
        from_events([events], 1e-3, n_steps=2)
    assert from_events([], 1e-3)[0].extent == (0, 0, 2312)


LARGE = (2, 720, 1280)
KINDS = st.sampled_from(["u1", "<u2", ">u2", "i2", "u4", "i8", "u8", "f4", ">f8"])


@given(st.data())
def test_events_of_a_camera_land_on_their_neurons_in_whatever_type_they_come(data):
    kinds = [data.draw(KINDS) for _ in range(4)]
    most = [255 if np.dtype(kind) == np.uint8 else n for kind, n in zip(kinds, (60_000, 719, 1279, 1), strict=True)]
    limits = [min(a, b) for a, b in zip(most, (30_000, 719, 1279, 1), strict=True)]
    n = data.draw(st.integers(0, 20))
    columns = [data.draw(st.lists(st.integers(0, top), min_size=n, max_size=n)) for top in limits]
    events = CameraEvents(*(np.array(c, kind) for c, kind in zip(columns, kinds, strict=True)))
    raster, _ = from_events([events], 1e-6, LARGE, n_steps=70_000)
    right = {(t, (p * 720 + y) * 1280 + x) for t, y, x, p in zip(*columns, strict=True)}
    assert set(zip(raster.step.tolist(), raster.neuron.tolist(), strict=True)) == right


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"row": np.array([1.0, 2.5])}, r"recording 0, event 1: row 2\.5 is no whole number"),
        ({"row": np.array([np.nan, 2])}, r"recording 0, event 0: row nan is no whole number"),
        ({"column": np.array([-1, 2], np.int8)}, r"recording 0, event 0: column -1 lies outside 0\.\.33"),
        (
            {"polarity": np.array([1])},
            r"column and polarity have the shapes \[\(2,\), \(2,\), \(2,\), \(1,\)",
        ),
        ({"time": np.array(["a", "b"])}, "recording 0: time is of <U1; give numbers"),
    ],
)
def test_events_that_are_none_are_named(changes, message):
    plain = CameraEvents(*(np.array([0, 1]),) * 4)
    with pytest.raises(DlmError, match=message):
        from_events([plain._replace(**changes)], 1e-3)


def test_what_goes_to_scipy_and_pandas_counts():
    dense = np.random.default_rng(0).random((2, 300, 3)) < 0.6
    raster = SpikeRaster.from_dense(dense)
    flat = dense.reshape(-1, 3).astype(int)
    matrix = arrays.to_scipy(raster)
    np.testing.assert_array_equal((matrix.T @ matrix).toarray(), flat.T @ flat)
    assert (flat.T @ flat).max() > 127
    frame = to_frame({"a": raster})
    assert (frame.step - 10).min() == -10
    assert (frame["neuron"].diff().dropna() == np.diff(raster.neuron.astype(int))).all()


def test_aedat4(tmp_path):
    dv = pytest.importorskip("dv_processing")
    path = tmp_path / "a.aedat4"
    store = dv.EventStore()
    for i in range(200):
        store.push_back(1_000_000 + i * 137, i % 40, (i * 7) % 30, bool(i % 2))
    writer = dv.io.MonoCameraWriter(str(path), dv.io.MonoCameraWriter.EventOnlyConfig("camera", (40, 30)))
    writer.writeEvents(store)
    del writer
    events, shape = read_aedat4(path)
    assert shape == (2, 30, 40)
    assert events.time.tolist() == [i * 137 for i in range(200)]
    assert events.row.tolist() == [(i * 7) % 30 for i in range(200)]
    assert events.column.tolist() == [i % 40 for i in range(200)]
    assert events.polarity.tolist() == [i % 2 for i in range(200)]
    raster, moved = from_events([events], 1e-3, shape)
    assert len(raster) + moved.merged == 200
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DlmError, match=r"a.aedat4 is not a readable AEDAT4 file"):
        read_aedat4(path)


@pytest.mark.parametrize(
    ("what", "error", "told"),
    [
        ("abort", DlmError, r"its library ended by signal 6: about to abort"),
        ("exit", DlmError, r"its library ended with code 7: it said nothing"),
        ("loop", DlmError, r"its library ended by signal"),
        ("take", DlmError, r"is not a readable thing \(Unable to allocate"),
        ("refuse", DlmError, r"is not a readable thing \(this one not\)"),
        ("lack", MissingError, "^no such package$"),
    ],
)
def test_a_reader_apart_cannot_end_this_process(what, error, told, tmp_path, monkeypatch):
    monkeypatch.setattr(apart, "SECONDS", 2)
    apart.end()
    monkeypatch.syspath_prepend(Path(__file__).parent)
    (tmp_path / "x").write_text(what)
    with pytest.raises(error, match=told):
        apart.read_apart("reading_apart:main", tmp_path / "x", "thing")


def test_a_reader_apart_finds_nothing_in_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("raise SystemExit(3)")
    (tmp_path / "x").write_text("word")
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.chdir(tmp_path)
    apart.end()
    found = apart.read_apart("reading_apart:main", Path("x"), "thing")
    assert found["x"].tolist() == [0, 1, 2]
    assert str(found["said"]) == "word"
    os.mkfifo("pipe")
    with pytest.raises(DlmError, match="pipe is a pipe"):
        apart.read_apart("reading_apart:main", Path("pipe"), "thing")


def test_a_package_that_is_not_there_is_named(monkeypatch):
    with pytest.raises(MissingError, match=r"'no_such_package' is not installed; pip install 'dlm-snn\[exchange\]'"):
        grid.optional("no_such_package")


@settings(max_examples=30)
@given(st.lists(st.integers(0, 2**22), min_size=1, max_size=40), st.integers(0, 2**23 - 1))
def test_a_clock_of_23_bits_goes_on(gaps, start):
    """Bytes of a longer recording: its times come back, counted from the first turn of the clock."""
    times = start + np.cumsum(gaps)
    content = b"".join(bytes([1, 2, t >> 16 & 127, t >> 8 & 255, t & 255]) for t in (times % 2**23).tolist())
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", LossWarning)
        found = parse_bs2(content, "a.bs2").time
    assert found.tolist() == (times - times[0] // 2**23 * 2**23).tolist()
    turns = int(times[-1] // 2**23 - times[0] // 2**23)
    said = f"a.bs2: its clock of 23 bits (8.4 s) begins again {turns} times; the times go on"
    assert [str(w.message) for w in told] == ([said] if turns else [])


def test_events_in_another_unit_are_told():
    """A third of a second at 1 s a step, and at a nanosecond a step."""
    each = np.zeros(300, int)
    recording = CameraEvents(np.arange(300) * 1000, each, each, each)
    with pytest.warns(LossWarning, match=r"recording 0: all 300 events fall into step 0, as they lie within 0.299 s"):
        from_events([recording], 1.0)
    with pytest.warns(LossWarning, match=r"recording 0: 300 events lie over 299000001 steps of 1e-09 s"):
        from_events([recording], 1e-9)
    for dt in (1e-3, 1e-6):
        from_events([recording], dt)
    for kind in (np.float32, np.float64):
        seconds = recording._replace(time=np.linspace(0, 0.25, 300, dtype=kind))
        with pytest.warns(LossWarning, match=r"all 300 events fall into step 0, as they lie within 2.5e-07 s"):
            from_events([seconds], 1e-3)
    from_events([recording._replace(time=np.full(300, 0.25))], 1e-3)
