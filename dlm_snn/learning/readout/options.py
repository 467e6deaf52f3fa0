"""The options of the order-invariant read-out, and their defaults for images of a shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from dlm_snn.config import Config, validated
from dlm_snn.errors import DlmError, nearest


class ReadoutOptions(Config):
    """What may be chosen; chosen on held-out training data of one seed.

    Attributes:
        neurons: of the dictionary, at every position.
        patch: rows and columns of a patch.
        grid: cells along each side, over which spikes are summed.
        share: of the neurons of a position, how many may be active before it is closed.
        gain: levels per unit of the whitened patch.
        contrast: what every patch is divided by, in shares of the largest pixel; None: its own
            sqrt(variance + floor^2), on the host.
        floor: see contrast, and ``patch_dictionary``, which always divides by it; in shares of the largest pixel.
        eps: of the whitening.
        levels: steps of the ramp.
        root: 0: counts. Else floor(root sqrt(count)).
        shifts: each training sample is counted with the grid where it is, and moved by this many positions up, down,
            left and right; 0: once.
        strength: of the ridge, in mean feature variances.
        first: samples that the dictionary is learned from ("readout-first").
        wavelength, sigma, offset, grey: see GaborRange.
    """

    neurons: int = Field(default=200, ge=1)
    patch: int = Field(default=8, ge=2)
    grid: int = Field(default=6, ge=1)
    share: float = Field(default=0.1, gt=0, lt=1)
    gain: float = Field(default=5.0, gt=0)
    contrast: float | None = Field(default=0.35, gt=0)
    floor: float = Field(default=0.124, gt=0)
    eps: float = Field(default=1.0, gt=0)
    levels: int = Field(default=32, ge=1, le=1000)
    root: int = Field(default=0, ge=0, le=16)
    shifts: int = Field(default=0, ge=0, le=3)
    strength: float = Field(default=1e-3, gt=0)
    first: int = Field(default=2000, ge=1)
    wavelength: tuple[float, float] = (3.0, 12.0)
    sigma: tuple[float, float] = (1.0, 4.0)
    offset: float = Field(default=2.0, ge=0)
    grey: float = Field(default=1.0, ge=0, le=1)


SCANS: dict[str, Any] = {"share": 0.08}
SMALL: dict[str, Any] = {
    "neurons": 100, "patch": 4, "grid": 3, "first": 200,
    "wavelength": (3.0, 6.0), "sigma": (1.0, 2.0), "offset": 1.0,
}  # fmt: skip
COLOR: dict[str, Any] = {
    "neurons": 1600, "patch": 6, "grid": 3, "share": 0.12, "contrast": None, "floor": 0.0124, "eps": 0.5,
    "root": 4, "strength": 0.06, "wavelength": (3.0, 9.0), "sigma": (1.0, 3.0), "offset": 1.5, "grey": 0.6,
}  # fmt: skip


def defaults(shape: tuple[int, ...]) -> dict[str, Any]:
    """What differs from ReadoutOptions for color images, scans of at least 16 pixels, and smaller ones.

    Args:
        shape: (channel, row, column).
    """
    if shape[0] > 1:
        return COLOR
    if min(shape[1:]) < 16:
        return SMALL
    return SCANS


def checked_options(shape: tuple[int, ...], options: Mapping[str, Any]) -> ReadoutOptions:
    """The options over the defaults of the data.

    Raises:
        DlmError: an unknown option, or a value of wrong type or out of range.
    """
    unknown = sorted(set(options) - set(ReadoutOptions.model_fields))
    if unknown:
        raise DlmError(f"the read-out has no option '{unknown[0]}'; {nearest(unknown[0], ReadoutOptions.model_fields)}")
    return validated(ReadoutOptions, {**defaults(shape), **options}, "the read-out: ")
