"""Data: the published content or a refusal that names the file; every container and every place it may lie in."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.plugins import load
from dlm_snn.tasks import datasets, download
from dlm_snn.tasks.datasets import ARRAYS, Dataset, digits, mnist, stratified_split
from dlm_snn.tasks.idx import read_idx

Arrays = dict[str, NDArray[np.uint8]]
IDX = [file.name.removesuffix(".gz") for file in download.MNIST.files]


@pytest.fixture
def arrays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Arrays:
    """A small MNIST whose checksums stand for the published ones, and no data anywhere else."""
    rng = np.random.default_rng(1)
    made = {}
    for part, n in (("train", 6), ("test", 3)):
        made[f"x_{part}"] = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        made[f"y_{part}"] = rng.integers(0, 10, n, dtype=np.uint8)
    published = {name: hashlib.sha256(made[name].tobytes()).hexdigest() for name in ARRAYS}
    monkeypatch.setattr(datasets, "_MNIST_SHA256", published)
    monkeypatch.delenv("DLM_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return made


def idx(array: NDArray[np.uint8]) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes((0, 0, 8, array.ndim)) + sizes + array.tobytes()


def write(arrays: Arrays, folder: Path, form: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if form == "npz":
        np.savez_compressed(folder / "mnist.npz", **arrays)
        return
    for name, array in zip(IDX, (arrays[name] for name in ARRAYS), strict=True):
        if form == "gz":
            (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (folder / name).write_bytes(idx(array))


def test_digits() -> None:
    data = digits()
    assert (data.x_train.shape, data.x_train.dtype, data.x_train.max()) == ((1797, 64), np.uint8, 16)
    assert (data.x_test.shape, data.y_test.shape) == ((0, 64), (0,))
    assert (data.shape, data.scale, data.graded_bits, data.n_classes) == ((1, 8, 8), 16, 5, 10)
    assert data.checksum == "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
    assert np.bincount(data.y_train).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_other_digits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "_DIGITS_SHA256", {"x_train": "0" * 64})
    with pytest.raises(DlmError, match=r"scikit-learn .*x_train .*expected 000000000000"):
        digits()


@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_entry_points(name: str) -> None:
    assert load("dlm_snn.datasets", name) is getattr(datasets, name)


@pytest.mark.parametrize("form", ["npz", "gz", "raw"])
@pytest.mark.parametrize("inside", [".", "mnist"])
def test_every_container_gives_the_same(arrays: Arrays, tmp_path: Path, form: str, inside: str) -> None:
    write(arrays, tmp_path / inside, form)
    data = mnist(tmp_path)
    assert np.array_equal(data.x_train, arrays["x_train"].reshape(6, 784))
    assert np.array_equal(data.y_test, arrays["y_test"])
    assert (data.y_train.dtype, data.shape, data.scale) == (np.int64, (1, 28, 28), 255)
    assert data.checksum == hashlib.sha256(b"".join(arrays[name].tobytes() for name in ARRAYS)).hexdigest()
    with pytest.raises(ValueError, match="read-only"):
        data.x_train[0, 0] = 1


def test_order_of_places(arrays: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(arrays, tmp_path / "cache" / "dlm-snn" / "mnist", "gz")
    (tmp_path / "empty").mkdir()
    assert len(mnist().y_train) == 6
    monkeypatch.setenv("DLM_DATA", str(tmp_path / "empty"))
    assert len(mnist().y_train) == 6
    with pytest.raises(MissingError, match=r"no mnist in .*empty \(--data-dir\); wanted: mnist.npz or train-images"):
        mnist(tmp_path / "empty")
    (tmp_path / "empty" / "mnist.npz").write_bytes(b"nothing")
    with pytest.raises(DlmError, match=r"empty/mnist.npz is truncated"):
        mnist()


def test_nowhere(arrays: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLM_DATA", str(tmp_path / "named"))
    with pytest.raises(MissingError) as caught:
        mnist()
    said = str(caught.value)
    for words in ("named ($DLM_DATA)", "dlm-snn (the cache)", "dlm-snn fetch mnist", "--data-dir"):
        assert words in said


def test_three_of_four_files_are_not_the_set(arrays: Arrays, tmp_path: Path) -> None:
    write(arrays, tmp_path, "raw")
    (tmp_path / IDX[3]).unlink()
    with pytest.raises(MissingError, match="t10k-labels"):
        mnist(tmp_path)


@pytest.mark.parametrize("form", ["npz", "gz", "raw"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_truncated(arrays: Arrays, tmp_path: Path, form: str, share: float) -> None:
    write(arrays, tmp_path, form)
    name = {"npz": "mnist.npz", "gz": f"{IDX[2]}.gz", "raw": IDX[2]}[form]
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(DlmError, match=re.escape(name)):
        mnist(tmp_path)


@pytest.mark.parametrize("form", ["npz", "gz", "raw"])
def test_altered(arrays: Arrays, tmp_path: Path, form: str) -> None:
    expected = datasets._MNIST_SHA256["y_test"][:12]
    arrays["y_test"][1] += 1
    found = hashlib.sha256(arrays["y_test"].tobytes()).hexdigest()[:12]
    write(arrays, tmp_path, form)
    with pytest.raises(DlmError) as caught:
        mnist(tmp_path)
    name = {"npz": "mnist.npz", "gz": f"{IDX[3]}.gz", "raw": IDX[3]}[form]
    assert str(caught.value).startswith(str(tmp_path / name))
    for words in ("y_test (3,)", found, expected, "dlm-snn fetch mnist"):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"x_train": np.full((6, 28, 28), np.nan)}, "x_train holds float64, whole numbers are wanted"),
        ({"y_train": np.array(list("abcdef"))}, "y_train holds <U1"),
        ({"x_train": np.zeros((6, 28, 27), np.uint8)}, r"x_train \(6, 28, 27\) has SHA-256"),
    ],
)
def test_wrong_arrays(arrays: Arrays, tmp_path: Path, change: Arrays, said: str) -> None:
    np.savez(tmp_path / "mnist.npz", **(arrays | change))
    with pytest.raises(DlmError, match=said):
        mnist(tmp_path)


def test_missing_array(arrays: Arrays, tmp_path: Path) -> None:
    del arrays["y_test"]
    np.savez(tmp_path / "mnist.npz", **arrays)
    with pytest.raises(DlmError, match=r"y_test.*wanted: x_train, y_train, x_test, y_test"):
        mnist(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x00\x00", b"\x00\x00\x0d\x01\x00\x00\x00\x00", b"PK\x03\x04"])
def test_not_idx(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DlmError, match="no IDX file"):
        read_idx(tmp_path / "file")


def test_what_unpacks_to_more_is_refused_before_it_is_unpacked(arrays: Arrays, tmp_path: Path) -> None:
    whole = bytes((0, 0, 8, 3)) + b"".join(n.to_bytes(4, "big") for n in (2**20, 28, 28))
    with gzip.open(tmp_path / "x.gz", "wb", compresslevel=1) as file:
        file.write(whole + bytes(2**20))
    with pytest.raises(DlmError, match=r"x\.gz unpacks to more than the 1020 bytes"):
        read_idx(tmp_path / "x.gz", limit=1000)
    with pytest.raises(DlmError, match="truncated or altered: 1048592 bytes"):
        read_idx(tmp_path / "x.gz")
    np.savez_compressed(tmp_path / "mnist.npz", **{**arrays, "x_train": np.zeros(2**26)})
    with pytest.raises(DlmError, match=r"mnist\.npz unpacks to 53\d+ bytes, at most 4\d+ are wanted"):
        mnist(tmp_path)


@pytest.mark.parametrize("axes", [0, 5, 255])
def test_axes_that_no_images_have_are_refused(tmp_path: Path, axes: int) -> None:
    (tmp_path / "x").write_bytes(bytes((0, 0, 8, axes)) + bytes(4 * axes))
    with pytest.raises(DlmError, match=f"of {axes} axes, 1..4 are read"):
        read_idx(tmp_path / "x")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"x_train": np.zeros((2, 3))}, "float64 features"),
        ({"x_train": np.zeros((2, 4), np.uint8)}, "3 features a label"),
        ({"y_train": np.zeros(1, np.int64)}, "3 features a label"),
        ({"y_train": np.array([0, 2])}, r"labels 0\.\.2"),
        ({"y_train": np.array([0, -1])}, r"labels -1\.\.0"),
        ({"x_train": np.full((2, 3), 8, np.uint8)}, "features up to 8"),
    ],
)
def test_dataset_refuses(change: dict[str, NDArray], said: str) -> None:
    fields = {
        "x_train": np.zeros((2, 3), np.uint8),
        "y_train": np.zeros(2, np.int64),
        "x_test": np.zeros((0, 3), np.uint8),
        "y_test": np.zeros(0, np.int64),
        **change,
    }
    with pytest.raises(DlmError, match=said):
        Dataset("three", **fields, shape=(3,), graded_bits=3, scale=7, n_classes=2, checksum="")


@given(
    labels=st.lists(st.integers(-2, 5), min_size=1, max_size=80),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 9),
)
def test_stratified_split(labels: list[int], share: float, seed: int) -> None:
    pool = np.array(labels)
    train, test = stratified_split(pool, share, np.random.default_rng(seed))
    assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(pool.size))
    assert len(test) == round(share * pool.size)
    for one in np.unique(pool):
        assert abs(np.count_nonzero(pool[test] == one) - share * np.count_nonzero(pool == one)) < 1
    again = stratified_split(pool, share, np.random.default_rng(seed))
    assert np.array_equal(again[1], test)


def test_stratified_split_rounds_the_largest_remainder() -> None:
    pool = np.repeat([0, 1, 2], [5, 3, 3])
    _, test = stratified_split(pool, 0.5, np.random.default_rng(0))
    # 2.5, 1.5 and 1.5: six in all, so two of the three equal remainders are rounded up, the lower classes first
    assert np.bincount(pool[test]).tolist() == [3, 2, 1]


def test_stratified_split_depends_on_the_generator() -> None:
    pool = np.repeat(np.arange(4), 50)
    one, other = (stratified_split(pool, 0.5, np.random.default_rng(seed))[1] for seed in (0, 1))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, float("nan")])
def test_stratified_split_refuses_a_share(share: float) -> None:
    with pytest.raises(DlmError, match="between 0 and 1"):
        stratified_split(np.arange(4), share, np.random.default_rng(0))


def test_stratified_split_refuses_labels() -> None:
    with pytest.raises(DlmError, match="flat array of integers"):
        stratified_split(np.zeros((2, 2)), 0.5, np.random.default_rng(0))


@pytest.fixture
def published() -> Path:
    folder = Path(os.environ.get("DLM_DATA") or "")
    if not os.environ.get("DLM_DATA") or not download.MNIST.find(folder):
        pytest.skip("needs MNIST in the folder that $DLM_DATA names")
    return folder


def test_published_mnist(published: Path, tmp_path: Path) -> None:
    data = mnist(published)
    assert (data.x_train.shape, data.x_test.shape) == ((60000, 784), (10000, 784))
    assert np.bincount(data.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    images = idx(data.x_train.reshape(-1, 28, 28))
    assert hashlib.md5(images).hexdigest() == "6bbc9ace898e44ae57da46a324031adb"


def test_published_mnist_altered(published: Path, tmp_path: Path) -> None:
    source = download.MNIST.find(published)[0]
    if source.name != "mnist.npz":
        pytest.skip("needs mnist.npz in the folder that $DLM_DATA names")
    shutil.copy(source, tmp_path)
    with (tmp_path / "mnist.npz").open("r+b") as file:
        file.truncate(source.stat().st_size // 2)
    with pytest.raises(DlmError, match=r"mnist\.npz is truncated"):
        mnist(tmp_path)
