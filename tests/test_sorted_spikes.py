"""Sorted spikes of others: phy's folders, spikeinterface's npz, CSV with named columns; each made in its format."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pynwb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dlm_snn as dlm
from dlm_snn import DlmError, SpikeRaster, cli
from dlm_snn.errors import MissingError
from dlm_snn.exchange import read_phy, read_session, read_sorting, read_timed_csv

DT, RATE = 1e-3, 30_000
COLUMNS = {"time": "time", "unit": "unit"}


def drawn(seed=0, spikes=200, units=5):
    """Samples of a clock of 30 kHz on the grid of milliseconds, with the unit of each, in order."""
    rng = np.random.default_rng(seed)
    events = np.unique(rng.integers(0, 2000 * units, spikes))
    return (
        30 * (events // units),
        events % units,
        SpikeRaster(np.zeros_like(events), events // units, events % units, 1, int(events.max() // units) + 1, units),
    )


def phy(folder, counted, clusters, params="sample_rate = 30000.", labels="spike_clusters.npy"):
    folder.mkdir(exist_ok=True)
    np.save(folder / "spike_times.npy", counted)
    np.save(folder / labels, clusters)
    if params is not None:
        (folder / "params.py").write_text(f"dat_path = r'C:\\\\data.bin'\n{params}\nhp_filtered = False\n")
    return folder


def sorting(path, segments, ids, rate=float(RATE), number=True, **changes):
    """As NpzSortingExtractor.write_sorting makes it: one unit after another in a segment, then in order of time."""
    held = {
        "unit_ids": np.asarray(ids),
        "sampling_frequency": np.array([rate]),
        "num_segment": np.array([len(segments)]),
    }
    for segment, (counted, unit) in enumerate(segments):
        parts = [counted[unit == place].astype("int64") for place in range(len(ids))]
        indexes = np.concatenate(parts)
        labels = np.concatenate([np.array([own] * part.size) for own, part in zip(ids, parts, strict=True)])
        order = np.argsort(indexes)
        ending = f"_seg{segment}" if number else ""
        held |= {f"spike_indexes{ending}": indexes[order], f"spike_labels{ending}": labels[order]}
    np.savez(path, **{name: array for name, array in (held | changes).items() if array is not None})
    return path


def saved(folder, spikes, ids, segments=1, rate=float(RATE), fields=("sample_index", "unit_index", "segment_index")):
    """As sorting.save makes it: (sample, place of the unit, segment) of each spike."""
    folder.mkdir(exist_ok=True)
    np.save(folder / "spikes.npy", np.array([tuple(one) for one in spikes], dtype=[(name, "<i8") for name in fields]))
    info = {"sampling_frequency": rate, "unit_ids": ids, "num_segments": segments}
    (folder / "numpysorting_info.json").write_text(json.dumps({k: v for k, v in info.items() if v is not None}))
    return folder


def table(path, rows, head="time,unit"):
    path.write_text("\n".join([*([head] if head else []), *rows]) + "\n")
    return path


def nwb(path, counted, unit, ids):
    file = pynwb.NWBFile("a session", "someone", pynwb.file.datetime(2020, 1, 1).astimezone())
    for place, own in enumerate(ids):
        file.add_unit(spike_times=counted[unit == place] / RATE, id=own)
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    return path


def everywhere(folder):
    """The same spikes in each format, and how they are read."""
    counted, unit, raster = drawn()
    ids = np.array([3, 7, 12, 40, 41])
    rows = [f"{time / RATE:.6f},{ids[own]}" for time, own in zip(counted, unit, strict=True)]
    return raster, {
        "nwb": (nwb(folder / "a.nwb", counted, unit, ids), read_session, []),
        "phy": (phy(folder / "phy", counted.astype("u8"), ids[unit].astype("i4")), read_phy, []),
        "folder": (saved(folder / "s", zip(counted, unit, 0 * unit, strict=True), ids.tolist()), read_sorting, []),
        "npz": (sorting(folder / "a.npz", [(counted, unit)], ids), read_sorting, []),
        "csv": (
            table(folder / "a.csv", rows),
            lambda path, *given: read_timed_csv(path, COLUMNS, given[0], None, None, *given[1:]),
            ["--columns", "time=time,unit=unit"],
        ),
    }


@pytest.mark.parametrize("kind", ["nwb", "phy", "npz", "folder", "csv"])
def test_the_same_spikes_in_every_format(tmp_path, monkeypatch, capsys, kind):
    monkeypatch.chdir(tmp_path)
    raster, formats = everywhere(tmp_path)
    path, read, words = formats[kind]
    session = read(path, DT)
    assert session.rasters == {"units": raster}
    assert session.unit_ids == {"units": (3, 7, 12, 40, 41)}
    assert session.moved.events == 0
    command = ["import", str(path), "--dt", "1e-3", *words]
    assert cli.main([*command, "--out", "o"]) == 0
    assert "units: neurons 0..4 are the units 3, 7, 12, 40, 41\n" in capsys.readouterr().out
    assert SpikeRaster.load("o/units.npz") == raster
    assert json.loads(Path("o/units.json").read_text())["unit_ids"] == {"units": [3, 7, 12, 40, 41]}
    assert cli.main([*command, "--from", "0.5", "--to", "1.25", "--out", "cut"]) == 0
    cut = SpikeRaster.load("cut/units.npz")
    assert cut == raster[:, 500:1250]
    assert f"{len(raster) - len(cut)} spikes lie outside the slice, and are left out" in capsys.readouterr().out
    assert cli.main([*command, "--start", "1.5", "--out", "late"]) == 2
    assert "give start (--start)" in capsys.readouterr().err
    assert cli.main(["raster", "info", str(path), "--dt", "1e-3", *words]) == 0
    assert not Path("late").exists()


@pytest.mark.filterwarnings("ignore::dlm_snn.errors.LossWarning")
@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5000), st.sampled_from([0, 4, 9, 300])), min_size=1, max_size=30),
    st.booleans(),
    st.booleans(),
)
def test_phy_in_any_order_and_shape(tmp_path_factory, spikes, flat, curated):
    folder = tmp_path_factory.mktemp("phy")
    counted, clusters = np.array(spikes, dtype=np.int64).reshape(-1, 2).T
    shape = (-1,) if flat else (-1, 1)
    labels = "spike_clusters.npy" if curated else "spike_templates.npy"
    phy(folder, (counted * 30).astype("u8").reshape(shape), clusters.astype("u4").reshape(shape), labels=labels)
    session = read_phy(folder, DT)
    ids = sorted(set(clusters.tolist()))
    raster = session.rasters["units"]
    found = {(step, ids[neuron]) for step, neuron in zip(raster.step.tolist(), raster.neuron.tolist(), strict=True)}
    assert found == set(spikes)
    assert raster.n_neurons == len(ids)
    assert (session.told == ()) == curated


@pytest.mark.parametrize(
    ("params", "rate"),
    [
        ("sample_rate = 30000.", 30_000),
        ("sample_rate=25000 # Hz", 25_000),
        ("sample_rate = 1e4\nsample_rate = 2e4", 20_000),
        ("  sample_rate = (24414.0625)", 24_414.0625),
    ],
)
def test_a_sample_rate_is_read_as_text(tmp_path, params, rate):
    phy(tmp_path, np.array([rate / 2]).astype(int), np.zeros(1, int), params)
    assert read_phy(tmp_path, DT).rasters["units"].step.tolist() == [500]


@pytest.mark.parametrize(
    "params",
    [
        "sample_rate = open('CODE_RAN', 'w').write('x') or 30000",
        "sample_rate = __import__('os').system('touch CODE_RAN')",
        "open('CODE_RAN', 'w')\nsample_rate = float(30000)",
        "sample_rate = True",
        f"sample_rate = {'(' * 70}",
        "sample_rate = '30000'",
    ],
)
def test_a_program_in_params_is_not_run(tmp_path, monkeypatch, params):
    monkeypatch.chdir(tmp_path)
    phy(tmp_path, np.array([15_000]), np.zeros(1, int), params)
    with pytest.raises(DlmError, match=r"params.py: sample_rate = .* is no number; give --sample-rate, in Hz"):
        read_phy(tmp_path, DT)
    assert read_phy(tmp_path, DT, sample_rate=30_000).rasters["units"].step.tolist() == [500]
    assert not Path("CODE_RAN").exists()


def test_what_a_phy_folder_does_not_tell(tmp_path, monkeypatch, capsys):
    phy(tmp_path / "a", 30 * np.arange(3), np.zeros(3, int), params=None)
    with pytest.raises(DlmError, match=r"a does not tell its clock; give --sample-rate, in Hz"):
        read_phy(tmp_path / "a", DT)
    with pytest.raises(DlmError, match=r"a has times, not steps; give dt \(--dt\)"):
        read_phy(tmp_path / "a", sample_rate=RATE)
    for rate in (0, -1.0, np.nan, "30k"):
        with pytest.raises(DlmError, match=r"a sample rate of .* is no number of Hz above 0"):
            read_phy(tmp_path / "a", DT, sample_rate=rate)
    phy(tmp_path / "a", 30 * np.arange(3), np.zeros(3, int))
    with pytest.raises(
        DlmError, match=r"params.py says a sample rate of 30000.0 Hz, not 20000; leave --sample-rate out"
    ):
        read_phy(tmp_path / "a", DT, sample_rate=20_000)
    with pytest.raises(MissingError, match=r"no spike_times.npy in .*; give a folder of phy"):
        read_phy(tmp_path, DT)
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    for name, told in (("a/params.py", "give the folder, a"), ("empty", "is a folder, and none of phy or")):
        assert cli.main(["import", name, "--dt", "1e-3"]) == 2
        assert told in capsys.readouterr().err
    assert cli.main(["import", "a", "--dt", "1e-3"]) == 0
    assert dlm.SpikeRaster.load("a-rasters/units.npz").n_neurons == 1


@pytest.mark.parametrize("name", ["cluster_group.tsv", "cluster_KSLabel.tsv"])
def test_groups_of_clusters_are_kept(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    folder = phy(Path("p"), 30 * np.arange(4), np.array([2, 3, 2, 9]))
    (folder / name).write_text("cluster_id\tgroup\n2\tgood\n9\tmua\n77\tnoise\n")
    session = read_phy(folder, DT)
    assert session.groups == {"units": ("good", "", "mua")}
    assert cli.main(["import", "p", "--dt", "1e-3", "--out", "o"]) == 0
    assert "units: groups good (1), none told (1), mua (1)\n" in capsys.readouterr().out
    for row in ("x\tgood", "3"):
        (folder / name).write_text(f"cluster_id\tgroup\n{row}\n")
        with pytest.raises(DlmError, match=f"{name}: .* is no cluster and its group; mend it, or delete the file"):
            read_phy(folder, DT)


def test_a_folder_of_rasters_keeps_labels_when_it_is_written_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    counted, unit, _ = drawn()
    phy(Path("p"), counted, 10 * unit)
    assert cli.main(["import", "p", "--dt", "1e-3", "--out", "o"]) == 0
    capsys.readouterr()
    assert cli.main(["raster", "info", "o"]) == 0
    assert "units: neurons 0..4 are the units 0, 10, 20, 30, 40\n" in capsys.readouterr().out
    assert cli.main(["raster", "convert", "o", "again"]) == 0
    assert json.loads(Path("again/units.json").read_text()) == json.loads(Path("o/units.json").read_text())
    assert cli.main(["raster", "cut", "o", "part", "--neurons", "1:3"]) == 0
    assert not Path("part/units.json").exists()
    for text in ('{"unit_ids": [1]}', '{"unit_ids": {"units": 3}}', '{"unit_ids": {}, "trials": {}}', "[]", "{"):
        Path("o/units.json").write_text(text)
        capsys.readouterr()
        assert cli.main(["raster", "info", "o"]) == 2
        told = capsys.readouterr().err
        assert "units.json" in told
        assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("counted", "clusters", "told"),
    [
        (np.arange(3), np.zeros(4, int), "spike_times.npy has 3 spikes, spike_clusters.npy 4; write both again"),
        (np.array([0.1, 2]), np.zeros(2, int), "spike_times.npy, entry 0: 0.1 is no whole number of samples"),
        (np.array([1, np.nan]), np.zeros(2, int), "spike_times.npy, entry 1: nan is no whole number"),
        (np.zeros((2, 2)), np.zeros(4, int), r"spike_times.npy holds float64 of the shape \(2, 2\)"),
        (np.arange(2), np.array(["a", "b"]), "spike_clusters.npy holds <U1 of the shape"),
        (np.array([0, -30]), np.array([4, 9]), r"spike 1 \(of unit 9\) has the time -0.001 s"),
        (np.zeros(0, int), np.zeros(0, int), "p has no spikes; there is nothing to read"),
        (np.array([2**63], "u8"), np.zeros(1, int), "spike_times.npy, entry 0: 9223372036854775808 is no whole number"),
    ],
)
def test_a_phy_folder_that_does_not_fit(tmp_path, counted, clusters, told):
    phy(tmp_path / "p", counted, clusters)
    with pytest.raises(DlmError, match=told):
        read_phy(tmp_path / "p", DT)


@pytest.mark.parametrize("ids", [[5, 2, 9], ["b", "a", "c10"]])
def test_segments_of_a_sorting_are_samples(tmp_path, ids):
    segments = [(np.array([30, 60, 90]), np.array([0, 2, 2])), (np.array([0, 300]), np.array([1, 1]))]
    session = read_sorting(sorting(tmp_path / "a.npz", segments, ids), DT)
    dense = np.zeros((2, 11, 3), bool)
    dense[0, [1, 2, 3], [0, 2, 2]] = dense[1, [0, 10], 1] = True
    assert session.rasters == {"units": SpikeRaster.from_dense(dense)}
    assert session.unit_ids == {"units": tuple(ids)}
    spikes = [(30, 0, 0), (60, 2, 0), (90, 2, 0), (0, 1, 1), (300, 1, 1)]
    again = read_sorting(saved(tmp_path / "s", spikes, ids, 2), DT)
    assert (again.rasters, again.unit_ids) == (session.rasters, session.unit_ids)
    cut = read_sorting(tmp_path / "a.npz", DT, begin=0.002, end=0.006).rasters["units"]
    assert cut == SpikeRaster.from_dense(dense[:, 2:6])


def test_sortings_of_earlier_libraries(tmp_path):
    """Of spikeextractors: one segment without a number, a rate as a scalar, or none."""
    one = [(np.array([30, 60]), np.array([0, 1]))]
    old = sorting(tmp_path / "old.npz", one, [1, 2], number=False, num_segment=None, sampling_frequency=np.array(3e4))
    assert read_sorting(old, DT).rasters["units"].step.tolist() == [1, 2]
    bare = sorting(tmp_path / "bare.npz", one, [1, 2], number=False, sampling_frequency=None)
    with pytest.raises(DlmError, match=r"bare.npz does not tell its clock; give --sample-rate"):
        read_sorting(bare, DT)
    assert read_sorting(bare, DT, sample_rate=3e4).rasters["units"].step.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"spike_labels_seg0": np.array([1, 7])}, "spike_labels_seg0 names the unit '7', which is not in unit_ids"),
        ({"spike_labels_seg0": np.array(["1", "2"])}, "spike_labels_seg0 names the unit '1', which is not in"),
        ({"spike_labels_seg0": np.array([1])}, "spike_indexes_seg0 has 2 spikes, spike_labels_seg0 1"),
        ({"spike_labels_seg0": None}, "no array 'spike_labels_seg0'"),
        ({"unit_ids": np.array([1, 1])}, "unit_ids holds a unit twice"),
        ({"unit_ids": np.array([1.5, 2])}, r"unit_ids holds float64 of the shape \(2,\), expected numbers or texts"),
        ({"num_segment": np.array([2])}, "has 1 segments, num_segment says"),
        ({"sampling_frequency": np.array([0.0])}, "a sample rate of 0.0 is no number of Hz above 0"),
        ({"sampling_frequency": np.array([1, 2])}, r"sampling_frequency holds int64 of the shape \(2,\), expected one"),
        ({"spike_indexes_seg0": np.array([-1000, 1])}, r"spike 0 \(of unit 1\) has the time -0.0333333 s"),
        ({"unit_ids": np.zeros(0, int)}, "has no units; there is nothing to read"),
        ({"unit_ids": None}, "a sorting holds unit_ids, spike_indexes_seg0"),
    ],
)
def test_a_sorting_that_does_not_fit(tmp_path, changes, told):
    path = sorting(tmp_path / "a.npz", [(np.array([30, 60]), np.array([0, 1]))], [1, 2], **changes)
    with pytest.raises(DlmError, match=told):
        read_sorting(path, DT)


@pytest.mark.parametrize(
    ("spikes", "changes", "told"),
    [
        ([(30, 2, 0)], {}, r"spikes.npy, entry 0: unit 2; numpysorting_info.json tells 2 of them"),
        ([(30, 1, 0), (30, 1, 1)], {}, "spikes.npy, entry 1: segment 1; numpysorting_info.json tells 1 of them"),
        ([(30, 1, 0)], {"segments": "2"}, "numpysorting_info.json tells '2' segments, expected a number in 1.."),
        ([(30, 1, 0)], {"segments": 10**9}, "tells 1000000000 segments, expected a number in 1.."),
        ([(30, 1, 0)], {"ids": []}, "tells 0 units, expected a number in 1.."),
        ([(30, 1, 0)], {"fields": ("t", "unit_index", "p")}, "spikes.npy holds .* expected sample_index, unit_index"),
        (
            [(30, 1, 0)],
            {"ids": [1, 1]},
            "numpysorting_info.json holds no list 'unit_ids' of numbers or texts, each once",
        ),
        ([(30, 1, 0)], {"ids": {"a": 1}}, "numpysorting_info.json holds no list 'unit_ids'"),
        ([(30, 1, 0)], {"rate": None}, "does not tell its clock; give --sample-rate"),
        ([(30, 1, 0)], {"rate": "30k"}, "a sample rate of '30k' is no number of Hz above 0"),
        ([(-30, 1, 0)], {}, r"spike 0 \(of unit 8\) has the time -0.001 s"),
    ],
)
def test_a_saved_sorting_that_does_not_fit(tmp_path, spikes, changes, told):
    path = saved(tmp_path / "s", spikes, **{"ids": [5, 8], **changes})
    with pytest.raises(DlmError, match=told):
        read_sorting(path, DT)


def test_a_sorting_is_told_from_a_raster_by_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sorting(Path("a.npz"), [(np.array([30]), np.array([0]))], ["x\x1b[31m"])
    SpikeRaster.from_dense(np.ones((1, 2, 2), bool)).save("ours.npz")
    np.savez("other.npz", x=np.zeros(2))
    assert cli.main(["import", "a.npz", "--dt", "1e-3", "--out", "o"]) == 0
    assert "are the units x?[31m\n" in capsys.readouterr().out
    for name, told in (("ours.npz", "is a file of ours already"), ("other.npz", "other.npz holds x; a raster holds")):
        assert cli.main(["import", name, "--dt", "1e-3"]) == 2
        assert told in capsys.readouterr().err
    saved(Path("s"), [(30, 0, 0)], [1])
    assert cli.main(["import", "s/spikes.npy", "--dt", "1e-3"]) == 2
    assert "s/spikes.npy is a part of a sorting of spikeinterface; give the folder, s" in capsys.readouterr().err
    assert cli.main(["import", "a.npz", "--dt", "1e-3", "--trials", "--out", "p"]) == 2
    assert "--trials is for .nwb, not for spikeinterface's .npz; leave it out" in capsys.readouterr().err


def test_a_table_with_populations_and_samples(tmp_path):
    rows = ["ex;10;0.5;b", "in;9;1;a", "ex;9;0.25;a", "ex;10;0.25;a"]
    path = table(tmp_path / "a.csv", rows, "area;cell;seconds;trial")
    columns = {"time": "seconds", "unit": "cell", "population": "area", "trial": "trial"}
    session = read_timed_csv(path, columns, 0.25)
    with pytest.raises(DlmError, match="--columns names sample and trial, which are the same; give one"):
        read_timed_csv(path, {**columns, "sample": "trial"}, 0.25)
    ex, inh = session.rasters["ex"], session.rasters["in"]
    assert (ex.extent, inh.extent) == ((2, 5, 2), (2, 5, 1))
    assert list(zip(ex.sample, ex.step, ex.neuron, strict=True)) == [(0, 1, 0), (0, 1, 1), (1, 2, 1)]
    assert list(zip(inh.sample, inh.step, inh.neuron, strict=True)) == [(0, 4, 0)]
    assert session.unit_ids == {"ex": (9, 10), "in": (9,)}
    assert session.told == ("samples 0..1 are a, b",)
    assert session.trials == ({"sample": "a"}, {"sample": "b"})


def test_columns_by_number_and_other_marks(tmp_path):
    expected = [(100, 0), (200, 1)]
    for name, rows, head, columns in (
        ("tabs", ["x\t0.1\tu1", "y\t0.2\tu2"], "a\tt\tu", {"time": "t", "unit": "u"}),
        ("numbers", ["0.1,7", "0.2,8"], None, {"time": "1", "unit": "2"}),
        ("numbers in a head", ["7,0.1", "8,0.2"], "1,2", {"time": "2", "unit": "1"}),
        ("quoted", ['"0.1","a,b"', '"0.2","c"'], '"time","unit"', COLUMNS),
        ("empty lines", ["0.1,a", "", "0.2,b"], "time,unit", COLUMNS),
    ):
        raster = read_timed_csv(table(tmp_path / name, rows, head), columns, DT).rasters["units"]
        assert list(zip(raster.step.tolist(), raster.neuron.tolist(), strict=True)) == expected, name


def test_the_unit_of_times_is_told_or_asked_for(tmp_path):
    path = table(tmp_path / "a.csv", ["3000,1", "6000,2"])
    told = r"a.csv: its times are whole numbers, and nothing tells what they count; give --time-unit or --sample-rate"
    with pytest.raises(DlmError, match=told):
        read_timed_csv(path, COLUMNS, DT)
    for unit, dt in (("s", 10.0), ("ms", 1e-2), ("us", 1e-5)):
        assert read_timed_csv(path, COLUMNS, dt, time_unit=unit).rasters["units"].step.tolist() == [300, 600]
    assert read_timed_csv(path, COLUMNS, DT, sample_rate=30_000).rasters["units"].step.tolist() == [100, 200]
    with pytest.raises(DlmError, match="--time-unit and --sample-rate both tell the unit"):
        read_timed_csv(path, COLUMNS, DT, "ms", 30_000)
    with pytest.raises(DlmError, match="a time unit 'h' is none of s, ms, us, ns"):
        read_timed_csv(path, COLUMNS, DT, "h")


@pytest.mark.parametrize(
    ("text", "columns", "told"),
    [
        ("time,unit\n0.1,1\n0.2\n", COLUMNS, "line 3, '0.2', is no spike with a time and a unit"),
        ("time,unit\nx,1\n", COLUMNS, "line 2, 'x,1', is no spike"),
        ("time,unit\n1_0.5,1\n", COLUMNS, "line 2, '1_0.5,1', is no spike"),
        ("time,unit\n0.5,\n", COLUMNS, "line 2, '0.5,', is no spike"),
        ("time,unit\n0.5,1\nnan,1\n", COLUMNS, "line 3: the spike has the time nan s"),
        ("time,unit\n0.5,1\n-1,1\n", COLUMNS, r"line 3: the spike has the time -1 s, .* give start \(--start\)"),
        ("t,u\n0.5,1\n", COLUMNS, "no column 'time'; it has t, u; name them with --columns"),
        ("t,u\n0.5,1\n", {"time": "1", "unit": "9"}, "no column '1'; it has t, u"),
        ("time,unit\n", COLUMNS, "it has no spikes; there is nothing to read"),
        ("", COLUMNS, "no column 'time'; it has none"),
        ("t,t\n0.5,1\n", {"time": "t", "unit": "t"}, "it has several columns 't'"),
        ("t,u\n0.5,1\n", {"time": "t"}, "--columns names no unit; give unit=NAME"),
        (
            "t,u\n0.5,1\n",
            {"time": "t", "unit": "u", "neuron": "u"},
            "--columns names 'neuron', a column is one of time",
        ),
        ("# dlm_snn {}\nt,u\n", COLUMNS, "it is a CSV of ours, which has steps; leave --columns out"),
        ("p,t,u\n../x,0.5,1\n", {"time": "t", "unit": "u", "population": "p"}, "could be a path"),
    ],
)
def test_a_table_that_does_not_fit(tmp_path, text, columns, told):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DlmError, match=f"a.csv: .*{told}"):
        read_timed_csv(tmp_path / "a.csv", columns, DT)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "no column 'population'; it has time, unit; of spikes with times name --columns time=..,unit=.."),
        (
            ["--from", "1"],
            "a.csv: --from is for spikes with times; name them, --columns time=..,unit=.., or leave it out",
        ),
        (["--sample-rate", "3"], "a.csv: --sample-rate is for spikes with times"),
        (
            ["--columns", "time=time,unit=unit", "--extent", "1,2,3"],
            "--extent is for a CSV of steps, and --columns for one",
        ),
        (["--columns", "time"], "'time' is not a list such as time=NAME,unit=NAME"),
        (["--columns", "time=a,time=b"], "is not a list such as time=NAME,unit=NAME"),
    ],
)
def test_options_of_tables(tmp_path, monkeypatch, capsys, words, told):
    monkeypatch.chdir(tmp_path)
    table(Path("a.csv"), ["0.1,1"])
    try:
        code = cli.main(["import", "a.csv", "--dt", "1e-3", *words])
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    assert re.search(re.escape(told), capsys.readouterr().err)
    assert [p.name for p in Path().iterdir()] == ["a.csv"]
