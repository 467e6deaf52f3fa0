"""IDX, the format of the original MNIST files: big-endian header, then unsigned bytes; raw or gzipped."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError

_UNSIGNED_BYTE = 0x08


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array of an IDX file of unsigned bytes.

    Args:
        path: the file; a name that ends in ``.gz`` is unpacked.

    Raises:
        DlmError: not such a file, or a truncated one.
    """
    content = _content(path)
    if len(content) < 4 or content[:3] != bytes((0, 0, _UNSIGNED_BYTE)):
        raise DlmError(f"{path} is no IDX file of unsigned bytes (it begins {content[:4].hex()}); fetch it again")
    start = 4 + 4 * content[3]
    shape = [int.from_bytes(content[place : place + 4], "big") for place in range(4, start, 4)]
    if len(content) != start + math.prod(shape):
        raise DlmError(
            f"{path} is truncated or altered: {len(content)} bytes, {start + math.prod(shape)} expected for "
            f"the shape {tuple(shape)}; fetch it again"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def _content(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DlmError(f"{path} is truncated or altered ({error}); fetch it again") from error
