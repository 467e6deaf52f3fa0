"""The competition of patch neurons for many images at once, in torch; the same whole numbers as ``_patch_loops``."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray


def count_spikes(
    patches: NDArray[np.float32],
    matrix: NDArray[np.float32],
    slope: NDArray[np.float64],
    cell: NDArray[np.int64],
    limits: tuple[int, int, int],
    device: str,
) -> NDArray[np.int32]:
    """Spikes summed over cells, (image, shift, cell, neuron).

    Args:
        patches: (image, position, pixel) whole numbers.
        matrix: (pixel, neuron) whole numbers.
        slope: (image, position).
        cell: (shift, position), 0..n_cells-1, each of them somewhere.
        limits: winners, levels and the steps by which the closing comes late.
        device: torch's name.
    """
    winners, levels, late = limits
    # Products of whole numbers are exact in float32 here; torch's shorter formats are off unless someone asks for them.
    drive = torch.from_numpy(patches).to(device) @ torch.from_numpy(matrix).to(device)
    per_level = torch.from_numpy(1.0 / slope).to(device)[:, :, None]
    level = ((drive.double() - 0.5) * per_level).clamp_(0, levels).to(torch.int16)
    last = (_closing(level, winners, levels) - late).clamp_(min=0)
    counts = (level - last[:, :, None]).clamp_(min=0).float()
    places = torch.from_numpy(np.stack([row == c for row in cell for c in range(cell.max() + 1)]))
    summed = places.to(device, torch.float32) @ counts
    shape = len(patches), len(cell), cell.max() + 1, matrix.shape[1]
    return summed.int().cpu().numpy().reshape(shape)


def _closing(level: torch.Tensor, winners: int, levels: int) -> torch.Tensor:
    """The largest level that more than ``winners`` neurons of a position have, or 0, (image, position)."""
    low = torch.zeros(level.shape[:2], dtype=level.dtype, device=level.device)
    high = torch.full_like(low, levels)
    for _ in range(levels.bit_length()):
        middle = (low + high + 1) // 2
        enough = (level >= middle[:, :, None]).sum(dim=2) > winners
        low, high = torch.where(enough, middle, low), torch.where(enough, high, middle - 1)
    return low
