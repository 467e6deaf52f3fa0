"""How many words of a Loihi 2 core synapses take: the rules under which the compiler's public print-outs come out.

b = bits of the weights, their sign included, after common factors of 2 are taken out. Source of every constant here:
derived from utilization tables in public notebooks of lava-dl (netx: mnist, oxford, pilotnet); see docs/hardware.md.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

WORD_BITS = 64
INDEX_BITS = 12
"""Of the postsynaptic neuron, beside each weight of a list."""
HEADER_BITS = 10
"""Of a row; every number from 2 to 16 gives the same words."""
DELAY_BITS = 6
"""Beside each weight where delays differ; not held against a print-out."""


def weight_bits(weight: NDArray) -> int:
    """Bits that hold integer weights: b above, at least 1; 7 are stored as 8.

    Weights of one sign need none for it, since the sign is then a row's own (not held against a print-out).
    """
    largest, least = int(weight.max(initial=0)), int(weight.min(initial=0))
    common = int(np.bitwise_or.reduce(weight.astype(np.int64), axis=None)) if weight.size else 0
    shift = (common & -common).bit_length() - 1 if common else 0
    largest, least = largest >> shift, least >> shift
    if largest > 0 and least < 0:
        bits = 1 + max(largest.bit_length(), (-least - 1).bit_length())
    else:
        bits = max(1, largest.bit_length(), (-least).bit_length())
    return 8 if bits == 7 else bits


def list_words(n_synapses: int, bits: int) -> int:
    """Words of a row: the synapses that one presynaptic neuron has on a core, each with an index.

    words = ceil((n (bits + 12) + 10) / 64)
    """
    return -(-(n_synapses * (bits + INDEX_BITS) + HEADER_BITS) // WORD_BITS)


def kernel_words(channels: int, bits: int) -> int:
    """Words of a row of a convolution: one place of a kernel, for so many output channels, without an index.

    The channels lie in blocks of powers of two, each of ceil((2^i bits + 10) / 64) words.
    """
    blocks = [1 << i for i in range(channels.bit_length()) if channels >> i & 1]
    return sum(-(-(block * bits + HEADER_BITS) // WORD_BITS) for block in blocks)


@njit(cache=True)
def count_rows(pre: NDArray[np.int32], scratch: NDArray[np.int32], cost: int) -> tuple[int, int]:
    """Words and number of the rows that synapses with these presynaptic neurons make.

    Args:
        pre: of each synapse on the core.
        scratch: zeros, one for each presynaptic neuron; they are zeros again afterwards.
        cost: bits of a synapse, its index included.
    """
    words, rows = 0, 0
    for neuron in pre:
        scratch[neuron] += 1
    for neuron in pre:
        if scratch[neuron]:
            words += (scratch[neuron] * cost + HEADER_BITS + WORD_BITS - 1) // WORD_BITS
            rows += 1
            scratch[neuron] = 0
    return words, rows
