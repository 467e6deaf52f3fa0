"""Noise as a stimulus: values that depend on (seed, population, sample, step, neuron) and on nothing else.

The generator is Philox4x32-10: a function of a counter, without state, so that any piece of a run, any backend and any
twin of a network draws the same values.

Source: Salmon, Moraes, Dror and Shaw, SC'11, "Parallel random numbers: as easy as 1, 2, 3".
"""

from __future__ import annotations

import math
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.connection import Sparse
from dlm_snn.errors import DlmError
from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import Input, IntegerNetwork, IntegerProjection, Network, Projection
from dlm_snn.neurons.integer_lif import ALIGNMENT, DECAY_UNITY

_ROUNDS = 10
_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)
_HALF = np.uint64(32)
MOST_BITS = 24
"""Of an integer value."""
BLOCK = 1 << 20
"""Values that are made at a time."""


def philox(counter: NDArray[np.uint32], key: tuple[int, int]) -> NDArray[np.uint32]:
    """Four random words of 32 bits for each counter of four words, (..., 4).

    Args:
        counter: (..., 4) uint32.
        key: two words.
    """
    c0, c1, c2, c3 = (counter[..., i].astype(np.uint64) for i in range(4))
    k0, k1 = np.uint32(key[0] & 0xFFFFFFFF), np.uint32(key[1] & 0xFFFFFFFF)
    low = np.uint64(0xFFFFFFFF)
    with np.errstate(over="ignore"):
        for _ in range(_ROUNDS):
            first, second = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
            c0, c1, c2, c3 = (second >> _HALF) ^ c1 ^ k0, second & low, (first >> _HALF) ^ c3 ^ k1, first & low
            k0, k1 = k0 + _WEYL[0], k1 + _WEYL[1]
    return np.stack([c0, c1, c2, c3], axis=-1).astype(np.uint32)


def words(seed: int, population: str, n_samples: int, n_steps: int, n: int, first_step: int = 0) -> Any:
    """Iterate over samples: (sample, (step, neuron, 4) words).

    The counter is (neuron, step, sample, CRC-32 of the population's name), the key the seed's 64 bits.
    """
    if not 0 <= seed < 2**64:
        raise DlmError(f"seed = {seed} is not in 0..2^64-1")
    name = zlib.crc32(population.encode())
    rows = max(BLOCK // max(n, 1), 1)
    for sample in range(n_samples):
        for start in range(0, n_steps, rows):
            steps = np.arange(start, min(start + rows, n_steps))
            counter = np.empty((len(steps), n, 4), dtype=np.uint32)
            counter[..., 0] = np.arange(n)
            counter[..., 1] = (first_step + steps)[:, None]
            counter[..., 2], counter[..., 3] = sample, name
            yield sample, steps, philox(counter, (seed & 0xFFFFFFFF, seed >> 32))


def normal(
    seed: int, population: str, n_samples: int, n_steps: int, n: int, first_step: int = 0
) -> NDArray[np.float64]:
    """Standard normal values (sample, step, neuron), by Box and Muller's transform.

    Args:
        seed: 64 bits.
        population: name of the Input that they are for.
        n_samples, n_steps, n: extent.
        first_step: absolute number of the first step.
    """
    values = np.empty((n_samples, n_steps, n))
    for sample, steps, drawn in words(seed, population, n_samples, n_steps, n, first_step):
        first, second = ((drawn[..., i] + 0.5) / 2.0**32 for i in (0, 1))
        values[sample, steps] = np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)
    return values


def uniform(
    seed: int, population: str, n_samples: int, n_steps: int, n: int, bits: int, first_step: int = 0
) -> NDArray[np.int64]:
    """Integers (sample, step, neuron), uniform over -2^(bits-1) .. 2^(bits-1) - 1.

    Their mean is -1/2, their variance (4^bits - 1) / 12.

    Args:
        seed, population, n_samples, n_steps, n, first_step: as in ``normal``.
        bits: 1 to 24.
    """
    if not 1 <= bits <= MOST_BITS:
        raise DlmError(f"bits = {bits} is not in 1..{MOST_BITS}")
    values = np.empty((n_samples, n_steps, n), dtype=np.int64)
    for sample, steps, drawn in words(seed, population, n_samples, n_steps, n, first_step):
        values[sample, steps] = (drawn[..., 2] >> np.uint32(32 - bits)).astype(np.int64) - 2 ** (bits - 1)
    return values


def with_noise(network: Network, population: str, temperature: float) -> tuple[Network, str]:
    """The network with a bath at a membrane: an aligned Input of standard normal values, joined one to one.

    Var(v) = T below threshold, capacitance 1: the weight is sqrt(T (1 - (1 - dv)^2)).

    Args:
        network: a float network.
        population: which.
        temperature: T >= 0.

    Returns:
        The network and the name of its new Input, to be fed ``normal(seed, name, ...)``.

    Raises:
        DlmError: no such population, or one with a bath; a current with memory (its noise would not be white), T < 0.
    """
    neuron = _neuron(network, population)
    if not (math.isfinite(temperature) and temperature >= 0):
        raise DlmError(f"temperature = {temperature}: give T >= 0")
    if np.any(np.asarray(neuron.du) != 1):
        raise DlmError(f"'{population}' has a current with memory (du < 1); white noise on v needs du = 1")
    keep = np.broadcast_to(1 - np.asarray(neuron.dv, float), (neuron.n,))
    weight = np.sqrt(temperature * (1 - keep**2))
    name = f"noise_{population}"
    source = Input((neuron.n,), graded_bits=8, aligned=True)
    projection = Projection(name, population, _one_to_one(weight))
    return Network({**network.populations, name: source}, (*network.projections, projection)), name


def with_integer_noise(
    network: IntegerNetwork, population: str, bits: int, weight: int = 1
) -> tuple[IntegerNetwork, str]:
    """The integer network with a chip's kind of noise: signed, uniform, its mean of -1/2 mended by the bias.

    Each step adds 64 * weight * (z + 1/2) to v. The temperature that this makes is that of ``integer_variance``, for
    truncation toward zero with its measured correction.

    Args:
        network: an integer network.
        population: which.
        bits: of the noise.
        weight: 1..255.

    Returns:
        The network and the name of its new Input, to be fed ``uniform(seed, name, ..., bits)``.

    Raises:
        DlmError: no such population, or one with a bath; a current with memory, or a bias that leaves no room.
    """
    neuron = _neuron(network, population)
    if np.any(np.asarray(neuron.du) != DECAY_UNITY - 1):
        raise DlmError(f"'{population}' has a current with memory (du < 4095); white noise on v needs du = 4095")
    grain = 2**neuron.bias_exp
    mended = np.asarray(neuron.bias) + 2 ** (ALIGNMENT - 1) * weight
    mantissa = mended // grain
    if np.any(mended % grain) or np.any(mantissa > 4095):
        raise DlmError(f"the bias of '{population}' cannot mend the noise's mean with bias_exp = {neuron.bias_exp}")
    name = f"noise_{population}"
    source = Input((neuron.n,), graded_bits=bits, aligned=True, signed=True)
    projection = IntegerProjection(name, population, _one_to_one(np.full(neuron.n, weight)), sign_mode="excitatory")
    populations = {**network.populations, population: replace(neuron, bias_mant=mantissa), name: source}
    return IntegerNetwork(populations, (*network.projections, projection)), name


def _one_to_one(weight: NDArray) -> Sparse:
    each = np.arange(len(weight))
    return Sparse((len(weight), len(weight)), each, each, weight)


def _neuron(network: Network | IntegerNetwork, population: str) -> Any:
    check_known(network, "a thermal bath")
    if population not in network.neurons:
        raise DlmError(f"no neuron population '{population}'; known: {', '.join(network.neurons)}")
    if f"noise_{population}" in network.populations:
        raise DlmError(f"'{population}' has a bath, 'noise_{population}'; give one of the sum of the temperatures")
    return network.neurons[population]


def antisymmetric_ring(n: int, strength: float) -> NDArray[np.float64]:
    """Weights of an information current around a ring: +a on i -> i + 1, -a on i + 1 -> i; (post, pre).

    As a recurrent Projection it carries spikes; the graded form A v is for closed forms only.
    """
    if n < 3:
        raise DlmError(f"a ring of {n} neurons has no sense of rotation; give at least 3")
    weight = np.zeros((n, n))
    each = np.arange(n)
    weight[(each + 1) % n, each] += strength
    weight[each, (each + 1) % n] -= strength
    return weight
