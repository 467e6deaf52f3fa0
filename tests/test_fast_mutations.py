"""Errors injected into the fast simulator, and into the fused Lava Process that runs on it, are seen by the cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from dlm_snn import LIF, Recording, SpikeRaster, compare, run
from dlm_snn.backends import _fast_engine
from dlm_snn.backends._fast_plan import Link, Plan, PlannedPopulation, plan_of
from dlm_snn.neurons.models import spikes
from dlm_snn.runs.stimulus import prepare
from tests.nets import FLOAT, INTEGER, answers, make

pytestmark = pytest.mark.xdist_group("fast_mutations")

CASES = [case for case in [*FLOAT, *INTEGER] if make(case)[1]]


def off(share: str, cell: PlannedPopulation) -> PlannedPopulation:
    """A decay 1 % too large, in the finest step of its arithmetic."""
    kept = getattr(cell, share)
    whole = 4096 if kept.dtype.kind == "i" else 1.0
    lost = (whole - kept) * 1.01
    changed = np.maximum(whole - (np.rint(lost) if kept.dtype.kind == "i" else lost), 0)
    return replace(cell, **{share: changed.astype(kept.dtype)})


def at_least(cell: PlannedPopulation) -> PlannedPopulation:
    """``>=`` for ``>``: the threshold one place lower."""
    lower = cell.v_threshold - 1 if cell.v_threshold.dtype.kind == "i" else np.nextafter(cell.v_threshold, -np.inf)
    return replace(cell, v_threshold=lower)


def subtracting(cell: PlannedPopulation) -> PlannedPopulation:
    """Reset by subtraction where it should be to zero; integers have none."""
    if not isinstance(cell.neuron, LIF):
        return cell
    return replace(cell, neuron=replace(cell.neuron, reset="subtract", refractory=0))


def within_reach(cell: PlannedPopulation) -> PlannedPopulation:
    """A population that never spikes as one that does."""
    return cell if spikes(cell.neuron) else replace(cell, v_threshold=np.full_like(cell.v_threshold, 1))


def later(link: Link) -> Link:
    """A delay one step too long, where there is one."""
    return replace(link, lag=link.lag + 1, delay=link.delay + 1)


MUTATIONS: dict[str, tuple[Callable[[PlannedPopulation], PlannedPopulation], Callable[[Link], Link], int]] = {
    "du": (lambda cell: off("keep_u", cell), lambda link: link, 8),
    "dv": (lambda cell: off("keep_v", cell), lambda link: link, 15),
    "threshold": (at_least, lambda link: link, 3),
    "reset": (subtracting, lambda link: link, 15),
    "within reach": (within_reach, lambda link: link, 4),
    "delay": (lambda cell: cell, later, 40),
}
"""Name -> what is changed in neurons, in links, and in how many cases at least it is seen."""


def mutated(name: str) -> Callable[[Any], Plan]:
    cell, link, _ = MUTATIONS[name]

    def plan(network: Any) -> Plan:
        honest = plan_of(network)
        links = {n: tuple(link(part) for part in parts) for n, parts in honest.links.items()}
        return Plan(links, {n: cell(inner) for n, inner in honest.cells.items()})

    return plan


def fast(case: str) -> Recording:
    return run(*make(case), record=answers(case), backend="fast")


def fused(case: str) -> Recording:
    """The model of the Process, stepped by hand: in a run it lives in another interpreter."""
    pytest.importorskip("lava")
    from lava_processes.fused.process import PyFusedRun

    network, stimulus, n_steps = make(case)
    stimuli, samples = prepare(network, stimulus, n_steps)
    model = PyFusedRun({"network": network, "samples": samples, "stimuli": {}, "spikes": {}, "traces": {}})
    model.stimuli = {name: given.values for name, given in stimuli.items()}
    model.spikes = {name: np.zeros((n_steps, samples, p.n), np.uint8) for name, p in network.neurons.items()}
    read = {name: p for name, p in network.neurons.items() if not spikes(p)}
    model.traces = {name: np.zeros((n_steps, 2, samples, p.n)) for name, p in read.items()}
    for step in range(1, n_steps + 1):
        model.time_step = step
        model.run_spk()
    rasters = {name: SpikeRaster.from_dense(rows.swapaxes(0, 1)) for name, rows in model.spikes.items()}
    v = {name: rows[:, 1].swapaxes(0, 1) for name, rows in model.traces.items()}
    return Recording(network, samples, n_steps, rasters, v=v)


@cache
def reference(case: str) -> Recording:
    return run(*make(case), record=answers(case))


def seen_by(engine: Callable[[str], Recording]) -> list[str]:
    return [case for case in CASES if not compare(reference(case), engine(case)).equal]


@pytest.mark.parametrize("engine", [fast, fused])
def test_without_an_error_nothing_is_seen(engine):
    assert seen_by(engine) == []


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("engine", [fast, fused])
def test_an_error_is_seen(monkeypatch, engine, mutation):
    monkeypatch.setattr(_fast_engine, "plan_of", mutated(mutation))
    found = seen_by(engine)
    assert len(found) >= MUTATIONS[mutation][2], found
