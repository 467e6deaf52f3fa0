"""The part of a file's rasters that a command looks at."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.exchange import write_csv, write_nwb
from dlm_snn.verbs.rasters.selection import Selected, add_selection, selected

DENSE = np.random.default_rng(5).random((4, 50, 6)) < 0.2
RASTER = dlm.SpikeRaster.from_dense(DENSE, dt=0.002)


def select(*words: str | Path) -> Selected:
    parser = ArgumentParser(allow_abbrev=False)
    add_selection(parser)
    return selected(parser.parse_args([str(word) for word in words]))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    RASTER.save(tmp_path / "r.npz")
    return tmp_path / "r.npz"


def test_a_part_in_time_trials_and_neurons(file):
    part = select(file, "--from", "0.02", "--to", "0.06", "--trials", "1:3", "--neurons", ":4")
    assert part.rasters == {"r": RASTER[1:3, 10:30, :4]}
    assert part.start == {"r": 10}
    assert part.samples == slice(1, 3)
    assert part.called("r") == ["0", "1", "2", "3"]
    assert select(file, "--neurons", "4:").called("r") == ["4", "5"]
    assert select(file, "--trials", "2").rasters == {"r": RASTER[2:3]}
    assert select(file).rasters == {"r": RASTER}


@pytest.mark.parametrize(("ending", "write"), [("nwb", write_nwb), ("csv", write_csv)])
def test_files_of_ours_in_formats_of_others_are_cut_by_their_own_steps(tmp_path, ending, write):
    path = tmp_path / f"r.{ending}"
    write({"units": RASTER}, path)
    part = select(path, "--trials", "1:3", "--from", "0.02", "--to", "0.06")
    assert part.rasters["units"] == RASTER[1:3, 10:30]
    assert part.start == {"units": 10}


def test_the_reader_of_a_table_with_times_cuts_it_on_its_own_clock(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("time,unit\n0.5,0\n1.25,1\n1.5,0\n2.5,1\n")
    part = select(path, "--columns", "time=time,unit=unit", "--dt", "0.25", "--from", "1", "--to", "2")
    (raster,) = part.rasters.values()
    assert raster.step.tolist() == [1, 2]
    assert set(part.start.values()) == {0}


def test_populations_of_a_folder(tmp_path):
    for name in "ab":
        (tmp_path / "many").mkdir(exist_ok=True)
        RASTER.save(tmp_path / "many" / f"{name}.npz")
    assert list(select(tmp_path / "many").rasters) == ["a", "b"]
    assert list(select(tmp_path / "many", "--population", "b").rasters) == ["b"]
    assert list(select(tmp_path / "many", "--population", "b", "--population", "a").rasters) == ["b", "a"]
    assert select(tmp_path / "many", "--to", "0.01").rasters["b"] == RASTER[:, :5]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--from", "0.1"], "--from 0.1 leaves nothing of 'r' in .*r.npz, which lasts 0.1 s in steps of 0.002 s"),
        (["--from", "0.06", "--to", "0.02"], r"r.npz: --to 0.02 is not after --from 0.06; both are seconds"),
        (["--from", "-1"], "--from -1.0 for .*r.npz is no time in seconds from 0 on"),
        (["--to", "nan"], "--to nan for .*r.npz is no time"),
        (["--trials", "4:9"], "--trials leaves nothing of 'r' in .*r.npz, which has 0..3"),
        (["--neurons", "6:"], "--neurons leaves nothing of 'r' in .*r.npz, which has 0..5"),
        (["--population", "q"], "r.npz has no 'q'; known: r"),
        (["--trials"], "--trials is for .nwb.*, not for .npz; leave it out"),
        (["--simulator", "lava"], "--simulator lava chooses among the rasters of a run"),
        (["--time-unit", "ms"], "--time-unit is for"),
    ],
)
def test_a_selection_of_nothing_is_one_line(file, words, message):
    with pytest.raises(dlm.DlmError, match=message) as caught:
        select(file, *words)
    assert "\n" not in str(caught.value)


def test_no_file_and_no_raster(tmp_path):
    with pytest.raises(dlm.DlmError, match=r"no raster at .*none\.npz"):
        select(tmp_path / "none.npz")
    network = dlm.Network({"a": dlm.LIF(2, dv=0.1)}, {})
    dlm.save(network, tmp_path / "net")
    with pytest.raises(dlm.DlmError, match=r"net.* holds no rasters; give a raster, a recording or a run"):
        select(tmp_path / "net.json")
