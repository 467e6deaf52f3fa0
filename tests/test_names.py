"""Names out of files: never a path, and one file for each population."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import neo
import nir
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlm_snn as dlm
from dlm_snn.cli import main
from dlm_snn.exchange.formats import write_rasters
from dlm_snn.exchange.netx.writer import write_net
from dlm_snn.exchange.rasters.csv_files import from_frame, read_csv, to_frame
from dlm_snn.exchange.rasters.neo import from_neo, to_neo
from dlm_snn.exchange.rasters.nir_recording import from_nir_data, to_nir_data
from dlm_snn.exchange.rasters.nwb import read_nwb, write_nwb
from dlm_snn.files import names
from dlm_snn.files.names import LONGEST, check_name, file_of, identifiers

PATHS = ("../../evil", "/absolute/evil", "a/b", "..", ".", ".hidden", "a\\b", "C:\\evil")
BAD = (*PATHS, "", " ", "a\0b", "a\nb", "a\x7f", "a\u202eb", "\ud800", "x" * (LONGEST + 1), "ö" * LONGEST)
GOOD = ("hidden", "größe", 'a, "b"', "#1", "CA1 left", "x" * LONGEST, "層")


def ones(n=2):
    return dlm.SpikeRaster.from_dense(np.ones((1, 3, n), bool))


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_is_none_is_refused_in_one_line(name):
    with pytest.raises(dlm.DlmError, match=r"^population name ") as caught:
        check_name(name)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", GOOD)
def test_names_with_spaces_and_marks_are_kept(name, tmp_path):
    assert check_name(name) == name
    ones().save(file_of(tmp_path, name, ".npz"))
    assert [path.stem for path in tmp_path.iterdir()] == [name]


@given(st.text(max_size=300))
def test_a_name_never_leaves_its_folder(name):
    folder = Path("/some/where")
    try:
        path = file_of(folder, name, ".npz")
    except dlm.DlmError:
        return
    assert path.parent == folder
    assert len(path.name.encode()) <= 255
    assert "\0" not in path.name


@given(st.lists(st.text(max_size=300), unique=True, max_size=8))
def test_identifiers_are_identifiers_and_differ(given_names):
    chosen = identifiers(given_names, {"one"})
    assert list(chosen) == given_names
    assert len({*chosen.values(), "one"}) == len(given_names) + 1
    for name in chosen.values():
        names.check_identifier(name)


def test_what_windows_keeps_for_itself_is_refused_there(monkeypatch):
    for name in ("aux", "COM1.old", "a:b", "a?", "a."):
        assert check_name(name) == name
    monkeypatch.setattr(names.os, "name", "nt")
    for name in ("aux", "COM1.old", "a:b", "a?", "a."):
        with pytest.raises(dlm.DlmError, match="is none that Windows lets a file have"):
            check_name(name)
    assert check_name("auxiliary") == "auxiliary"


def test_two_names_that_are_one_file_are_refused(tmp_path):
    """A file system that does not tell case apart answers for the other name."""
    (tmp_path / "A.npz").write_bytes(b"")
    with pytest.raises(dlm.DlmError, match="population 'A' would be one file with another's"):
        file_of(tmp_path, "A", ".npz")
    assert file_of(tmp_path, "A", ".npz", "spikes-0-").name == "spikes-0-A.npz"


@pytest.mark.parametrize("name", PATHS)
def test_names_in_foreign_files_are_no_paths(name, tmp_path, monkeypatch, capsys):
    inner = tmp_path / "one" / "two"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    extent = {"n_samples": 1, "n_steps": 3, "n_neurons": 2, "dt": 0.001}
    head = f"# dlm_snn {json.dumps({name: extent})}\npopulation,sample,step,neuron\n"
    Path("a.csv").write_text(f"{head}{name},0,0,1\n")
    Path("plain.csv").write_text(f"population,sample,step,neuron\n{name},0,0,1\n")
    write_nwb({"a": ones()}, "b.nwb")
    with h5py.File("b.nwb", "a") as file:
        file["units/population"][:] = name
        note = file["general/notes"][()].decode().replace('"a"', json.dumps(name))
        del file["general/notes"]
        file["general/notes"] = note
    for words in (["a.csv"], ["plain.csv", "--extent", "1,3,2"], ["b.nwb"]):
        before = set(tmp_path.rglob("*"))
        assert main(["import", *words, "--out", "o"]) == 2
        told = capsys.readouterr().err
        assert f"{words[0]}: population name " in told
        assert told.count("\n") == 1
        assert set(tmp_path.rglob("*")) == before
    frame = to_frame({name: ones()})
    with pytest.raises(dlm.DlmError, match="population name"):
        from_frame(frame)
    with pytest.raises(dlm.DlmError, match="population name"):
        from_neo(to_neo({name: ones()}))
    with pytest.raises(dlm.DlmError, match="population name"):
        from_nir_data(to_nir_data({name: ones()}), 1e-3)
    with pytest.raises(dlm.DlmError, match="population name"):
        write_rasters({name: ones()}, Path("folder"))
    assert not Path("folder").exists()


def test_populations_of_a_foreign_neo_block():
    train = neo.SpikeTrain([0.01], units="s", t_stop=0.1, population="../evil")
    segment, block = neo.Segment(), neo.Block()
    segment.spiketrains.append(train)
    block.segments.append(segment)
    with pytest.raises(dlm.DlmError, match=r"population name '../evil' could be a path"):
        from_neo(block, 1e-3)


def test_good_names_come_in(tmp_path):
    for name in GOOD:
        rasters = {name: ones()}
        write_rasters(rasters, tmp_path / "a.csv")
        assert read_csv(tmp_path / "a.csv") == rasters
        write_rasters(rasters, tmp_path / "a.nwb")
        assert read_nwb(tmp_path / "a.nwb")[0] == rasters
        (tmp_path / "a.csv").unlink()
        (tmp_path / "a.nwb").unlink()


@pytest.mark.parametrize("name", ["layer/1", "..", "a b", "", "x" * (LONGEST + 1), 3])
def test_a_network_takes_identifiers_that_a_file_may_have(name):
    with pytest.raises(dlm.DlmError, match=r"^population name .* (is not an identifier|has more than 200 bytes)"):
        dlm.Network({name: dlm.Input((2,))})


def test_nodes_of_a_nir_graph_become_identifiers():
    each = np.ones(2)
    graph = nir.NIRGraph(
        {
            "../in": nir.Input({"input": np.array([2])}),
            "w": nir.Linear(np.eye(2)),
            "0": nir.LIF(0.01 * each, each, 0 * each, each, 0 * each),
        },
        [("../in", "w"), ("w", "0")],
        type_check=False,
    )
    assert list(dlm.read_nir(graph, 1e-3, reset="zero").populations) == ["___in", "n0"]


@pytest.mark.parametrize("name", PATHS[:4])
def test_names_in_files_of_networks_are_no_paths(name, tmp_path):
    """In our own files, in the notes of a NIR graph, and in those of a ``.net``."""
    weight = dlm.Dense(np.full((2, 2), 4))
    network = dlm.Network(
        {"x": dlm.Input((2,)), "a": dlm.LIF((2,), dv=0.5)}, [dlm.Projection("x", "a", dlm.Dense(np.eye(2)))]
    )
    integers = dlm.IntegerNetwork(
        {"x": dlm.Input((2,)), "a": dlm.IntegerLIF((2,), dv=100, v_threshold=5)},
        [dlm.IntegerProjection("x", "a", weight)],
    )
    dlm.save(network, tmp_path / "n")
    file = tmp_path / "n.json"
    file.write_text(file.read_text().replace('"a"', json.dumps(name)))
    with pytest.raises(dlm.DlmError, match=r"n\.json"):
        dlm.load(tmp_path / "n")
    graph = dlm.write_nir(network)
    graph.metadata["dlm_snn"] = graph.metadata["dlm_snn"].replace('"a"', json.dumps(name))
    with pytest.raises(dlm.DlmError, match="its notes 'dlm_snn'"):
        dlm.read_nir(graph)
    write_net(integers, tmp_path / "n.net")
    with h5py.File(tmp_path / "n.net", "a") as held:
        held.attrs["dlm_snn"] = str(held.attrs["dlm_snn"]).replace('"a"', json.dumps(name)).replace("->a", f"->{name}")
    with pytest.raises(dlm.DlmError, match=r"n\.net"):
        dlm.read_net(tmp_path / "n.net")
