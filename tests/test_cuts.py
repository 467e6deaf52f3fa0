"""Slices of a recording's clock and its trials: which spikes they hold, and what they refuse."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pynwb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dlm_snn as dlm
from dlm_snn import DlmError, SpikeRaster, cli
from dlm_snn.errors import LossWarning
from dlm_snn.exchange import read_nwb, read_session, write_nwb
from dlm_snn.exchange.rasters.cuts import Cut, placed, placed_trials

DT = 1e-3
name = "spike {}".format
doubtful = pytest.mark.filterwarnings("ignore::dlm_snn.errors.LossWarning")
"""Drawn times may all fall into one step, or lie late, of which a warning tells."""


def steps(times, cut):
    """(time's place, step) of what is kept."""
    found = placed(np.asarray(times, float), DT, cut, name, "here")
    assert found.left_out == len(times) - len(found.chosen)
    return list(zip(found.chosen.tolist(), found.step.tolist(), strict=True))


@doubtful
@given(st.lists(st.floats(-2, 9), min_size=1, max_size=30), st.lists(st.integers(-2000, 9000), min_size=2, unique=True))
def test_slices_that_follow_one_another_share_no_spike_and_lose_none(times, bounds):
    bounds = [bound * DT for bound in sorted(bounds)]
    found = []
    for begin, end in pairwise(bounds):
        placing = placed(np.array(times), DT, Cut(begin=begin, end=end), name, "here")
        assert placing.n_steps == round((end - begin) / DT)
        found += [(at, step + round(begin / DT)) for at, step in zip(placing.chosen, placing.step, strict=True)]
    whole = [(at, round(time / DT)) for at, time in enumerate(times)]
    inside = [(at, step) for at, step in whole if round(bounds[0] / DT) <= step < round(bounds[-1] / DT)]
    # A time halfway between two steps goes to either, as its distance from the beginning rounds.
    halves = {at for at, time in enumerate(times) if abs(time / DT % 1 - 0.5) < 1e-6}
    assert sorted(one for one in found if one[0] not in halves) == [one for one in inside if one[0] not in halves]


def test_what_a_slice_holds():
    times = [0.1, 0.9996, 1.0, 1.5, 1.9994, 1.9996, 2.0, 0.999, 1.499]
    assert steps(times, Cut(begin=1.0, end=2.0)) == [(1, 0), (2, 0), (3, 500), (4, 999), (8, 499)]
    assert steps(times, Cut(begin=1.5)) == [(3, 0), (4, 499), (5, 500), (6, 500)]
    assert steps(times, Cut(end=1.0)) == [(0, 100), (7, 999)]
    assert steps(times, Cut(start=0.1, end=1.0)) == [(0, 0), (7, 899)]
    assert steps(times, Cut(start=-1.0))[0] == (0, 1100)
    assert placed(np.array(times), DT, Cut(begin=1, end=9), name, "here").n_steps == 8000
    with pytest.raises(DlmError, match=r"spike 0 has the time -0.4 s, .* give start"):
        steps(times, Cut(start=0.5))
    for cut in (Cut(), Cut(begin=0), Cut(end=2.0)):
        with pytest.raises(DlmError, match=r"spike 1 has the time nan s.*; leave out what is no number"):
            steps([0.1, np.nan], cut)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"begin": 2, "end": 1}, r"end \(--to\) = 1 s is not after the beginning at 2 s"),
        ({"start": 1, "end": 1}, r"end \(--to\) = 1 s is not after the beginning at 1 s"),
        ({"end": 0}, "is not after the beginning at 0 s"),
        ({"start": 1, "begin": 1}, r"start = 1 and begin \(--from\) = 1 both set step 0; give one"),
        ({"begin": np.inf}, r"begin \(--from\) = inf is no number of seconds"),
        ({"end": "1"}, r"end \(--to\) = '1' is no number of seconds"),
        ({"start": True}, "start = True is no number of seconds"),
    ],
)
def test_a_slice_that_is_none(given, told):
    with pytest.raises(DlmError, match=told):
        Cut(**given)


def test_a_slice_longer_than_a_raster_is_refused():
    with pytest.raises(DlmError, match=r"steps of 0.001 s, a raster has fewer than 4294967295"):
        steps([0.1], Cut(end=1e9))


@doubtful
@example([99, 100, 101, 199, 200, 201, 299, 300], [(100, 100), (200, 100), (100, 100)])
@given(
    st.lists(st.integers(0, 900), max_size=40),
    st.lists(st.tuples(st.integers(0, 900), st.integers(1, 300)), min_size=1, max_size=6),
)
def test_trials_hold_what_a_loop_finds(times, trials):
    """Trials may overlap, and spikes come in any order."""
    bounds = np.array([(begin * DT, (begin + length) * DT) for begin, length in trials])
    found = placed_trials(np.array(times, float) * DT, DT, Cut(), bounds, name, "here")
    wanted = [
        (trial, time - begin, at)
        for trial, (begin, length) in enumerate(trials)
        for at, time in enumerate(times)
        if begin <= time < begin + length
    ]
    assert sorted(zip(found.sample.tolist(), found.step.tolist(), found.chosen.tolist(), strict=True)) == sorted(wanted)
    assert (found.n_samples, found.n_steps) == (len(trials), max(length for _, length in trials))
    assert found.left_out == len(times) - len({at for *_, at in wanted})


def session(path, ours=False, trials=3):
    """Three units in two areas, by their electrodes, and trials of 1.5 s each 2 s."""
    file = pynwb.NWBFile("a session", "someone", pynwb.file.datetime(2020, 1, 1).astimezone())
    group = file.create_electrode_group("g", "x", "?", file.create_device("d"))
    for area in ("CA1", "CA3", "CA1"):
        file.add_electrode(location=area, group=group)
    for unit, electrodes in enumerate(([0], [1, 2], [])):
        file.add_unit(spike_times=unit * 0.1 + np.array([0.5, 1.7, 2.5, 4.25]), id=7 + unit, electrodes=electrodes)
    if trials:
        file.add_trial_column("stimulus", "what was shown")
        file.add_trial_column("contrast", "of it")
        file.add_trial_column("many", "numbers of a trial", index=True)
    for trial in range(trials):
        file.add_trial(2.0 * trial, 2.0 * trial + 1.5, stimulus="AB"[trial % 2], contrast=trial / 2, many=[1, 2])
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    return path


def test_trials_become_samples_and_labels(tmp_path):
    found = read_session(session(tmp_path / "a.nwb"), DT, trials=True)
    raster = found.rasters["units"]
    dense = np.zeros((3, 1500, 3), bool)
    for unit in range(3):
        dense[[0, 1, 2], np.array([500, 500, 250]) + 100 * unit, unit] = True
    assert raster == SpikeRaster.from_dense(dense)
    assert found.unit_ids == {"units": (7, 8, 9)}
    assert found.areas == {"units": ("CA1", "CA3+CA1", "")}
    assert found.trials[1] == {"start": 2.0, "stop": 3.5, "stimulus": "B", "contrast": 0.5}
    assert found.notes() == [
        "units: neurons 0..2 are the units 7, 8, 9",
        "units: areas CA1 (1), CA3+CA1 (1), none told (1)",
        "trials: samples 0..2 are 3 of its 3 trials; start, stop, stimulus, contrast of each are kept",
        "3 spikes lie in no trial that is kept, and are left out",
    ]
    part = read_session(tmp_path / "a.nwb", DT, begin=2, end=5.4, trials=True)
    assert (part.rasters["units"], part.trials) == (raster[1:2], found.trials[1:2])


def test_a_session_keeps_trials_as_labels_without_making_samples_of_them(tmp_path):
    path = session(tmp_path / "a.nwb")
    found = read_session(path, DT, begin=1.0, end=3.0)
    assert found.rasters["units"].extent == (1, 2000, 3)
    assert found.rasters["units"].step.tolist() == [700, 800, 900, 1500, 1600, 1700]
    assert len(found.trials) == 3
    with pytest.warns(LossWarning, match=r"3 trials are left out; the recording is one sample \(trials=True"):
        read_nwb(path, DT)
    assert read_nwb(path, DT, trials=True)[0]["units"].n_samples == 3


def test_the_area_of_an_electrode_group_or_of_a_column(tmp_path):
    for column in ("electrode_group", "brain_area"):
        file = pynwb.NWBFile("a session", "someone", pynwb.file.datetime(2020, 1, 1).astimezone())
        device = file.create_device("d")
        groups = [file.create_electrode_group(area, "x", area, device) for area in ("V1", "LP")]
        if column == "brain_area":
            file.add_unit_column(column, "of the user")
        for group in groups:
            file.add_unit(spike_times=[0.1], **{column: group if column == "electrode_group" else group.name})
        with pynwb.NWBHDF5IO(str(tmp_path / "a.nwb"), "w") as io:
            io.write(file)
        assert read_session(tmp_path / "a.nwb", DT).areas == {"units": ("V1", "LP")}


def test_trials_that_are_none(tmp_path):
    path = session(tmp_path / "a.nwb", trials=0)
    with pytest.raises(DlmError, match=r"a.nwb: it has no trials; leave --trials out"):
        read_nwb(path, DT, trials=True)
    path = session(tmp_path / "b.nwb")
    with pytest.raises(DlmError, match=r"b.nwb: start = 1: a trial's own beginning is its step 0; leave start out"):
        read_nwb(path, DT, start=1, trials=True)
    told = re.escape("none of its 3 trials lies within begin (--from) = 9; move them")
    with pytest.raises(DlmError, match=told):
        read_nwb(path, DT, begin=9, trials=True)
    for bounds in ((0.5, 0.1), (np.nan, 1.0)):
        with pytest.raises(DlmError, match="trial 1 lasts from"):
            placed_trials(np.zeros(1), DT, Cut(), np.array([(0.0, 1.0), bounds]), name, "here")
    write_nwb({"a": SpikeRaster.from_dense(np.ones((1, 2, 2), bool))}, tmp_path / "ours.nwb")
    for given_options, told in (
        ({"begin": 0.0}, r"begin \(--from\) = 0.0 of a file"),
        ({"trials": True}, "trials of a"),
    ):
        with pytest.raises(DlmError, match=f"ours.nwb: {told}"):
            read_nwb(tmp_path / "ours.nwb", **given_options)


def test_slices_and_trials_by_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    session(Path("a.nwb"))
    assert cli.main(["import", "a.nwb", "--dt", "1e-3", "--trials", "--out", "o"]) == 0
    told = capsys.readouterr().out
    assert "units: areas CA1 (1), CA3+CA1 (1), none told (1)\ntrials: samples 0..2 are 3 of its 3 trials" in told
    kept = json.loads(Path("o/units.json").read_text())
    assert kept["areas"] == {"units": ["CA1", "CA3+CA1", ""]}
    assert [trial["stimulus"] for trial in kept["trials"]] == ["A", "B", "A"]
    assert cli.main(["import", "a.nwb", "--dt", "1e-3", "--from", "1", "--to", "3", "--out", "o", "--replace"]) == 0
    assert dlm.SpikeRaster.load("o/units.npz").extent == (1, 2000, 3)
    assert cli.main(["import", "a.nwb", "--dt", "1e-3", "--out", "one.npz"]) == 0
    assert (
        "one.npz has no place for unit_ids, areas, trials; a folder keeps them in units.json" in capsys.readouterr().out
    )
    assert cli.main(["import", "a.nwb", "--dt", "1e-3", "--from", "3", "--to", "1", "--out", "p"]) == 2
    assert "a.nwb: end (--to) = 1 s is not after the beginning at 3 s" in capsys.readouterr().err
    assert not Path("p").exists()
