"""The physics in Brian2's own equations, for use as a library: baths by its xi, membrane energies, plasticity."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.backends._brian2_import import brian2, local_settings

DT = 1.0
"""Milliseconds of a step; nothing depends on it."""


def bath(n: int, dv: float, temperature: float, n_steps: int, seed: int) -> NDArray[np.float64]:
    """Membranes dv/dt = -v / tau + sqrt(2 T / tau) xi with dt / tau = dv, Euler's method; v, (step, neuron).

    The chain's variance is T / (1 - dv / 2).

    Args:
        n: neurons.
        dv: share of v lost per step.
        temperature: T.
        n_steps: steps.
        seed: of Brian2's generator.
    """
    with local_settings():
        brian2.seed(seed)
        clock = brian2.Clock(dt=DT * brian2.ms, name="bath_clock")
        group = brian2.NeuronGroup(
            n,
            "dv/dt = -v / tau + sqrt(2 * T / tau) * xi : 1",
            method="euler",
            namespace={"tau": DT / dv * brian2.ms, "T": temperature},
            clock=clock,
            name="bath",
        )
        monitor = brian2.StateMonitor(group, "v", record=True, clock=clock, name="bath_v")
        brian2.Network(group, monitor).run(n_steps * DT * brian2.ms, namespace={})
        return np.array(monitor.v).T


def energies(weight: NDArray, spikes: NDArray, dv: float, v_threshold: float) -> dict[str, Any]:
    """Energies of membranes with zero reset under spikes through synapses, each taken where Brian2 changes v.

    The leak is what v^2 / 2 loses in Brian2's exact state update, work what it gains at every single synaptic event,
    the reset what it loses there.

    Args:
        weight: (post, pre).
        spikes: (step, pre).
        dv: share of v lost per step, in (0, 1).
        v_threshold: of all neurons.

    Returns:
        "leak", "injected", "reset", "stored": sums over neurons; "spikes": (post,) counts.
    """
    with local_settings():
        clock = brian2.Clock(dt=DT * brian2.ms, name="energy_clock")
        source, group, synapses = _booked(weight, spikes, dv, v_threshold, clock)
        # Events of a step reach v before the threshold looks at it: leak, events, threshold, reset.
        group.thresholder["spike"].when = "after_synapses"
        group.resetter["spike"].when = "resets"
        brian2.Network(source, group, synapses).run(len(spikes) * DT * brian2.ms, namespace={})
        found = {name: float(np.sum(np.array(getattr(group, name)))) for name in ("leak", "injected")}
        stored = float(np.sum(np.array(group.v) ** 2) / 2)
        return {
            **found,
            "reset": float(np.sum(np.array(group.lost))),
            "stored": stored,
            "spikes": np.array(group.fired),
        }


def _booked(weight: NDArray, spikes: NDArray, dv: float, v_threshold: float, clock: Any) -> tuple[Any, Any, Any]:
    """Spikes, membranes that book what changes v, and the synapses between them."""
    n_post, n_pre = weight.shape
    step, neuron = np.nonzero(spikes)
    source = brian2.SpikeGeneratorGroup(
        n_pre, neuron, step * DT * brian2.ms, clock=clock, sorted=True, name="energy_source"
    )
    group = brian2.NeuronGroup(
        n_post,
        "dv/dt = -v / tau : 1\nheld : 1\nleak : 1\ninjected : 1\nlost : 1\nfired : integer",
        threshold="v > v_threshold",
        reset="lost += v**2 / 2; v = 0; fired += 1",
        method="exact",
        namespace={"tau": -DT / np.log1p(-dv) * brian2.ms, "v_threshold": v_threshold},
        clock=clock,
        name="energy",
    )
    group.run_regularly("held = v**2 / 2", when="before_groups", name="energy_before")
    group.run_regularly("leak += held - v**2 / 2", when="after_groups", name="energy_after")
    synapses = brian2.Synapses(
        source,
        group,
        "w : 1",
        on_pre="injected_post -= v_post**2 / 2; v_post += w; injected_post += v_post**2 / 2",
        clock=clock,
        name="energy_synapses",
    )
    post, pre = np.nonzero(weight)
    synapses.connect(i=pre, j=post)
    synapses.w = weight[post, pre]
    return source, group, synapses


def plasticity(
    weight: NDArray, pre: NDArray, post: NDArray, rate: float, decay: float | None = None
) -> NDArray[np.float64]:
    """Weights after samples of plasticity: dw = a (x - y w) at spikes; or dw = a x y - b w with a decay by the clock.

    Args:
        weight: (post, pre), at first.
        pre: (sample, pre) activities.
        post: (sample, post) spikes, 0 or 1.
        rate: a.
        decay: b of the clocked rule; None: event-driven.

    Returns:
        (post, pre).
    """
    n_post, n_pre = weight.shape
    with local_settings():
        clock = brian2.Clock(dt=DT * brian2.ms, name="plasticity_clock")
        x = brian2.TimedArray(np.ascontiguousarray(pre, dtype=float), dt=DT * brian2.ms, name="x_of")
        inputs = brian2.NeuronGroup(n_pre, "x : 1", namespace={"x_of": x}, clock=clock, name="inputs")
        inputs.run_regularly("x = x_of(t, i)", when="start", name="inputs_now")
        sample, winner = np.nonzero(post)
        outputs = brian2.SpikeGeneratorGroup(
            n_post, winner, sample * DT * brian2.ms, clock=clock, sorted=True, name="outputs"
        )
        rule = "w += a * (x_pre - w)" if decay is None else "w += a * x_pre"
        synapses = brian2.Synapses(
            inputs, outputs, "w : 1", on_post=rule, namespace={"a": rate}, clock=clock, name="plastic"
        )
        synapses.connect()
        synapses.w = weight.T.ravel()
        parts = [inputs, outputs, synapses]
        if decay is not None:
            synapses.run_regularly(f"w *= 1 - {decay!r}", when="start", name="plastic_decay")
        brian2.Network(*parts).run(len(pre) * DT * brian2.ms, namespace={})
        return np.array(synapses.w).reshape(n_pre, n_post).T
