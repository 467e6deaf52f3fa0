"""Where the random numbers of integer plasticity come from: as stock Lava draws them, or one for each synapse.

Stock Lava draws one number for a whole matrix and epoch, from a generator whose seed is always 2, and one for all
traces of a side: equal synapses round alike, and no seed changes it. ``SynapseRounding`` draws by Philox, a function
of (seed, epoch, synapse), so that any piece of a run draws the same; CPU only.

Source: lava-nc 0.10.0, magma/core/learning/random.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.learning.on_chip.limits import FRACTION

Words = Callable[[NDArray[np.int64], int, int, int, tuple[int, int]], NDArray[np.uint32]]
"""Random words by Philox: see ``_plain.words``."""
WEIGHT_SEED = 2
"""That of Lava's ConnVarRandom, which no rng_seed reaches."""
_BYTES = 16
"""Random bytes that one counter gives."""


class Rounding(Protocol):
    """Random numbers of one plastic matrix."""

    def begin_step(self) -> None:
        """A time step has begun."""

    def begin_epoch(self) -> None:
        """The learning phase of an epoch has begun."""

    def trace(self, side: str, index: int, step: int, n: int) -> Any:
        """In [0, 1), one for all or (n,): for the decay of a trace in a step (1, 2, ...) of the epoch."""

    def synapse(self, variable: int, axis: int, lines: NDArray[np.int64], length: int) -> Any:
        """In 0..127, one for all or (line, length): for rows (axis 0) or columns (axis 1) of synapses."""


class LavaRounding:
    """Bit for bit what stock LearningDense draws.

    Args:
        seed: the rule's rng_seed, which reaches the traces only.
    """

    def __init__(self, seed: int) -> None:
        self._traces = {"x": np.random.default_rng(seed), "y": np.random.default_rng(seed + 2)}
        self._weights = np.random.default_rng(WEIGHT_SEED)
        self._latest = {side: generator.random() for side, generator in self._traces.items()}
        self._weight = self._weights.random()

    def begin_step(self) -> None:
        """Lava advances the traces' generators twice a step."""
        self._latest = {side: generator.random(2)[1] for side, generator in self._traces.items()}

    def begin_epoch(self) -> None:
        """One draw for all synapses and variables."""
        self._weight = self._weights.random()

    def trace(self, side: str, index: int, step: int, n: int) -> float:
        """The same for all traces of a side and all steps of the epoch."""
        return self._latest[side]

    def synapse(self, variable: int, axis: int, lines: NDArray[np.int64], length: int) -> int:
        """The same for all; a fraction of k / 128 is above the draw where k is above its whole number of 128ths."""
        return int(self._weight * 2**FRACTION)


class SynapseRounding:
    """One draw for each synapse and epoch, and for each trace and step.

    The counter is (block, line, epoch, kind), the key the seed's 64 bits. A synapse whose postsynaptic neuron spiked
    draws by its row, else by its column: whole lines are drawn at once.

    Args:
        seed: 0..2^64 - 1.
        words: makes them.
    """

    def __init__(self, seed: int, words: Words) -> None:
        if not 0 <= seed < 2**64:
            raise DlmError(f"seed = {seed} is not in 0..2^64-1")
        self._key = seed & 0xFFFFFFFF, seed >> 32
        self._epoch, self._make = 0, words

    def begin_step(self) -> None:
        """Nothing: draws depend on the epoch alone."""

    def begin_epoch(self) -> None:
        """The next epoch."""
        self._epoch += 1

    def trace(self, side: str, index: int, step: int, n: int) -> NDArray[np.float64]:
        """One for each neuron, of 32 bits."""
        drawn = self._words(16 + 2 * index + (side == "y"), np.array([step]), -(-n // 4))
        return drawn.reshape(-1)[:n] / 2.0**32

    def synapse(self, variable: int, axis: int, lines: NDArray[np.int64], length: int) -> NDArray[np.uint8]:
        """One for each synapse, of 7 bits."""
        drawn = self._words(2 * variable + axis, lines, -(-length // _BYTES))
        return np.right_shift(drawn.astype("<u4").view(np.uint8), 1, dtype=np.uint8)[:, :length]

    def normal(self, variable: int, axis: int, lines: NDArray[np.int64], length: int) -> NDArray[np.float64]:
        """Standard normal, one for each synapse, (line, length), by Box and Muller's transform."""
        drawn = (self._words(8 + 2 * variable + axis, lines, -(-length // 4)) + 0.5) / 2.0**32
        radius, angle = np.sqrt(-2 * np.log(drawn[:, 0::2])), 2 * np.pi * drawn[:, 1::2]
        return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)[:, :length]

    def _words(self, kind: int, lines: NDArray[np.int64], blocks: int) -> NDArray[np.uint32]:
        return self._make(lines, blocks, self._epoch, kind, self._key)
