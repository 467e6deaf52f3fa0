"""The page of ``raster view``: what it packs comes out again, what it refuses, and what the command writes."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlm_snn as dlm
from dlm_snn.analysis import Labels, Membrane, view
from dlm_snn.analysis.viewer.layers import by_neuron, layers
from dlm_snn.analysis.viewer.membranes import comparable, membrane_json, membranes_of, membranes_of_run
from dlm_snn.analysis.viewer.packing import leb128, low_bits, packed
from dlm_snn.cli import main
from dlm_snn.errors import DlmError, UnlikeError
from dlm_snn.exchange.formats import write_rasters
from dlm_snn.runs.recording_files import save_recording
from dlm_snn.runs.run_traces import Trace
from tests.nets import make
from tests.viewer_pages import BUSY, LOST, held_in


def from_leb128(data: bytes) -> list[int]:
    numbers, value, place = [], 0, 1
    for byte in data:
        value += (byte & 127) * place
        place *= 128
        if byte < 128:
            numbers.append(value)
            value, place = 0, 1
    return numbers


def unpacked(content: dict) -> list[int]:
    """What ``packed`` packed, one number after another, by another way."""
    high = from_leb128(zlib.decompress(base64.b64decode(content["high"])))
    bits = int.from_bytes(base64.b64decode(content["bits"]), "little")
    low = content["low"]
    assert len(high) == content["size"]
    return [(value << low) | (bits >> (low * i) & (1 << low) - 1) for i, value in enumerate(high)]


@given(st.lists(st.integers(0, 2**53 - 1) | st.integers(0, 300), max_size=60))
def test_what_is_packed_comes_out_again(numbers):
    assert unpacked(packed(np.array(numbers, dtype=np.int64))) == numbers
    assert from_leb128(leb128(np.array(numbers, dtype=np.int64))) == numbers


def test_random_intervals_take_little_more_than_their_entropy():
    rate = 0.002
    gaps = np.random.default_rng(0).geometric(rate, 100_000)
    entropy = -(np.log2(rate) + (1 - rate) / rate * np.log2(1 - rate))
    assert unpacked(packed(gaps[:3000])) == gaps[:3000].tolist()
    content = packed(gaps)
    size = 6 * (len(content["high"]) + len(content["bits"])) / gaps.size
    assert content["low"] > 0
    assert size < 1.02 * entropy


def test_regular_intervals_have_no_low_bits():
    content = packed(np.tile([7, 200, 9], 5000))
    assert content["low"] == 0
    assert len(content["high"]) < 200


def test_low_bits_fill_bytes_from_the_lowest_on():
    assert low_bits(np.array([5, 2, 7, 0]), 3) == bytes([0b11010101, 0b0001])


def test_spikes_stand_by_neuron_and_in_their_time():
    layer = by_neuron(BUSY)
    dense = BUSY.dense().reshape(-1, BUSY.n_neurons)
    assert layer.counts.tolist() == dense.sum(axis=0).tolist()
    assert layer.position.tolist() == np.nonzero(dense.T)[1].tolist()
    ends = np.cumsum(layer.counts)
    assert layer.gaps()[0] == layer.position[0]
    assert layer.gaps().sum() == layer.position[ends[layer.counts > 0] - 1].sum()


def test_rows_beyond_32_bits_keep_their_positions():
    raster = dlm.SpikeRaster([3, 3], [5, 2**31], [0, 0], 4, 2**32 - 1, 1)
    assert by_neuron(raster).position.tolist() == [3 * (2**32 - 1) + 5, 3 * (2**32 - 1) + 2**31]


def test_two_runs_part_into_what_both_have_and_what_one_has():
    def places(layer):
        neuron = np.repeat(np.arange(layer.counts.size), layer.counts)
        return set(zip(neuron.tolist(), layer.position.tolist(), strict=True))

    one, two = places(by_neuron(BUSY)), places(by_neuron(LOST))
    both, first, second = (places(layer) for layer in layers(BUSY, LOST))
    assert (both, first, second) == (one & two, one - two, two - one)
    assert first
    assert second
    assert [len(layer.position) for layer in layers(BUSY, BUSY)] == [len(BUSY), 0, 0]


def test_the_page_stands_alone_and_a_name_cannot_end_its_script(tmp_path):
    name = "</script><script>alert('x')</script>{{DATA}}"
    text = view({name: BUSY}, tmp_path / "a.html", labels=Labels((name, "b"))).read_text()
    assert text.count("<script") == 2
    assert not re.search(r"(src|href)=\"?(?!data:,)[a-z/]", text)
    assert held_in(text)["populations"][0]["name"] == name


def test_empty_and_small_rasters_have_pages(tmp_path):
    none = np.zeros(0, np.uint32)
    for i, extent in enumerate([(1, 10, 5), (0, 10, 5), (1, 0, 5), (1, 10, 0)]):
        empty = dlm.SpikeRaster(none, none, none, *extent)
        held = held_in(view(empty, tmp_path / f"{i}.html").read_text())
        assert held["populations"][0]["layers"][0]["size"] == 0


def test_a_page_is_html_by_its_name(tmp_path):
    with pytest.raises(DlmError, match=r"x\.png does not end in \.html, and the viewer is a page; give NAME\.html"):
        view(np.ones((3, 2), dtype=bool), tmp_path / "x.png")
    assert not list(tmp_path.iterdir())


def test_what_has_no_page_is_refused_in_a_line(tmp_path):
    slow = dlm.SpikeRaster.from_dense(BUSY.dense(), dt=2e-3)
    with pytest.raises(DlmError, match=r"steps of 0.001 s and 0.002 s; one page"):
        view({"a": BUSY, "b": slow}, tmp_path / "a.html")
    with pytest.raises(DlmError, match="no rasters to show"):
        view({}, tmp_path / "a.html")
    with pytest.raises(UnlikeError, match="differ in"):
        view({"a": BUSY}, tmp_path / "a.html", against={"a": BUSY[:1]})
    with pytest.raises(DlmError, match=r"16777217 neurons are more than a page holds"):
        view(dlm.SpikeRaster([0], [0], [0], 1, 1, 2**24 + 1), tmp_path / "a.html")
    with pytest.raises(DlmError, match=r"v has shape \(3,\)"):
        Membrane(np.zeros(3))
    with pytest.raises(DlmError, match=r"before has shape \(1, 2, 4\), v has \(1, 2, 3\)"):
        Membrane(np.zeros((1, 2, 3)), before=np.zeros((1, 2, 4)))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a.html").write_text("mine")
    with pytest.raises(DlmError, match="is not replaced: it is not a viewer page"):
        view(BUSY, tmp_path / "a.html", replace=True)


def test_floats_and_integers_are_relative_to_their_thresholds():
    network = dlm.Network({"a": dlm.LIF(2, dv=0.1, v_threshold=np.array([2.0, 4.0]))}, {})
    v = np.array([[[1.0, 1.0], [2.0, np.nan]]])
    assert np.array_equal(
        membranes_of(dlm.Recording(network, 1, 2, v={"a": v}))["a"].v, [[[0.5, 0.25], [1, np.nan]]], equal_nan=True
    )
    integer = dlm.IntegerNetwork({"a": dlm.IntegerLIF(2, dv=410, v_threshold=10)}, {})
    whole = np.array([[[640, 320]]])
    assert membranes_of(dlm.Recording(integer, 1, 1, v={"a": whole}))["a"].v.tolist() == [[[1.0, 0.5]]]


def shown(text: str, run: int = 0) -> tuple[np.ndarray, dict]:
    """The first voltages of a run as the page draws them, (sample, step, neuron), and what is told of them."""
    membrane = held_in(text)["membranes"][run][0]
    values = np.frombuffer(zlib.decompress(base64.b64decode(membrane["values"])), "<i2") * membrane["unit"]
    stood = values.reshape(len(membrane["neurons"]), membrane["samples"], membrane["steps"]).transpose(1, 2, 0)
    return stood[:, :, np.argsort(membrane["neurons"])], membrane


def recorded(case: str) -> dlm.Recording:
    network, stimulus, n_steps = make(case)
    return dlm.run(network, stimulus, n_steps, record=("s", "u", "v"), backend="reference")


@pytest.mark.parametrize("case", ["plain", "subtract", "int_thermal_ring"])
def test_the_voltage_shown_passes_1_exactly_where_the_neuron_spikes(tmp_path, case):
    recording = recorded(case)
    name, raster = next(iter(recording.rasters.items()))
    one = replace(recording, rasters={name: raster}, u={name: recording.u[name]}, v={name: recording.v[name]})
    v, told = shown(view(one, tmp_path / "a.html").read_text())
    assert told["threshold"]
    assert told["before"]
    assert raster.dense().any()
    assert np.array_equal(v > 1, raster.dense())
    save_recording(one, _made(tmp_path / "stored"), "reference")
    assert main(["raster", "view", str(tmp_path / "stored"), "--from", "0.005", "--out", str(tmp_path / "b.html")]) == 0
    assert np.array_equal(shown((tmp_path / "b.html").read_text())[0] > 1, raster.dense()[:, 5:])


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_all_runs_of_a_page_show_the_end_of_the_step_where_one_knows_no_more(tmp_path):
    recording = recorded("plain")
    name = next(iter(recording.v))
    whole, bare = recording, replace(recording, u={})
    for first, second, before in ((whole, bare, False), (bare, whole, False), (whole, whole, True)):
        text = view(first, tmp_path / "a.html", against=second, replace=True).read_text()
        assert [shown(text, run)[1]["before"] for run in (0, 1)] == [before, before]
        spikes = recording.rasters[name].dense()
        assert bool((shown(text)[0][spikes] > 1).all()) is before
    (lone,) = comparable([{"a": Membrane(np.zeros((1, 2, 3)), before=np.ones((1, 2, 3)))}])
    assert lone["a"].before is not None


def test_a_run_shows_v_before_the_reset_where_its_folder_keeps_it(tmp_path, monkeypatch):
    traces = (
        Trace("reference", "a", np.zeros((2, 3)), np.asarray(2.0), np.full((2, 3), 4.0)),
        Trace("reference", "out", np.ones((2, 3)), None),
    )
    monkeypatch.setattr("dlm_snn.analysis.viewer.membranes.read_run", lambda folder: SimpleNamespace(traces=traces))
    found = membranes_of_run(tmp_path, "reference")
    assert found["a"].before is not None
    assert found["a"].before.tolist() == [[[2.0] * 3] * 2]
    assert (found["out"].before, found["out"].threshold) == (None, False)


def test_rounding_takes_no_voltage_across_the_threshold():
    v = np.array([1 - 1e-9, 1.0, 1 + 1e-9, 50.0, np.nan]).reshape(1, 5, 1)
    (held,) = membrane_json({"a": Membrane(v)}, {})
    values = np.frombuffer(zlib.decompress(base64.b64decode(held["values"])), "<i2")
    assert (values[:4] * held["unit"] > 1).tolist() == [False, False, True, True]
    assert values[4] == -32768


def test_the_command_writes_a_page_of_the_part_asked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    BUSY.save("busy.npz")
    LOST.save("lost.npz")
    cut = ["--trials", "1:", "--from", "0.01", "--to", "0.03", "--neurons", "2:5"]
    assert main(["raster", "view", "busy.npz", *cut]) == 0
    held = held_in(Path("busy.html").read_text())
    part = BUSY[1:, 10:30, 2:5]
    assert (held["firstSample"], held["firstStep"], held["populations"][0]["units"]) == (1, 10, 2)
    assert (held["samples"], held["steps"], held["populations"][0]["neurons"]) == part.extent
    assert held["populations"][0]["layers"][0]["size"] == len(part)
    assert "written: busy.html" in capsys.readouterr().out
    assert main(["raster", "view", "busy.npz"]) == 2
    assert "give --replace" in capsys.readouterr().err
    assert main(["raster", "view", "busy.npz", "--against", "lost.npz", "--out", "busy.html", "--replace"]) == 0
    assert "differ; first at sample" in capsys.readouterr().out
    assert held_in(Path("busy.html").read_text())["names"] == ["busy.npz", "lost.npz"]


def test_the_command_refuses_what_is_no_raster(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("nothing")
    BUSY.save("busy.npz")
    for words in (["a.txt"], ["busy.npz", "--against", "gone.npz"], ["busy.npz", "--against-simulator", "torch"]):
        assert main(["raster", "view", *words, "--out", "page.html"]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
    BUSY[:1].save("short.npz")
    assert main(["raster", "view", "busy.npz", "--against", "short.npz", "--out", "page.html"]) == 2
    assert capsys.readouterr().err.startswith(
        "dlm-snn: busy.npz and short.npz: the rasters of 'busy' differ in (samples"
    )
    assert not Path("page.html").exists()


def test_recordings_bring_their_voltages(tmp_path):
    network = dlm.Network({"a": dlm.LIF(7, dv=0.1)}, {})
    v = np.random.default_rng(0).normal(size=(2, 60, 7))
    recording = dlm.Recording(network, 2, 60, {"a": BUSY}, v={"a": v})
    (membrane,), others = held_in(view(recording, tmp_path / "a.html").read_text())["membranes"]
    values = np.frombuffer(zlib.decompress(base64.b64decode(membrane["values"])), "<i2") * membrane["unit"]
    wanted = v[:, :, membrane["neurons"]].transpose(2, 0, 1)
    assert np.allclose(values.reshape(wanted.shape), wanted, atol=membrane["unit"])
    assert membrane["neurons"] == np.argsort(-BUSY.counts().sum(axis=0), kind="stable").tolist()
    assert others == []
    assert json.dumps(membrane["threshold"]) == "true"


def test_the_page_about_the_viewer_does_what_it_says(tmp_path, monkeypatch, capsys):
    page = (Path(__file__).parent.parent / "docs/viewer.md").read_text()
    (python,) = re.findall(r"^```python\n(.*?)^```", page, re.S | re.M)
    (bash,) = re.findall(r"^```bash\n(.*?)^```", page, re.S | re.M)
    monkeypatch.chdir(tmp_path)
    exec(compile(python, "docs/viewer.md", "exec"), {})
    for line in bash.splitlines():
        assert main(line.split()[1:]) == 0
    assert {path.name for path in tmp_path.glob("*.html")} == {"spikes.html", "first.html", "both.html", "part.html"}
    assert "differ; first at sample 1, step 2" in capsys.readouterr().out
    assert held_in((tmp_path / "part.html").read_text())["firstSample"] == 1


def test_a_stored_recording_brings_its_voltages_cut_like_its_spikes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    v = np.random.default_rng(0).normal(size=(2, 60, 7))
    recording = dlm.Recording(dlm.Network({"a": dlm.LIF(7, dv=0.1)}, {}), 2, 60, {"a": BUSY}, v={"a": v})
    Path("stored").mkdir()
    save_recording(recording, Path("stored"), "reference")
    assert main(["raster", "view", "stored", "--trials", "1", "--from", "0.01", "--neurons", "2:5"]) == 0
    ((membrane,), _) = held_in(Path("stored.html").read_text())["membranes"]
    values = np.frombuffer(zlib.decompress(base64.b64decode(membrane["values"])), "<i2") * membrane["unit"]
    wanted = v[1, 10:, 2:5].T[membrane["neurons"]]
    assert np.allclose(values.reshape(wanted.shape), wanted, atol=membrane["unit"])


def test_neurons_keep_the_names_of_their_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [f"u{i}" for i in range(BUSY.n_neurons)]
    write_rasters({"busy": BUSY}, Path("rasters"), labels={"unit_ids": {"busy": names}})
    assert main(["raster", "view", "rasters", "--neurons", "2:4"]) == 0
    assert held_in(Path("rasters.html").read_text())["populations"][0]["units"] == names[2:4]
