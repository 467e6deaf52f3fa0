"""IDX, the format of the original MNIST files: big-endian header, then unsigned bytes; raw or gzipped."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.files.packed import unpacked
from dlm_snn.files.reading import read_bytes

_UNSIGNED_BYTE = 0x08
_AXES = 4
_HEAD = 4 + 4 * _AXES


def read_idx(path: Path, limit: int = 2**28) -> NDArray[np.uint8]:
    """The array of an IDX file of unsigned bytes.

    Args:
        path: the file; a name that ends in ``.gz`` is unpacked.
        limit: values that there may be.

    Raises:
        DlmError: not such a file, a truncated one, or one of more values.
    """
    content = unpacked(path, limit + _HEAD) if path.suffix == ".gz" else read_bytes(path, limit + _HEAD)
    if len(content) < 4 or content[:3] != bytes((0, 0, _UNSIGNED_BYTE)):
        raise DlmError(f"{path} is no IDX file of unsigned bytes (it begins {content[:4].hex()}); fetch it again")
    if not 1 <= content[3] <= _AXES:
        raise DlmError(f"{path} is an IDX file of {content[3]} axes, 1..{_AXES} are read; fetch it again")
    start = 4 + 4 * content[3]
    shape = [int.from_bytes(content[place : place + 4], "big") for place in range(4, start, 4)]
    if len(content) != start + math.prod(shape):
        raise DlmError(
            f"{path} is truncated or altered: {len(content)} bytes, {start + math.prod(shape)} expected for "
            f"the shape {tuple(shape)}; fetch it again"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
