"""Lyapunov exponents of spiking networks in continuous time, for use as a library: event by event, with saltation.

tau dv/dt = drive - v; spike at v = v_threshold, then v = v_reset; a spike of j moves every other v_i by w_ij at once.
Between spikes neighbors approach one another, e^{-t / tau}. At a spike of j a neighbor spikes a little earlier or
later, by dt = -dv_j / f_j(v_threshold) with f = (drive - v) / tau, and that moves all of them:

    dv_j -> f_j(v_reset) / f_j(v_threshold) dv_j,    dv_i -> dv_i + w_ij / tau_i dt

Without this saltation the exponent is -1 / tau whatever the network does, which is wrong: a single neuron under
constant drive has exactly 0.

Source: Aizerman and Gantmacher (1958) for saltation; Monteforte and Wolf, Phys. Rev. Lett. 105, 268104 (2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.analysis.estimators.blocks import spread_of_mean
from dlm_snn.analysis.finding import Finding
from dlm_snn.errors import DlmError, how_many
from dlm_snn.values import as_floats, check_each, check_generator, is_whole

FEWEST = 10
"""Spikes per neuron from which an exponent is believed."""
LOST = 1e-12
"""Length that orthogonalization leaves of a tangent vector, beside the longest of its instant, below which it is one of
rounding errors: they are 2.2e-16 for each of the products that are summed."""


@dataclass(frozen=True, eq=False)
class PulseCoupled:
    """A network of leaky integrate-and-fire neurons in continuous time, coupled by pulses without delay.

    Neurons that a pulse lifts to the threshold spike in the same instant. A neuron spikes once in an instant: pulses
    that reach it afterwards are lost in its reset.

    Attributes:
        weight: w, (post, pre); the diagonal is 0.
        drive: where v would settle, a number or (neuron,); at or below the threshold a neuron does not spike by itself.
        tau: time constants, in any unit of time; a number or (neuron,).
        v_threshold, v_reset: numbers or (neuron,); v_reset below v_threshold.

    Raises:
        DlmError: shapes or values that make no such network.
    """

    weight: NDArray[np.float64]
    drive: NDArray[np.float64]
    tau: NDArray[np.float64]
    v_threshold: NDArray[np.float64]
    v_reset: NDArray[np.float64]

    def __init__(
        self,
        weight: ArrayLike,
        drive: ArrayLike,
        tau: ArrayLike = 1.0,
        v_threshold: ArrayLike = 1.0,
        v_reset: ArrayLike = 0.0,
    ) -> None:
        w = np.ascontiguousarray(as_floats(weight, "weight"))
        if w.ndim != 2 or w.shape[0] != w.shape[1] or not len(w) or np.diagonal(w).any():
            raise DlmError(f"weight of shape {w.shape}: give (post, pre) of one population, with 0 on the diagonal")
        given = {"drive": drive, "tau": tau, "v_threshold": v_threshold, "v_reset": v_reset}
        object.__setattr__(self, "weight", w)
        for name, values in given.items():
            array = as_floats(values, name)
            if array.shape not in ((), (len(w),)):
                raise DlmError(f"{name} has shape {array.shape}; give a number, or one for each of {len(w)} neurons")
            object.__setattr__(self, name, np.ascontiguousarray(np.broadcast_to(array, len(w))))
        for name in ("weight", *given):
            check_each(getattr(self, name), name, np.isfinite(getattr(self, name)), "finite")
        check_each(self.tau, "tau", self.tau > 0, "above 0")
        check_each(self.v_reset, "v_reset", self.v_reset < self.v_threshold, "below v_threshold")

    @property
    def n(self) -> int:
        """Number of neurons."""
        return len(self.weight)


def lyapunov_exponents(
    network: PulseCoupled,
    n_spikes: int,
    rng: np.random.Generator,
    n_exponents: int = 2,
    discard: int | None = None,
) -> list[Finding]:
    """The largest Lyapunov exponents, nats per unit of time, each with its interval by blocks of spikes.

    The tangent vectors are orthogonalized at every spike. A network that is not driven from outside has one exponent
    of 0, along the orbit: look at the others for its stability.

    Args:
        network: with its couplings.
        n_spikes: spikes of all neurons together that are averaged.
        rng: of the state at the beginning, uniform between reset and threshold, and of the tangent vectors.
        n_exponents: how many, the largest first.
        discard: spikes before, for the transient; None: as many as ``n_spikes`` / 4.

    Returns:
        The findings; not resolved below 10 spikes per neuron, nor where neurons that spike in the same instant lose
        what told them apart: the exponent is minus infinity then. Where nobody spikes, the exponents are those of the
        leaks, -1 / tau.

    Raises:
        DlmError: no such numbers of spikes or exponents.
    """
    check_generator(rng)
    lost: Any = n_spikes // 4 if discard is None and is_whole(n_spikes) else discard
    for what, value, least, most in (
        ("n_spikes", n_spikes, 1, 2**62),
        ("n_exponents", n_exponents, 1, network.n),
        ("discard", lost, 0, 2**62),
    ):
        if not is_whole(value) or not least <= value <= most:
            raise DlmError(f"{what} = {value!r} is not a whole number in {least}..{most}")
    from dlm_snn.analysis.estimators._lyapunov_compiled import advance

    v = network.v_reset + rng.random(network.n) * (network.v_threshold - network.v_reset)
    tangent = np.linalg.qr(rng.standard_normal((network.n, n_exponents)))[0].copy()
    parameters = network.weight, network.drive, network.tau, network.v_threshold, network.v_reset
    logs, times = np.zeros((n_spikes, n_exponents)), np.zeros(n_spikes)
    # The first spike of all is discarded too: from spike to spike a period is whole.
    advance(v, tangent, *parameters, np.zeros((lost + 1, n_exponents)), np.zeros(lost + 1))
    done = advance(v, tangent, *parameters, logs, times)
    if done < n_spikes:
        return _silent(network, n_exponents)
    return [_finding(logs[:, : i + 1], times, network.n, i) for i in range(n_exponents)]


def _collapsed(logs: NDArray[np.float64]) -> int:
    """In how many instants some of the tangent vectors became dependent; logs (instant, exponent)."""
    # Beyond an exact 0 there are no numbers.
    far = ~(logs - np.fmax.reduce(logs, axis=1, keepdims=True) > np.log(LOST))
    return int(np.count_nonzero(far.any(axis=1)))


def _finding(every: NDArray[np.float64], times: NDArray[np.float64], n_neurons: int, index: int) -> Finding:
    """The exponent of the last column; ``every`` has those of the larger ones before it."""
    logs, together = every[:, -1], _collapsed(every)
    value = float(logs.sum() / times.sum())
    # A ratio of means: its error is that of logs - value * times over the mean time.
    half = spread_of_mean((logs - value * times)[None]).half / float(times.mean())
    enough = len(logs) >= FEWEST * n_neurons
    told = f"{how_many(len(logs), 'spikes')} of {how_many(n_neurons, 'neurons')}; {FEWEST} each are needed"
    doubts = [] if enough else [told]
    if together:
        told = f"in {together} of {len(logs)} instants neighbors meet, as where neurons are reset together"
        doubts.append(f"{told}: the exponent is minus infinity, the figure is of rounding errors")
    return Finding(
        f"Lyapunov exponent {index + 1}",
        value,
        (value - half, value + half),
        "nats per time",
        "event by event with saltation, blocks of spikes",
        {"spikes": len(logs), "neurons": n_neurons},
        doubts=tuple(doubts),
    )


def _silent(network: PulseCoupled, n_exponents: int) -> list[Finding]:
    """Without spikes: the rates of the leaks, slowest first."""
    values = np.sort(-1 / network.tau)[::-1][:n_exponents]
    told = "no spikes: the leaks"
    return [
        Finding(f"Lyapunov exponent {i + 1}", float(x), (float(x),) * 2, "nats per time", told, {"spikes": 0})
        for i, x in enumerate(values)
    ]
