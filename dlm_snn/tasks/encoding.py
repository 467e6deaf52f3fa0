"""Images as spikes, for use as a library."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import as_array, is_whole, slices

BLOCK = 500
"""Images encoded together."""


def pixels_to_spikes(pixels: NDArray[np.integer], n_steps: int, scale: int = 255, dt: float = 1e-3) -> SpikeRaster:
    """Spikes at a rate that grows with the pixel: an integrator without leak.

    v = v + pixel / scale;  s = v > 1, then v = 0. Computed in integers, so that every machine agrees.

    Args:
        pixels: (sample, neuron) integers 0..scale; other axes are flattened.
        n_steps: how long each image is shown.
        scale: the integer that stands for 1.
        dt: seconds a step.

    Returns:
        The raster, (sample, step, neuron).

    Raises:
        DlmError: values that are no integers in 0..scale; n_steps or scale below 1.

    Source: the input process of lava-nc's MNIST tutorial (end_to_end/tutorial01_mnist_digit_classification).
    """
    pixels = as_array(pixels, "pixels")
    for name, value in (("n_steps", n_steps), ("scale", scale)):
        if not is_whole(value) or value < 1:
            raise DlmError(f"{name} = {value!r} is not a positive integer")
    if pixels.ndim < 2 or pixels.dtype.kind not in "iu" or pixels.min(initial=0) < 0 or pixels.max(initial=0) > scale:
        raise DlmError(
            f"pixels of type {pixels.dtype} and shape {pixels.shape} are not (sample, ...) integers 0..{scale}"
        )
    flat = pixels.reshape(len(pixels), int(np.prod(pixels.shape[1:]))).astype(np.int32)
    blocks = [_encoded(flat[part], n_steps, scale) for part in slices(len(flat), BLOCK) or [slice(0, 0)]]
    sample, step, neuron = (np.concatenate(part) for part in zip(*blocks, strict=True))
    sample = sample + np.repeat(np.arange(len(blocks), dtype=np.uint32) * BLOCK, [len(block[0]) for block in blocks])
    return SpikeRaster(sample, step, neuron, len(flat), n_steps, flat.shape[1], dt)


def _encoded(pixels: NDArray[np.int32], n_steps: int, scale: int) -> tuple[NDArray[np.uint32], ...]:
    """sample, step and neuron of the events of some images, in order."""
    v = np.zeros_like(pixels)
    spikes = np.zeros((len(pixels), n_steps, pixels.shape[1]), dtype=bool)
    for step in range(n_steps):
        v += pixels
        spikes[:, step] = v > scale
        v[spikes[:, step]] = 0
    return tuple(places.astype(np.uint32) for places in np.nonzero(spikes))
