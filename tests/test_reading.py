"""The door for files: whatever comes in, an object or one line, in bounded time and memory."""

from __future__ import annotations

import gzip
import io
import json
import os
import socket
import struct
import zipfile

import numpy as np
import pytest

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.exchange.format import Options
from dlm_snn.exchange.formats import read_path
from dlm_snn.files.kinds import check_kind
from dlm_snn.files.packed import DEFLATED, opened_zip, read_member, read_npz, unpacked
from dlm_snn.files.reading import opened, parse_json, read_bytes, read_json, read_text, regular_file, sealed, unsealed


def bind(path):
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(path))


@pytest.mark.parametrize(
    ("make", "kind"), [(os.mkfifo, "a pipe"), (os.mkdir, "a folder"), (bind, "a socket")], ids=lambda v: str(v)[:12]
)
def test_what_is_no_file_is_refused_before_anybody_waits(make, kind, tmp_path):
    place = tmp_path / "x"
    make(place)
    for read in (regular_file, read_bytes, read_text, read_json, read_npz, lambda p: unpacked(p, 9)):
        with pytest.raises(DlmError, match=rf"x is {kind}, where a file is wanted"):
            read(place)


def test_a_device_is_refused_and_what_is_not_there_is_missing(tmp_path):
    with pytest.raises(DlmError, match="is a device"):
        regular_file("/dev/zero")
    for path in (tmp_path / "x", tmp_path / "x" / "y"):
        with pytest.raises(MissingError, match="no file"):
            regular_file(path)
    (tmp_path / "f").write_text("")
    with pytest.raises(MissingError, match="told so"):
        regular_file(tmp_path / "f" / "g", "told so")
    for name in ("a\0b", "x" * 300):
        with pytest.raises(DlmError, match="cannot read"):
            regular_file(tmp_path / name)


@pytest.mark.parametrize("ending", ["net", "nir", "npz", "csv", "nwb", "aedat4", "bs2", "json"])
def test_a_pointer_of_git_lfs_is_named_whatever_it_stands_for(ending, tmp_path):
    path = tmp_path / f"a.{ending}"
    path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d' * 32}\nsize 12345\n")
    with pytest.raises(DlmError, match=rf"a\.{ending} is a pointer of Git LFS, .*; get it with 'git lfs pull'$"):
        read_path(path, Options(dt=1e-3))
    path.write_bytes(path.read_bytes()[:19])
    with pytest.raises(DlmError) as caught:
        read_path(path, Options(dt=1e-3))
    assert "LFS" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[" * 100_000, "deeper than 60"),
        ('{"a":' * 100_000, "deeper than 60"),
        ("[" * 61 + "]" * 61, "deeper than 60"),
        ('{"a": 1, "b": 2, "a": 3}', "key 'a' stands twice"),
        ("9" * 5000, "digits"),
        ('{"a": "\\ud800"}', "surrogates"),
        ("{", "not complete JSON"),
        ("", "not complete JSON"),
        (b"\xff", "not complete JSON"),
    ],
)
def test_json_that_is_refused_in_a_line(text, fault):
    with pytest.raises(DlmError, match=fault) as raised:
        parse_json(text, "x.json", "mend it")
    assert str(raised.value).startswith("x.json is not complete JSON (")
    assert str(raised.value).endswith("; mend it")
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300


def test_json_as_it_is():
    value = {"a": [1, 2.5, None, True, "é\U0001f600"], "b": {"c": []}}
    assert parse_json(json.dumps(value), "x", "") == value
    assert parse_json("[" * 60 + "]" * 60, "x", "")
    assert np.isnan(parse_json("NaN", "x", ""))
    with pytest.raises(DlmError, match="Infinity is no number of JSON"):
        parse_json("[-Infinity]".replace("-", ""), "x", "", nan=False)


def test_a_text_is_held_up_to_its_limit(tmp_path):
    (tmp_path / "x").write_bytes(b"12345")
    assert read_text(tmp_path / "x", limit=5) == "12345"
    with pytest.raises(DlmError, match="more than 4 bytes"):
        read_text(tmp_path / "x", limit=4)
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    with pytest.raises(DlmError, match="no text in UTF-8"):
        read_text(tmp_path / "x")
    with opened(tmp_path / "x") as file:
        assert file.read() == b"\xff\xfe"


KIND = {"n": int, "rate?": float, "who?": (str, None), "rows?": [{"x": float}], "of?": {"*": bool}}


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ([], r"f: it holds \[\], where an object is wanted"),
        ({}, "f: 'n' is missing"),
        ({"n": 1.5}, "f: 'n' is 1.5, where a whole number is wanted"),
        ({"n": True}, "'n' is true, where a whole number"),
        ({"n": 1, "rate": "2"}, "'rate' is \"2\", where a number is wanted"),
        ({"n": 1, "who": 3}, "'who' is 3, where a text or null is wanted"),
        ({"n": 1, "rows": {}}, "'rows' is {}, where a list is wanted"),
        ({"n": 1, "rows": [{"x": 1}, {"x": []}]}, r"'rows\[1\].x' is \[\], where a number"),
        ({"n": 1, "of": {"a": 0}}, "'of.a' is 0, where true or false"),
    ],
)
def test_a_value_of_another_kind_is_named(value, fault):
    with pytest.raises(DlmError, match=fault):
        check_kind(value, KIND, "f")


def test_values_of_their_kind_pass():
    check_kind({"n": 3, "rate": 1, "who": None, "rows": [{"x": 0.5, "more": []}], "of": {"a": True}}, KIND, "f")


def test_a_seal_sees_every_change_of_a_value():
    content = {"n": 3, "x": [0.1, "a"], "y": {"b": None}}
    held = json.loads(json.dumps(sealed(content)))
    assert unsealed(held, "f") == content
    assert unsealed(content, "f") == content
    for key, other in (("n", 4), ("n", 3.0), ("x", [0.1, "b"]), ("y", {}), ("crc32", "0"), ("crc32", None)):
        with pytest.raises(DlmError, match="f was changed since it was written"):
            unsealed({**held, key: other}, "f")


def packed(path, declared, content=b"", name="x.npy"):
    """A zip whose directory declares a size of its own."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    raw = path.read_bytes()
    at = raw.index(b"PK\x01\x02") + 24
    path.write_bytes(raw[:at] + struct.pack("<I", declared) + raw[at + 4 :])


def npy(text, data=b""):
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=">i2").reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array(3),
        np.zeros((0, 4), np.uint8),
        np.array(["a", "bc"]),
        np.arange(2**19),
    ],
    ids=lambda a: f"{a.dtype}{a.shape}",
)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back(array, save, tmp_path):
    save(tmp_path / "x.npz", a=array, b=np.ones(2))
    found = read_npz(tmp_path / "x.npz")
    assert list(found) == ["a", "b"]
    np.testing.assert_array_equal(found["a"], array)
    assert found["a"].dtype == array.dtype
    assert list(read_npz(tmp_path / "x.npz", names=["b"])) == ["b"]
    with pytest.raises(DlmError, match=r"x\.npz is damaged \(it has .*, but no array 'c'"):
        read_npz(tmp_path / "x.npz", names=["c"])


@pytest.mark.parametrize(
    "head",
    [
        "{'descr':1",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<U0', 'fortran_order': False, 'shape': (9999999999999,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': [1]}",
        "{'descr': '<f8', 'fortran_order': 0, 'shape': (1,)}",
        "(" * 5000,
        "x" * 20_000,
    ],
)
def test_a_damaged_head_of_an_array_takes_no_memory(head, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("a.npy", npy(head, bytes(8)))
    with pytest.raises(DlmError, match=r"x\.npz is damaged"):
        read_npz(tmp_path / "x.npz")


def test_what_unpacks_to_more_than_there_is_takes_no_memory(tmp_path):
    path = tmp_path / "x.npz"
    packed(path, 2**31, bytes(1000))
    with pytest.raises(DlmError, match="declares 2147483648 bytes in"):
        read_npz(path)
    np.savez_compressed(path, a=np.zeros(2**17))
    with pytest.raises(DlmError, match="at most 1000 are wanted"):
        read_npz(path, limit=1000)
    with opened_zip(path) as archive, pytest.raises(ValueError, match="at most 9 are wanted"):
        read_member(archive, "a.npy", limit=9)
    with gzip.open(tmp_path / "x.gz", "wb") as file:
        file.write(bytes(10 * DEFLATED))
    assert unpacked(tmp_path / "x.gz", 10 * DEFLATED) == bytes(10 * DEFLATED)
    with pytest.raises(DlmError, match="unpacks to more than the 9 bytes"):
        unpacked(tmp_path / "x.gz", 9)


@pytest.mark.parametrize("at", range(0, 400, 7))
def test_a_damaged_npz_is_one_line(at, tmp_path):
    held = io.BytesIO()
    np.savez_compressed(held, a=np.arange(50))
    raw = bytearray(held.getvalue())
    raw[at % len(raw)] ^= 255
    (tmp_path / "x.npz").write_bytes(raw)
    try:
        found = read_npz(tmp_path / "x.npz", names=["a"])
    except DlmError as error:
        lines = str(error).splitlines()
        assert len(lines) == 1, lines
        return
    np.testing.assert_array_equal(found["a"], np.arange(50))
