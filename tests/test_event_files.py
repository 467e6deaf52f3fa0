"""Recordings of event cameras: written as their makers write them, read, equal; what is none of them is one line."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

import dlm_snn as dlm
from dlm_snn.errors import DlmError, LossWarning, MissingError
from dlm_snn.exchange import EventFile, event_file, from_events
from dlm_snn.exchange.rasters import event_file as whole
from dlm_snn.exchange.rasters import events as binning
from dlm_snn.exchange.rasters.clock import Clock
from dlm_snn.exchange.rasters.events import CameraEvents
from tests import event_files as made

CAMERA = {"a.aedat": (2, 128, 128), "a.dat": (2, 240, 304), "a.npy": (2, 100, 90), "a.bs2": (2, 34, 34)}


def put(path: str, content: bytes) -> Path:
    Path(path).write_bytes(content)
    return Path(path)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=[2**18, 7], ids=["at once", "in pieces"])
def pieces(request, monkeypatch):
    """All events at once, or seven together."""
    monkeypatch.setattr(whole, "BLOCK", 8 * request.param)
    monkeypatch.setattr(binning, "PIECE", request.param)
    monkeypatch.setattr("dlm_snn.exchange.rasters.aedat3.PIECE", request.param)


def placed(given: np.ndarray, shape: tuple[int, int, int]) -> set[tuple[int, int]]:
    """(step of a millisecond, neuron) of each event."""
    _, rows, columns = shape
    events = zip(*given.tolist(), strict=True)
    return {(round(t * 1e-6 / 1e-3), (p * rows + y) * columns + x) for t, y, x, p in events}


def holds(recording: EventFile, given: np.ndarray, shape: tuple[int, int, int]) -> None:
    """A file is what was written to it: its events, and its raster, against a set made event by event."""
    zero = int(given[0].min(initial=2**62)) if recording.from_first and given.size else 0
    assert recording.shape == shape
    found = recording.events()
    assert [field.tolist() for field in found] == [(given[0] - zero).tolist(), *given[1:].tolist()]
    raster, moved = recording.raster(1e-3)
    places = placed(given - [[zero], [0], [0], [0]], shape)
    assert set(zip(raster.step.tolist(), raster.neuron.tolist(), strict=True)) == places
    assert len(raster) == len(places) == given.shape[1] - moved.merged
    assert raster.extent == (1, max((step for step, _ in places), default=-1) + 1, int(np.prod(shape)))
    assert from_events([found], 1e-3, shape)[0] == raster


@pytest.mark.parametrize("n", [0, 1, 60])
@pytest.mark.parametrize("chip", made.SEEN)
def test_aedat2(chip, n, pieces):
    rows, columns = made.SEEN[chip]
    given = made.events(n, rows, columns)
    holds(event_file(put("a.aedat", made.aedat2(given, chip))), given, (2, rows, columns))


@pytest.mark.parametrize("n", [0, 1, 60])
def test_aedat3(n, pieces):
    given = made.events(n)
    # The clock begins again between two packets, which the packets say.
    given[0, n // 2 :] += 3 * 2**31
    given[0, : n // 2] += 3 * 2**31 - 200_000
    recording = event_file(put("a.aedat", made.aedat3(given, of=max(n // 2, 1))))
    if not n:
        return holds(recording, given, (2, 128, 128))
    with pytest.warns(LossWarning, match=r"a.aedat: [123] special events were left out"):
        holds(recording, given, (2, 128, 128))
    assert recording.notes == [f"step 0 is the first event's, {given[0, 0] * 1e-6:.15g} s on its clock (--start)"]
    return None


@pytest.mark.parametrize("kind", [0, 12])
@pytest.mark.parametrize("n", [0, 1, 60])
def test_dat(kind, n, pieces):
    given = made.events(n, 240, 304)
    holds(event_file(put("a.dat", made.dat(given, made.dat_head(kind=kind)))), given, (2, 240, 304))


FIELDS = (
    [("t", "<i8"), ("y", "<i2"), ("x", "<i2"), ("p", "?")],
    [("ts", ">u4"), ("y", ">u2"), ("x", ">u2"), ("pol", "u1")],
    [("timestamp", "<f8"), ("row", "<f4"), ("col", "<f4"), ("polarity", "<i4")],
    [("Time", "<u8"), ("y", "u1"), ("x", "u1"), ("P", "<f4")],
)


@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize("n", [0, 1, 60])
def test_npy(fields, n, pieces):
    given = made.events(n)
    path = put("a.npy", made.npy(made.array(given, fields)))
    unit = "us" if fields[0][1] == "<f8" else None
    recording = event_file(path, shape=(2, 100, 90), time_unit=unit)
    holds(recording, given, (2, 100, 90))
    assert recording.notes == ([] if unit else ["its times were taken as microseconds (--time-unit)"])


def test_npy_in_other_orders_units_and_signs():
    given = made.events()
    aligned = np.dtype([("p", "i1"), ("x", "<i2"), ("t", "<f8"), ("y", "<i2"), ("other", "<f4")], align=True)
    array = np.zeros(60, aligned)
    array["t"], array["y"], array["x"], array["p"] = given[0] / 1e6, given[1], given[2], 2 * given[3] - 1
    np.save("a.npy", array)
    raster, _ = event_file("a.npy", (2, 100, 90), time_unit="s").raster(1e-3)
    np.save("b.npy", made.array(given * [[1000], [1], [1], [1]]))
    assert event_file("b.npy", (2, 100, 90), time_unit="ns").raster(1e-3)[0] == raster
    slow = given * [[20], [1], [1], [1]]
    np.save("c.npy", np.roll(made.array(slow), 30))
    with pytest.warns(LossWarning, match=r"c.npy: 1 events come before the one before them, by 3.\d+ s at most"):
        assert (
            event_file("c.npy", (2, 100, 90)).raster(2e-2)[0]
            == from_events([CameraEvents(*slow)], 2e-2, (2, 100, 90))[0]
        )


def test_bs2_in_pieces(pieces):
    given = made.events(60, 34, 34)
    holds(event_file(put("a.bin", made.bs2(given))), given, (2, 34, 34))
    holds(event_file(put("a.bin", made.bs2(given)), shape=(2, 180, 240)), given, (2, 180, 240))


def test_the_clock_of_32_bits_begins_again(pieces):
    given = made.events(60, 34, 34)
    given[0] += 2**32 - 100_000
    again = r"its clock of 32 bits \(4295.0 s\) begins again 1 times; the times go on"
    fields = [("t", "<u4"), ("y", "<i2"), ("x", "<i2"), ("p", "?")]
    contents = {"a.dat": made.dat(given), "a.aedat": made.aedat2(given), "a.npy": made.npy(made.array(given, fields))}
    for name, content in contents.items():
        recording = event_file(put(name, content), shape=(2, 100, 90) if name == "a.npy" else None)
        with pytest.warns(LossWarning, match=again):
            found = recording.events(start=given[0, 0] * 1e-6)
        assert found.time.tolist() == (given[0] - given[0, 0]).tolist()


@settings(max_examples=30, deadline=None)
@drawn(st.lists(st.integers(-900_000, 2**31 - 1), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_a_clock_goes_on_over_pieces(gaps, start):
    """Steps back of less than a second are disorder, all others are the counter's."""
    time = start + 10**6 * len(gaps) + np.cumsum(gaps)
    clock = Clock("x", 32)
    found = np.concatenate([clock.follow(part) for part in np.array_split(time % 2**32, 3)])
    assert (found - time).tolist() == [found[0] - time[0]] * time.size


@pytest.mark.parametrize("border", range(1, 8))
@pytest.mark.parametrize("turn", range(1, 8))
def test_a_clock_begins_again_anywhere(border, turn):
    """Within a piece, and between two."""
    time = 2**32 - turn + np.arange(8)
    clock = Clock("x", 32)
    found = [*clock.follow(time[:border] % 2**32), *clock.follow(time[border:] % 2**32)]
    assert found == time.tolist()
    with pytest.warns(LossWarning, match="begins again 1 times"):
        clock.tell()


def test_events_of_one_place_on_both_sides_of_a_border_are_one(pieces):
    """Four places and twenty steps; one place, whose seventh and eighth events are in one step."""
    given = made.events(400, 1, 2, until=20_000)
    holds(event_file(put("a.dat", made.dat(given))), given, (2, 240, 304))
    given = np.zeros((4, 14), dtype=np.int64)
    given[0] = [*range(0, 7000, 1000), *range(6000, 13_000, 1000)]
    holds(event_file(put("a.dat", made.dat(given))), given, (2, 240, 304))


def test_a_clock_that_was_set_anew_is_refused(pieces):
    given = made.events()
    given[0, 40:] -= given[0, 40]
    given[0, :40] += 5_000_000
    for name, content in (("a.dat", made.dat(given)), ("a.aedat", made.aedat2(given))):
        with pytest.raises(
            DlmError, match=rf"{name}, event 40 comes 5.\d+ s before the one before it: the clock was set"
        ):
            event_file(put(name, content)).raster(1e-3)


def test_step_0():
    """AEDAT from its first event, the others from their clock's 0; or from where it is told."""
    given = made.events()
    given[0] += 7_000_000
    for name, content, first in (("a.dat", made.dat(given), 7000), ("a.aedat", made.aedat2(given), 0)):
        recording = event_file(put(name, content))
        began = given[0, 0] / 1000
        assert recording.raster(1e-3)[0].step[0] == round(first and began)
        assert recording.raster(1e-3, start=6.5)[0].step[0] == round(began - 6500)
        assert recording.raster(1e-3, start=0)[0].step[0] == round(began)
        with pytest.raises(DlmError, match=rf"{name}, event 0 has the time -0\.\d+ s, outside .*; give start"):
            recording.raster(1e-3, start=8)
        with pytest.raises(DlmError, match="start = nan is no number of seconds"):
            recording.raster(1e-3, start=float("nan"))


def test_what_is_no_polarity_event_is_left_out_and_told():
    given = made.events(5, 180, 240)
    frames = np.array([[1 << 31 | 5, 3], [1 << 31 | 7 << 10, 4], [1 << 10, 5]]).astype(">u4").tobytes()
    recording = event_file(put("a.aedat", made.aedat2(given, "Davis240C") + frames))
    with pytest.warns(LossWarning) as told:
        assert recording.events().row.tolist() == given[1].tolist()
    assert any("3 entries are no polarity events (frames, motion, triggers)" in str(w.message) for w in told)
    content = made.aedat3(given[:, :0]) + made.packet(bytes(12 * 3), 3, kind=3, size=12)
    content += made.polarity_packet(given) + made.polarity_packet(given[:, :2] + [[200_000], [0], [0], [0]], valid=0)
    with pytest.warns(LossWarning, match="a.aedat: 3 IMU6 events, 2 invalid events were left out"):
        assert event_file(put("a.aedat", content)).events().time.size == 5


def test_a_head_without_an_end_and_events_that_begin_as_lines_do():
    """y = 140 of a DAVIS makes the first byte a "#"."""
    given = made.events(8, 180, 240)
    given[1] = 140
    content = made.aedat2_head("Davis240C", end=False) + made.aedat2_words(given, "Davis240C")
    assert content[len(made.aedat2_head("Davis240C", end=False))] == ord("#")
    holds(event_file(put("a.aedat", content)), given, (2, 180, 240))


def test_what_is_told_of_a_camera():
    given = made.events()
    named = made.aedat2_head(None) + made.aedat2_words(given)
    with pytest.raises(
        DlmError, match=r"a.aedat names no chip, whose addresses differ; give chip \(--chip\), one of DVS1"
    ):
        event_file(put("a.aedat", named))
    holds(event_file("a.aedat", chip="dvs128"), given, (2, 128, 128))
    with pytest.raises(DlmError, match="chip = 'DVS182' is not known; did you mean 'DVS128'"):
        event_file("a.aedat", chip="DVS182")
    with pytest.raises(DlmError, match=r"a.aedat is of the chip 'SecDvs640Gen2', which is not known"):
        event_file(put("a.aedat", made.aedat2(given, "SecDvs640Gen2")))
    put("a.aedat", made.aedat2(given))
    with pytest.raises(DlmError, match=r"a.aedat is of the chip DVS128, not DAVIS240; leave chip out"):
        event_file("a.aedat", chip="DAVIS240")
    with pytest.raises(DlmError, match=r"a.aedat tells its camera's shape, 2,128,128, not 2,10,10; leave shape out"):
        event_file("a.aedat", shape=(2, 10, 10))
    assert event_file("a.aedat", shape=(2, 128, 128)).shape == (2, 128, 128)
    for source in ("#Source 0: File", "#Source 0: DVS128\r\n#Source 1: DAVIS240C"):
        put("a.aedat", made.aedat3_head(source) + made.polarity_packet(given))
        with pytest.raises(
            DlmError, match=r"a.aedat has the sources '.*', which do not tell one camera; give its shape"
        ):
            event_file("a.aedat")
        holds(event_file("a.aedat", shape=(2, 200, 200)), given, (2, 200, 200))
    put("a.aedat", made.aedat3_head("#-Source 0: DVS128\r\n#Source 0: File") + made.polarity_packet(given))
    assert event_file("a.aedat").shape == (2, 128, 128)
    put("a.dat", made.dat(given, made.dat_head(["Version 2"])))
    with pytest.raises(DlmError, match=r"a.dat does not tell its camera's Width and Height; give its shape \(--shape"):
        event_file("a.dat")
    holds(event_file("a.dat", shape=(2, 100, 90)), given, (2, 100, 90))
    np.save("a.npy", made.array(given))
    reach = f"2,{given[1].max() + 1},{given[2].max() + 1}"
    with pytest.raises(DlmError, match=rf"a.npy does not tell its camera's shape; .* Its events need {reach} at least"):
        event_file("a.npy")
    with pytest.raises(DlmError, match=r"a.npy is a NumPy array, to which chip says nothing; leave it out"):
        event_file("a.npy", (2, 100, 90), chip="DVS128")


GIVEN = made.events()
BAD = {
    "version 3.0": ("a.aedat", b"#!AER-DAT3.0\r\n", r"a.aedat is AEDAT 3.0, which is not read; write it as AEDAT 2.0"),
    "no head": ("a.aedat", bytes(80), "a.aedat does not begin as AEDAT 2.0 or AEDAT 3.1 or AEDAT4 does"),
    "no head of dat": ("a.dat", bytes(80), "a.dat does not begin as Prophesee's DAT does"),
    "head cut": ("a.aedat", made.aedat3_head()[:-8], "a.aedat has no line '#!END-HEADER', at which its head ends"),
    "form": (
        "a.aedat",
        made.aedat3_head(form="SerializedTS"),
        "AEDAT 3.1 in the format 'SerializedTS'; only RAW is read",
    ),
    "truncated 2": (
        "a.aedat",
        made.aedat2(GIVEN)[:-3],
        "a.aedat has 477 bytes behind its head, no whole number of event",
    ),
    "truncated 3": ("a.aedat", made.aedat3(GIVEN)[:-3], "a.aedat: its last packet ends 3 bytes behind the file"),
    "packet head": ("a.aedat", made.aedat3(GIVEN[:, :25])[:-20], "a.aedat ends within the head of a packet"),
    "no packet": (
        "a.aedat",
        made.aedat3(GIVEN) + b"x" * 40,
        "a.aedat: what stands at byte .* is no packet of AEDAT 3.1",
    ),
    "size": (
        "a.aedat",
        made.aedat3_head("#Source 0: DVS128") + made.packet(bytes(120), 10, size=12),
        "is no packet of AEDAT 3.1; it is damaged",
    ),
    "two cameras": (
        "a.aedat",
        made.aedat3_head("#Source 0: DVS128") + made.polarity_packet(GIVEN) + made.polarity_packet(GIVEN, source=1),
        r"a.aedat holds events of the sources \[0, 1\]; give a recording of one camera",
    ),
    "more than its capacity": (
        "a.aedat",
        made.aedat3_head("#Source 0: DVS128") + made.packet(bytes(80), 10).replace(b"\x0a", b"\x09", 1),
        "is no packet of AEDAT 3.1; it is damaged",
    ),
    "negative": (
        "a.aedat",
        made.aedat3_head("#Source 0: DVS128") + made.packet(b"\x01\0\0\0\0\0\0\x80", 1),
        "a.aedat has an event with a time below 0; it is damaged",
    ),
    "pixel": ("a.dat", made.dat(made.events(60, 300, 304)), r"a.dat, event \d+: row \d+ lies outside 0..239"),
    "polarity": (
        "a.dat",
        made.dat(np.add(GIVEN, [[0], [0], [0], [4]])),
        r"a.dat, event 0: polarity [45] lies outside 0..1",
    ),
    "truncated dat": (
        "a.dat",
        made.dat(GIVEN)[:-1],
        "a.dat has 479 bytes behind its head, no whole number of events of 8",
    ),
    "cut within lines": ("a.dat", made.dat(GIVEN)[:12], "a.dat does not begin as DAT does, with lines after '%'"),
    "triggers": (
        "a.dat",
        made.dat(GIVEN, made.dat_head(kind=14)),
        "a.dat holds external triggers; events of pixels have",
    ),
    "type": ("a.dat", made.dat(GIVEN, made.dat_head(size=16)), "a.dat holds events of the type 12 and of 16 bytes"),
    "version 1": (
        "a.dat",
        made.dat(GIVEN, made.dat_head(["Version 1"])),
        "a.dat is of the version 1; DAT is read in ver",
    ),
    "no version": ("a.dat", made.dat(GIVEN, made.dat_head([])), "a.dat tells no version; DAT is read in version 2"),
    "width": (
        "a.dat",
        made.dat(GIVEN, made.dat_head(["Version 2", "Width 10", "Height -3"])),
        "a.dat: its height '-3' is no number of pixels in 1..16384",
    ),
    "raw": (
        "a.raw",
        b"% date 2020\n% evt 3.0\n% format EVT3;height=720;width=1280\n% end\n" + bytes(64),
        r"a.raw is Prophesee's RAW \(EVT 3.0\), which is not read; make a .dat of it",
    ),
    "raw by name of dat": (
        "a.dat",
        b"% format EVT2;\n" + bytes(8),
        r"a.dat is Prophesee's RAW \(EVT 2\), which is not read",
    ),
    "hdf5": ("a.h5", b"\x89HDF\r\n\x1a\n" + bytes(64), "a.h5 is HDF5, which is not read; read its arrays with h5py"),
    "plain array": (
        "a.npy",
        made.npy(np.arange(5)),
        r"a.npy holds an array of int64 of the shape \(5,\) without names",
    ),
    "two dimensions": (
        "a.npy",
        made.npy(made.array(GIVEN)[None]),
        r"a.npy holds events of the shape \(1, 60\); give one",
    ),
    "no field": (
        "a.npy",
        made.npy(np.zeros(3, [("t", "i4"), ("x", "i4"), ("y", "i4")])),
        "a.npy has no field 'p'; it has t, x, y, events of a camera have t, x, y, p",
    ),
    "twice": (
        "a.npy",
        made.npy(np.zeros(3, [("t", "i4"), ("x", "i4"), ("y", "i4"), ("p", "i4"), ("ts", "i4")])),
        "a.npy has the fields t and ts, of which one is too many",
    ),
    "text": (
        "a.npy",
        made.npy(np.zeros(3, [("t", "i4"), ("x", "S4"), ("y", "i4"), ("p", "i4")])),
        "a.npy: its field 'x' is of .S4; give numbers",
    ),
    "fractions": (
        "a.npy",
        made.npy(made.array(GIVEN, FIELDS[2])),
        r"a.npy has times of float64, whose unit is not known; give it \(--time-unit s, ms, us or ns\)",
    ),
    "signs": (
        "a.npy",
        made.npy(made.array(np.array([[0, 1, 2], [0, 0, 0], [0, 0, 0], [-1, 0, 1]]), [(k, "i4") for k in "tyxp"])),
        "a.npy has polarities of -1 and of 0; give 0 and 1, or -1 and 1",
    ),
    "array cut": ("a.npy", made.npy(made.array(GIVEN))[:-1], "a.npy is damaged .*; write it again with numpy.save"),
    "empty": ("a.dat", b"", r"a.dat is empty; give a recording of events \(.aedat, "),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_recording_is_one_line_and_writes_nothing(name, capsys):
    from dlm_snn import cli

    file, content, message = BAD[name]
    put(file, content)
    shape = ["--shape", "2,100,90"] if file == "a.npy" else []
    with pytest.raises(DlmError, match=message):
        event_file(file, (2, 100, 90) if shape else None).raster(1e-3)
    assert cli.main(["import", file, "--dt", "1e-3", "--out", "o", *shape]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(f"dlm-snn: {file}")
    assert [path.name for path in Path().iterdir()] == [file]


def test_a_file_is_known_by_what_it_begins_with(capsys):
    from dlm_snn import cli

    given = made.events()
    contents = {"a.dat": made.aedat2(given), "a.bin": made.dat(given), "a.aedat4": made.aedat2(given)}
    kinds = {"a.dat": "AEDAT 2.0", "a.bin": "Prophesee's DAT", "a.aedat4": "AEDAT 2.0"}
    for name, content in contents.items():
        assert cli.main(["import", str(put(name, content)), "--dt", "1e-3", "--out", f"out-{name[2:]}"]) == 0
        assert f"{name} is {kinds[name]} by its content, and was read as such" in capsys.readouterr().out
    assert dlm.SpikeRaster.load("out-dat/a.npz") == event_file("a.aedat4").raster(1e-3)[0]
    assert cli.main(["import", str(put("a.events", contents["a.bin"])), "--dt", "1e-3"]) == 2
    assert "a.events is Prophesee's DAT by its content; call it a.dat" in capsys.readouterr().err
    with pytest.raises(MissingError, match=r"no file b.dat; give a recording of an event camera"):
        event_file("b.dat")


def test_the_command_line_takes_what_a_file_does_not_tell(capsys):
    from dlm_snn import cli

    given = made.events()
    given[0] += 2_000_000
    put("a.aedat", made.aedat2_head(None) + made.aedat2_words(given))
    words = ["import", "a.aedat", "--dt", "1e-3", "--chip", "DVS128", "--start", "1.5", "--out", "a"]
    assert cli.main(words) == 0
    assert "a: " in capsys.readouterr().out
    assert dlm.SpikeRaster.load("a/a.npz").step[0] == round(given[0, 0] / 1000 - 1500)
    np.save("b.npy", made.array(given * [[1000], [1], [1], [1]]))
    assert cli.main(["import", "b.npy", "--dt", "1e-3", "--shape", "2,128,128", "--time-unit", "ns", "--out", "b"]) == 0
    assert dlm.SpikeRaster.load("b/b.npz")[:, 1500:] == dlm.SpikeRaster.load("a/a.npz")
    assert cli.main(["import", "--help"]) == 0
    told = capsys.readouterr().out
    assert all(ending in told for ending in (".aedat", ".aedat4", ".dat", ".npy", ".bin", ".bs2"))


def test_a_large_recording_takes_no_more_memory_than_its_raster_and_its_places():
    """A million events: 8 MB of places and 12 of the raster, where arrays of all events would take 32 and more."""
    given = made.events(10**6, 240, 304, until=10**9)
    put("a.dat", made.dat(given))
    tracemalloc.start()
    raster, _ = event_file("a.dat").raster(1e-4)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(raster) > 0.99e6
    assert most < 45e6


def test_unsorted_pieces_are_one_raster(monkeypatch):
    """Against one sort of all places."""
    monkeypatch.setattr(binning, "PIECE", 50)
    rng = np.random.default_rng(5)
    given = made.events(1000, 6, 6, until=30_000)
    shuffled = CameraEvents(*given[:, rng.permutation(1000)])
    raster, moved = from_events([shuffled, shuffled], 1e-3, (2, 6, 6))
    places = placed(given, (2, 6, 6))
    assert set(zip(raster[1].step.tolist(), raster[1].neuron.tolist(), strict=True)) == places
    assert (len(raster), moved.merged) == (2 * len(places), 2000 - 2 * len(places))


def test_slices_that_follow_one_another_are_the_whole(pieces):
    """By the camera's clock; AEDAT from its first event too, where nothing tells the beginning."""
    given = made.events(600)
    given[0] += 7_000_000
    recording = event_file(put("a.aedat", made.aedat2(given)))
    all_of_it, _ = recording.raster(1e-3, start=7)
    first, _ = recording.raster(1e-3, begin=7, end=7.1)
    rest, _ = recording.raster(1e-3, begin=7.1)
    assert (first.n_steps, len(first) + len(rest)) == (100, len(all_of_it))
    assert dlm.SpikeRaster.concatenate([first, rest], "step") == all_of_it
    assert recording.notes == [
        f"{600 - len(part)} spikes lie outside the slice, and are left out" for part in (first, rest)
    ]
    to_the_end, _ = recording.raster(1e-3, end=7.1)
    zero = given[0, 0] * 1e-6
    assert to_the_end.n_steps == round((7.1 - zero) / 1e-3)
    assert to_the_end == recording.raster(1e-3, begin=zero, end=7.1)[0]
    assert recording.raster(1e-3, begin=8, end=9)[0].extent == (1, 1000, 2 * 128 * 128)
    with pytest.raises(DlmError, match=r"start = 7 and begin \(--from\) = 7 both set step 0; give one"):
        recording.raster(1e-3, start=7, begin=7)
    with pytest.raises(DlmError, match=r"end \(--to\) = 6 s is not after the beginning"):
        recording.raster(1e-3, begin=7, end=6)


def test_an_event_of_a_slice_has_its_number_in_the_file(pieces):
    given = made.events()
    given[1, 50] = 250
    with pytest.raises(DlmError, match=r"a.dat, event 50: row 250 lies outside 0..239"):
        event_file(put("a.dat", made.dat(given))).raster(1e-3, begin=given[0, 30] * 1e-6)
