"""The files of CIFAR-10 that need decoding: JPEG images in a zip, and the Python batches."""

from __future__ import annotations

import hashlib
import io
import pickle
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.files.packed import opened_zip, read_member
from dlm_snn.files.reading import read_bytes

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""In the order of their labels, which is the alphabet's."""
JPEG_ARCHIVE = "cifar10-jpeg.zip"
JPEG_COUNTS = {"train": 5000, "test": 1000}
"""Images of a class."""
JPEG_LIMIT = 2**16
"""Bytes of an image."""
JPEG_SHA256 = "1fcf5d8190f68a53965f48c49424b8ee537bab1dbdf81ec51c63a828807ef370"
"""Over name and bytes of each image, in the order of the names: the same for a zip packed anew."""
PYTHON_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
"""As published; the batches are pickles and are opened only when they are exactly these."""

Part = tuple[NDArray[np.uint8], NDArray[np.int64]]


def read_jpegs(path: Path) -> tuple[Part, Part, str]:
    """Training part, test part and checksum of a zip with ``train/CLASS/NNNN.jpg`` and ``test/CLASS/NNNN.jpg``.

    Samples come class by class, in the order of their names; (channel, row, column) in C order.

    Raises:
        MissingError: Pillow is not installed.
        DlmError: a damaged or altered archive, a class with too few images.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingError(f"{path} holds JPEG images; reading them needs Pillow: pip install pillow") from error
    digest, parts = hashlib.sha256(), []
    with opened_zip(path, "put a whole copy in its place") as archive:
        for part, names in _members(path, archive).items():
            x = np.empty((len(names), 3, 32, 32), dtype=np.uint8)
            for i, name in enumerate(names):
                content = read_member(archive, name, JPEG_LIMIT)
                digest.update(name.encode() + b"\0" + content)
                # Pillow looks at the size before it decodes; an image of another one does not fit the array.
                image = Image.open(io.BytesIO(content), formats=("JPEG",))
                if image.size != (32, 32):
                    raise ValueError(f"{name} is an image of {image.size[0]}x{image.size[1]}, not 32x32")
                x[i] = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
            parts.append((x.reshape(len(names), -1), np.repeat(np.arange(10), JPEG_COUNTS[part])))
    if digest.hexdigest() != JPEG_SHA256:
        raise DlmError(
            f"{path} is altered: its images have SHA-256 {digest.hexdigest()[:12]}, expected {JPEG_SHA256[:12]}; "
            "put the original in its place"
        )
    return parts[0], parts[1], digest.hexdigest()


def _members(path: Path, archive: ZipFile) -> dict[str, list[str]]:
    """The names of the images of each part, sorted; the same number of each class."""
    names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
    found: dict[str, list[str]] = {}
    for part, count in JPEG_COUNTS.items():
        for name in CLASSES:
            of_class = [n for n in names if n.startswith(f"{part}/{name}/")]
            if len(of_class) != count:
                raise DlmError(f"{path}: {len(of_class)} images in {part}/{name}, expected {count}; take a whole copy")
            found.setdefault(part, []).extend(of_class)
    return found


def read_python(folder: Path) -> tuple[Part, Part]:
    """Training and test part of ``cifar-10-batches-py``.

    Raises:
        DlmError: a file that is not the published one.
    """
    batches = [_batch(folder / name, digest) for name, digest in PYTHON_MD5.items()]
    train = tuple(np.concatenate([batch[i] for batch in batches[:-1]]) for i in (0, 1))
    return (train[0], train[1]), batches[-1]


def _batch(path: Path, digest: str) -> Part:
    content = read_bytes(path)
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != digest:
        raise DlmError(f"{path} is truncated or altered: MD5 {found[:12]}, expected {digest[:12]}; fetch it anew")
    # A pickle may run code: this one's content is known.
    batch: dict[bytes, Any] = pickle.loads(content, encoding="bytes")
    return np.asarray(batch[b"data"], dtype=np.uint8), np.asarray(batch[b"labels"], dtype=np.int64)
