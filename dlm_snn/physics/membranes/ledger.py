"""The membranes' energy: what comes in, leaks out and is thrown away at resets, step by step, read off a Recording.

Per neuron and step, with v from rest, beta = 1 - dv, x all that arrives (u + bias), capacitance 1:

    vd = beta v                leak  = (v^2 - vd^2) / 2        the integral of g v^2 over the step, exactly
    subtract: vr = vd - th s   reset = (vd^2 - vr^2) / 2       (s of the step before), else vr = vd
    v' = vr + x                work  = x (vr + x / 2), by source x = sum x_k: work_k = x_k (vr + x / 2)
    zero, refractory           reset = v'^2 / 2                where v is set to 0
    first law                  dE = work - leak - reset - clip

Integers keep 2E = v^2 in 64 bits, where it closes exactly: decays truncate, u may wrap (a source of its own), v may be
clipped. Sources: reference/physics.md, section 2 (design); Lava's PyLifModelBitAcc for the integers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.neurons.integer_lif import ALIGNMENT, STATE_LIMIT, decay, int32
from dlm_snn.neurons.models import is_integer
from dlm_snn.runs.recording import Recording, fed_into, kind_of, spikes_of

BIAS = "bias"
ROUNDING = "rounding and wrap"
"""Of an integer u: what truncated decays of its parts and its wrap add to the sum of the parts."""


@dataclass(frozen=True, eq=False)
class MembraneLedger:
    """Terms of the first law of one population, (sample, step, neuron); integers: twice the energies, int64.

    Attributes:
        before, after: energy at both ends of a step.
        leak, reset, clip: energy lost by the leak, by resets and by saturation.
        work: energy brought in (or taken out, where negative) by each source.
        residual: after - before - (work - leak - reset - clip): rounding in floats, 0 in integers.
    """

    before: NDArray
    after: NDArray
    leak: NDArray
    reset: NDArray
    clip: NDArray
    work: Mapping[str, NDArray]

    @property
    def injected(self) -> NDArray:
        """Work of all sources."""
        return np.sum(list(self.work.values()), axis=0)

    @property
    def residual(self) -> NDArray:
        """What fails to close."""
        return self.after - self.before - (self.injected - self.leak - self.reset - self.clip)

    @property
    def gross(self) -> NDArray:
        """Energy that was turned over: |work| of all sources + before + after; the measure of rounding."""
        return np.sum(np.abs(list(self.work.values())), axis=0) + self.before + self.after

    def totals(self) -> dict[str, float | int]:
        """Sums over samples, steps and neurons, exact: in Python's integers, or correctly rounded floats.

        Keys: "leak", "reset", "clip", "stored" (after the last step less before the first), "injected", the sources
        by name, and "residual".
        """
        sources = {name: _sum(values) for name, values in self.work.items()}
        lost = {name: _sum(getattr(self, name)) for name in ("leak", "reset", "clip")}
        stored = _sum(self.after[:, -1]) - _sum(self.before[:, 0]) if self.after.shape[1] else 0
        injected: Any = sum(sources.values())
        residual: Any = stored - (injected - sum(lost.values()))
        return {**lost, "stored": stored, "injected": injected, **sources, "residual": residual}


def _sum(values: NDArray) -> Any:
    if values.dtype.kind == "i":
        # In two halves: the sum of squares of 24 bits passes 64 bits after some millions of neuron-steps.
        high, low = values >> 32, values & 0xFFFFFFFF
        return (int(np.sum(high)) << 32) + int(np.sum(low))
    return math.fsum(values.ravel())


def membrane_ledger(recording: Recording, stimulus: Mapping[str, Any], population: str) -> MembraneLedger:
    """The ledger of a population over a run from rest that recorded its s, u and v and the spikes of its sources.

    Args:
        recording: of ``dlm_snn.run`` with record=("s", "u", "v").
        stimulus: what the run was given.
        population: its name.

    Raises:
        DlmError: something that is needed was not recorded, or the run did not begin at rest.
    """
    network = recording.network
    check_known(network, "the membrane ledger")
    if population not in network.neurons:
        raise DlmError(f"no neuron population '{population}' in the network; known: {', '.join(network.neurons)}")
    if population not in recording.v or population not in recording.u or population not in recording.rasters:
        raise DlmError(f"u, v and s of '{population}' were not recorded; run with record=('s', 'u', 'v')")
    if recording.state is not None and recording.state.step != recording.n_steps:
        raise DlmError("the run began in the middle of a window; a ledger needs a run from rest")
    neuron = network.neurons[population]
    u, v = recording.u[population], recording.v[population]
    s = recording.rasters[population].dense()
    sources = inputs(recording, stimulus, population)
    book = _integer_book if is_integer(neuron) else _float_book
    return book(neuron, u, v, s, sources)


def inputs(recording: Recording, stimulus: Mapping[str, Any], population: str) -> dict[str, NDArray]:
    """What each projection adds to u in every step, decayed from its earlier sums, (sample, step, neuron).

    In integers already shifted by the 6 bits of alignment; "bias" is added to v.

    Raises:
        DlmError: spikes of a presynaptic population were not recorded.
    """
    network = recording.network
    neuron: Any = network.neurons[population]
    fed = fed_into(recording, stimulus)
    integer = isinstance(network, IntegerNetwork)
    found: dict[str, NDArray] = {}
    for projection in network.into(population):
        drive = _drive(network, projection, recording, fed)
        if integer:
            drive = drive << ALIGNMENT
        name = projection.name if projection.name not in found else f"{projection.name}#{len(found)}"
        found[name] = _filtered(drive, neuron, integer)
    if np.any(neuron.bias != 0):
        shape = (recording.n_samples, recording.n_steps, neuron.n)
        found[BIAS] = np.broadcast_to(np.asarray(neuron.bias, dtype=np.int64 if integer else np.float64), shape)
    return found


def _drive(network: Network | IntegerNetwork, projection: Any, recording: Recording, fed: Mapping[str, Any]) -> NDArray:
    """The sums of one projection, (sample, step, post)."""
    dtype: Any = kind_of(network)
    if projection.pre in fed:
        sent = fed[projection.pre].whole().astype(dtype)
    else:
        sent = spikes_of(recording, projection.pre).dense().astype(dtype)
    n_samples, n_steps, _ = sent.shape
    total = np.zeros((n_samples, n_steps, projection.connection.n_post), dtype=dtype)
    for delay, connection in projection.parts:
        lag = network.lag(projection, delay)
        early = sent[:, : max(n_steps - lag, 0)]
        sums = projection.sums(connection, early.reshape(-1, early.shape[-1]))
        total[:, lag:] += sums.reshape(*early.shape[:2], -1)
    return total


def _filtered(drive: NDArray, neuron: Any, integer: bool) -> NDArray:
    """u of one source alone: its sums and what is left of the earlier ones."""
    u = np.zeros_like(drive)
    left: NDArray = np.zeros_like(drive[:, :1].sum(1))
    for t in range(drive.shape[1]):
        if neuron.period and t % neuron.period == 0:
            left = np.zeros_like(drive[:, 0])
        kept = decay(left, neuron.du + 1) if integer else (1 - neuron.du) * left
        left = u[:, t] = kept + drive[:, t]
    return u


def _earlier(x: NDArray, period: int | None) -> tuple[NDArray, NDArray]:
    """Values at the end of the step before, and the same after a periodic reset."""
    before = np.concatenate([np.zeros_like(x[:, :1]), x[:, :-1]], axis=1)
    begun = before.copy()
    if period:
        begun[:, ::period] = 0
    return before, begun


def _float_book(neuron: Any, u: NDArray, v: NDArray, s: NDArray, sources: Mapping[str, NDArray]) -> MembraneLedger:
    before, begun = _earlier(v, neuron.period)
    fired, _ = _earlier(s, None)
    decayed = (1 - neuron.dv) * begun
    subtracted = decayed - neuron.v_threshold * _begun(fired, neuron.period) if neuron.reset == "subtract" else decayed
    arrived = u + neuron.bias
    lifted = subtracted + arrived
    gone = s if neuron.reset == "zero" else np.zeros_like(s)
    if neuron.refractory:
        gone = gone | _held(s, neuron.refractory, neuron.period)
    reset = (before**2 - begun**2) / 2 + (decayed - subtracted) * (decayed + subtracted) / 2
    reset = reset + np.where(gone, lifted**2 / 2, 0)
    leak = (begun - decayed) * (begun + decayed) / 2
    work = {name: x * (subtracted + arrived / 2) for name, x in _summing_to(u, sources).items()}
    return MembraneLedger(before**2 / 2, v**2 / 2, leak, reset, np.zeros_like(v), work)


def _summing_to(u: NDArray, sources: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """The sources with the last current taken as what the others leave of u: a simulator adds up in its own order."""
    currents = [name for name in sources if name != BIAS]
    shares = dict(sources)
    if currents:
        shares[currents[-1]] = u - np.sum([sources[name] for name in currents[:-1]], axis=0)
    return shares


def _begun(s: NDArray, period: int | None) -> NDArray:
    if not period:
        return s
    kept = s.copy()
    kept[:, ::period] = False
    return kept


def _held(s: NDArray, refractory: int, period: int | None) -> NDArray:
    """Whether a neuron is held at 0: a spike in one of the last ``refractory`` steps, forgotten at a periodic reset."""
    held = np.zeros_like(s)
    left = np.zeros_like(s[:, :1].sum(1))
    for t in range(s.shape[1]):
        if period and t % period == 0:
            left = np.zeros_like(left)
        held[:, t] = left > 0
        left = np.where(s[:, t], refractory, np.maximum(left - 1, 0))
    return held


def _integer_book(neuron: Any, u: NDArray, v: NDArray, s: NDArray, sources: Mapping[str, NDArray]) -> MembraneLedger:
    before, begun = _earlier(v, neuron.period)
    decayed = decay(begun, neuron.dv)
    bias = np.asarray(neuron.bias, dtype=np.int64)
    arrived = u + bias
    lifted = decayed + arrived
    clipped = np.clip(int32(lifted), 1 - STATE_LIMIT, STATE_LIMIT - 1)
    currents = [x for name, x in sources.items() if name != BIAS]
    rounding = u - np.sum(currents, axis=0) if currents else u.copy()
    named = {**sources, **({ROUNDING: rounding} if np.any(rounding) else {})}
    work = {name: x * (2 * decayed + arrived) for name, x in named.items()}
    if not work:
        work = {BIAS: np.zeros_like(v)}
    reset = before**2 - begun**2 + np.where(s, clipped**2, 0)
    return MembraneLedger(before**2, v**2, begun**2 - decayed**2, reset, lifted**2 - clipped**2, work)
