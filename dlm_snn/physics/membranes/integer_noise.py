"""Temperature on integer membranes, for use as a library: what noise of b bits makes of v, by the way of rounding.

    v <- round(v (4096 - dv) / 4096) + z + 1/2,     z uniform over -2^(b-1) .. 2^(b-1) - 1, beta = 1 - dv / 4096

Stochastic rounding adds 1/6 to the noise's variance in the mean: Var(v) = ((4^b - 1) / 12 + 1/6) / (1 - beta^2). By
itself it makes no temperature at all: v = 0 is absorbing. Truncation toward zero (Loihi, Lava) is a dry friction of
half a unit a step: with small noise Var(v) is far below (4^b - 1) / 12 / (1 - beta^2), by the share that
``calibration`` measures. States scaled by 2^6, as synaptic input is, make it small.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, nearest
from dlm_snn.neurons.integer_lif import DECAY_UNITY, decay
from dlm_snn.physics.membranes.noise import MOST_BITS

Rounding = Literal["truncate", "stochastic"]
ROUNDINGS = ("truncate", "stochastic")


def integer_variance(bits: int, dv: int, rounding: Rounding = "stochastic", scale: int = 1) -> float:
    """Var(v) in the closed form, before any calibration.

    Args:
        bits: b of the noise; 0: none.
        dv: share of v lost per step, of 4096.
        rounding: of the decay.
        scale: by which the noise is multiplied.
    """
    _check(rounding, dv, bits)
    keep = 1 - dv / DECAY_UNITY
    noise = scale**2 * (4**bits - 1) / 12
    return (noise + (1 / 6 if rounding == "stochastic" else 0.0)) / (1 - keep**2)


def simulate(
    bits: int, dv: int, rounding: Rounding, n_steps: int, n: int, rng: np.random.Generator, scale: int = 1
) -> NDArray[np.int64]:
    """v of n membranes over steps, (step, neuron), without threshold, from 0; the noise's mean of -1/2 left in.

    Args:
        bits, dv, rounding, scale: see ``integer_variance``.
        n_steps, n: extent.
        rng: draws noise and rounding.
    """
    _check(rounding, dv, bits)
    found = np.empty((n_steps, n), dtype=np.int64)
    v = np.zeros(n, dtype=np.int64)
    half = 2 ** (bits - 1) if bits else 0
    for t in range(n_steps):
        if rounding == "truncate":
            v = decay(v, dv)
        else:
            product = v * (DECAY_UNITY - dv)
            v = (product + rng.integers(0, DECAY_UNITY, n)) >> 12
        if bits:
            v = v + scale * rng.integers(-half, half, n)
        found[t] = v
    return found


def calibration(
    bits: int, dv: int, rng: np.random.Generator, rounding: Rounding = "truncate", scale: int = 1, n: int = 4000
) -> float:
    """Measured Var(v) over that of the closed form: multiply a temperature by it to know what it is on the chip.

    Args:
        bits, dv, rounding, scale: see ``integer_variance``.
        rng: draws the noise.
        n: membranes, run until they have settled.
    """
    settling = max(int(8 * DECAY_UNITY / dv), 50)
    v = simulate(bits, dv, rounding, 2 * settling, n, rng, scale)[settling:].astype(float)
    return float(v.var() / integer_variance(bits, dv, rounding, scale))


def _check(rounding: str, dv: int, bits: int) -> None:
    if not 0 <= bits <= MOST_BITS:
        raise DlmError(f"bits = {bits} is not in 0..{MOST_BITS}")
    if rounding not in ROUNDINGS:
        raise DlmError(f"rounding = '{rounding}'; {nearest(rounding, ROUNDINGS)}")
    if not 0 < dv < DECAY_UNITY:
        raise DlmError(f"dv = {dv} is not in 1..{DECAY_UNITY - 1}: without a leak the variance grows for ever")
