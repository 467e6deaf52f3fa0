"""Integer weights of one sign or of both: which of them a fixed-point target has."""

from __future__ import annotations

from typing import Literal

from dlm_snn.errors import DlmError, nearest

SignMode = Literal["mixed", "excitatory", "inhibitory"]


def weight_grid(sign_mode: SignMode, num_weight_bits: int) -> tuple[int, int, int]:
    """Smallest weight, largest weight and grain of a sign mode and a number of bits.

    grain = 2^(9 - bits) if mixed, 2^(8 - bits) if of one sign; the largest magnitudes are multiples of it.

    Source: lava-nc 0.10.0, lava/utils/weightutils.py, clip_weights and truncate_weights.
    """
    if sign_mode == "mixed":
        grain = 2 ** (9 - num_weight_bits)
        return -256, 256 - grain, grain
    grain = 2 ** (8 - num_weight_bits)
    if sign_mode == "excitatory":
        return 0, 256 - grain, grain
    if sign_mode == "inhibitory":
        return grain - 256, 0, grain
    raise DlmError(f"sign_mode = {sign_mode!r}; " + nearest(str(sign_mode), ("mixed", "excitatory", "inhibitory")))
