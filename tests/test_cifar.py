"""CIFAR: every published form on small generated files, and refusals that name the file."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.plugins import load
from dlm_snn.tasks import cifar, cifar_files
from dlm_snn.tasks.cifar import cifar10, cifar100

COUNTS = {"train": 2, "test": 1}
FOLDER = Path(os.environ.get("DLM_DATA") or "")


@pytest.fixture(autouse=True)
def nowhere_else(monkeypatch, tmp_path):
    monkeypatch.delenv("DLM_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def jpeg(value: int, size: int = 32) -> bytes:
    file = io.BytesIO()
    image = np.zeros((size, size, 3), dtype=np.uint8)
    image[..., 0], image[:16, :, 2] = value, 200
    Image.fromarray(image).save(file, format="JPEG", quality=95)
    return file.getvalue()


def images() -> dict[str, bytes]:
    """Name -> bytes; the red level tells class and number."""
    return {
        f"{part}/{name}/{i:04}.jpg": jpeg(20 * c + 5 * i)
        for part, count in COUNTS.items()
        for c, name in enumerate(cifar_files.CLASSES)
        for i in range(count)
    }


def pack(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "cifar10-jpeg.zip"
    with ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def archive(monkeypatch, tmp_path) -> Path:
    files = images()
    digest = hashlib.sha256(b"".join(name.encode() + b"\0" + content for name, content in files.items()))
    monkeypatch.setattr(cifar_files, "JPEG_COUNTS", COUNTS)
    monkeypatch.setattr(cifar_files, "JPEG_SHA256", digest.hexdigest())
    return pack(tmp_path, dict(sorted(files.items(), reverse=True)))


def test_jpeg_archive(archive):
    data = cifar10(archive.parent)
    assert (data.name, data.shape, data.n_classes, data.scale) == ("cifar10-jpeg", (3, 32, 32), 10, 255)
    assert data.checksum == cifar_files.JPEG_SHA256
    assert data.y_train.tolist() == np.repeat(np.arange(10), 2).tolist()
    assert data.y_test.tolist() == list(range(10))
    red = data.x_train.reshape(-1, 3, 32, 32)[:, 0].mean(axis=(1, 2))
    assert np.abs(red - [20 * c + 5 * i for c in range(10) for i in range(2)]).max() < 4
    blue = data.x_train.reshape(-1, 3, 32, 32)[:, 2]
    assert blue[:, :15].mean() > 180
    assert blue[:, 17:].mean() < 20


def test_damaged_archives_are_refused(archive):
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DlmError, match=r"cifar10-jpeg\.zip is damaged .*; put a whole copy"):
        cifar10(archive.parent)
    archive.write_bytes(whole.replace(b"\xff\xd8", b"\x00\x00", 1))
    with pytest.raises(DlmError, match=r"cifar10-jpeg\.zip is damaged"):
        cifar10(archive.parent)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train/cat/0001.jpg", None, r"1 images in train/cat, expected 2; take a whole copy"),
        ("test/dog/0000.jpg", jpeg(7), r"is altered: .* SHA-256"),
        ("test/dog/0000.jpg", jpeg(7, 24), r"is damaged .*24"),
        ("test/dog/0000.jpg", b"no image", r"is damaged .*; put a whole copy"),
    ],
)
def test_altered_archives_are_refused(archive, name, content, message):
    files = images()
    files.pop(name)
    pack(archive.parent, files if content is None else {**files, name: content})
    with pytest.raises(DlmError, match=r"cifar10-jpeg\.zip.*" + message):
        cifar10(archive.parent)


def binary(rng: np.random.Generator, records: int, labels: list[np.ndarray]) -> np.ndarray:
    pixels = rng.integers(0, 256, (records, 3072))
    return np.concatenate([*(label[:, None] for label in labels), pixels], axis=1).astype(np.uint8)


@pytest.fixture
def fine(monkeypatch, tmp_path) -> tuple[Path, np.ndarray]:
    """A CIFAR-100 of 200 and 100 samples; the coarse label differs from the fine one."""
    monkeypatch.setattr(cifar, "CIFAR100", replace(cifar.CIFAR100, records=(200, 100)))
    rng = np.random.default_rng(0)
    folder = tmp_path / "cifar-100-binary"
    folder.mkdir()
    label = rng.permutation(np.arange(200) % 100)
    train = binary(rng, 200, [label // 5, label])
    train.tofile(folder / "train.bin")
    binary(rng, 100, [np.arange(100) // 5, np.arange(100)]).tofile(folder / "test.bin")
    return tmp_path, train


def test_cifar100(fine):
    folder, train = fine
    data = cifar100(folder)
    assert (data.name, data.n_classes, data.shape) == ("cifar100", 100, (3, 32, 32))
    assert np.array_equal(data.x_train, train[:, 2:])
    assert np.array_equal(data.y_train, train[:, 1])
    assert data.y_test.tolist() == list(range(100))
    assert cifar100(folder / "cifar-100-binary").checksum == data.checksum


def test_damaged_cifar100(fine):
    path = fine[0] / "cifar-100-binary" / "train.bin"
    content = path.read_bytes()
    path.write_bytes(content[:-7])
    with pytest.raises(DlmError, match=r"train\.bin has 614793 bytes, expected 614800; it is truncated"):
        cifar100(fine[0])
    altered = np.frombuffer(content, dtype=np.uint8).reshape(200, 3074).copy()
    for label in (altered[5, 1] + 1) % 100, 100:
        altered[5, 1] = label
        altered.tofile(path)
        with pytest.raises(DlmError, match=r"train\.bin: 1 to 3 samples|train\.bin: .* in 101 classes"):
            cifar100(fine[0])


def test_published_cifar10_is_preferred(archive, monkeypatch):
    monkeypatch.setattr(cifar, "CIFAR10", replace(cifar.CIFAR10, records=(10, 10)))
    rng = np.random.default_rng(1)
    folder = archive.parent / "cifar-10-batches-bin"
    folder.mkdir()
    for name in cifar.CIFAR10.train + cifar.CIFAR10.test:
        binary(rng, 10, [rng.permutation(10)]).tofile(folder / name)
    data = cifar10(archive.parent)
    assert (data.name, data.x_train.shape, data.x_test.shape) == ("cifar10", (50, 3072), (10, 3072))


def test_python_batches(monkeypatch, tmp_path):
    rng = np.random.default_rng(2)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    published = {}
    for name in cifar_files.PYTHON_MD5:
        batch = {b"data": rng.integers(0, 256, (10, 3072), dtype=np.uint8), b"labels": list(range(10))}
        content = pickle.dumps(batch)
        (folder / name).write_bytes(content)
        published[name] = hashlib.md5(content).hexdigest()
    with pytest.raises(DlmError, match=r"data_batch_1 is truncated or altered: MD5 .* expected c99cafc15224"):
        cifar10(tmp_path)
    monkeypatch.setattr(cifar_files, "PYTHON_MD5", published)
    data = cifar10(tmp_path)
    assert (data.name, data.x_train.shape, data.y_test.tolist()) == ("cifar10", (50, 3072), list(range(10)))
    assert np.array_equal(data.x_test, batch[b"data"])


@pytest.mark.parametrize(("make", "wanted"), [(cifar10, "cifar10-jpeg.zip"), (cifar100, "train.bin")])
def test_missing_sets_say_where_they_were_looked_for(make, wanted, tmp_path):
    with pytest.raises(MissingError, match=rf"no {make.__name__} in .*--data-dir.*{wanted}.*; name the folder"):
        make(tmp_path)


def test_entry_points():
    assert load("dlm_snn.datasets", "cifar10") is cifar10
    assert load("dlm_snn.datasets", "cifar100") is cifar100


@pytest.mark.long
@pytest.mark.skipif(not (FOLDER / "cifar10-jpeg.zip").is_file(), reason="needs cifar10-jpeg.zip in $DLM_DATA")
def test_the_archive_in_the_data_folder():
    data = cifar10(FOLDER)
    assert (data.x_train.shape, data.x_test.shape) == ((50000, 3072), (10000, 3072))
    assert np.bincount(data.y_train).tolist() == [5000] * 10
