"""The cases of the conformance test can see the errors that simulators make: each one, in several of them.

A mutant is the reference with one error. On a busy net, or where no sum meets the threshold, it would pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dlm_snn import LI, LIF, IntegerLI, IntegerLIF, IntegerNetwork, IntegerProjection, Network, Recording, compare, run
from dlm_snn.neurons import competition, integer_lif, lif
from dlm_snn.neurons.models import MODELS, is_integer
from tests.nets import FLOAT, INTEGER, answers, make

pytestmark = pytest.mark.xdist_group("mutations")

AnyNetwork = Network | IntegerNetwork
UNITY = 4096
READ_OUTS = {"read_out", "read_out_filtered", "int_read_out", "int_read_out_filtered"}
"""The cases with a population that never spikes."""


def with_neurons(network: AnyNetwork, change: Callable[[Any], Any]) -> AnyNetwork:
    neurons = {name: change(neuron) for name, neuron in network.neurons.items()}
    return replace(network, populations={**network.populations, **neurons})


def scaled(name: str, factor: float, neuron: Any) -> Any:
    """A decay times a factor, in the finest step of its arithmetic, but never above its whole."""
    value = np.asarray(getattr(neuron, name))
    if not is_integer(neuron):
        changed = np.minimum(value * factor, 1.0)
    else:
        first = 1 if name == "du" else 0
        changed = np.minimum(np.rint((value + first) * factor).astype(int) - first, UNITY - 1)
    return replace(neuron, **{name: changed})


def subtracting(neuron: LIF | LI) -> LIF | LI:
    """Reset by subtraction where there is a reset."""
    if isinstance(neuron, LI):
        return neuron
    return replace(neuron, reset="subtract", refractory=0)


def at_least(overshoot: np.ndarray, winners: int | None = None, groups: int = 1) -> np.ndarray:
    """``>=`` for ``>``: an overshoot of exactly 0 spikes too."""
    least = np.nextafter(0.0, 1.0) if overshoot.dtype.kind == "f" else 1
    return competition.winning(np.where(overshoot == 0, least, overshoot), winners, groups)


def seen_by(cases: Iterable[str], change: Callable[[AnyNetwork], AnyNetwork]) -> list[str]:
    """The cases in which the changed network gives other spikes."""
    return differing({name: run(change(make(name)[0]), *make(name)[1:], record=answers(name)) for name in cases})


def differing(mutants: dict[str, Recording]) -> list[str]:
    """The cases whose reference run differs from a run with an error in it; spikes, and u and v of integers."""
    return [
        name
        for name, mutant in mutants.items()
        if not compare(reference(name), replace(mutant, network=make(name)[0])).equal
    ]


@cache
def reference(case: str) -> Recording:
    return run(*make(case), record=("s", "u", "v"))


def mutants(cases: Iterable[str], record: tuple[str, ...] = ()) -> dict[str, Recording]:
    """All cases, run as the simulator is now."""
    return {name: run(*make(name), record=record or answers(name)) for name in cases}


def change_step(monkeypatch: pytest.MonkeyPatch, kind: type, step: Callable[..., Any]) -> None:
    """Another step in the table of neuron models."""
    monkeypatch.setitem(MODELS, kind, MODELS[kind]._replace(step=step))


@pytest.fixture(autouse=True, scope="module")
def honest_runs():
    """All reference runs, made before anything is changed."""
    for name in (*FLOAT, *INTEGER):
        reference(name)


def test_no_change_is_seen_by_no_case():
    assert seen_by([*FLOAT, *INTEGER], lambda network: with_neurons(network, replace)) == []


# The smallest numbers below are the ones observed, so that a change of the table cannot blunt it unnoticed.
@pytest.mark.parametrize(
    ("name", "cases", "least"), [("dv", FLOAT, 12), ("du", FLOAT, 9), ("dv", INTEGER, 8), ("du", INTEGER, 3)]
)
def test_decay_off_by_one_percent_is_seen(name, cases, least):
    found = seen_by(cases, lambda network: with_neurons(network, partial(scaled, name, 1.01)))
    assert len(found) >= least, found


def test_reset_by_subtraction_is_seen():
    found = seen_by(FLOAT, lambda network: with_neurons(network, subtracting))
    assert len(found) >= 32, found


@pytest.mark.parametrize(
    ("cases", "least", "made_for_it"), [(FLOAT, 14, "threshold_met"), (INTEGER, 6, "int_threshold_met")]
)
def test_spike_at_the_threshold_is_seen(monkeypatch, cases, least, made_for_it):
    change_step(monkeypatch, LIF, partial(lif.step, spikes=at_least))
    monkeypatch.setattr(integer_lif, "winning", at_least)
    found = differing(mutants(cases))
    assert made_for_it in found
    assert len(found) >= least, found


@pytest.mark.parametrize(
    ("steps", "cases", "least"), [(1, FLOAT, 39), (-1, FLOAT, 12), (1, INTEGER, 23), (-1, INTEGER, 5)]
)
def test_delay_off_by_one_is_seen(monkeypatch, steps, cases, least):
    kind = Network if cases is FLOAT else IntegerNetwork
    honest = kind.lag
    monkeypatch.setattr(kind, "lag", lambda self, p, delay: max(honest(self, p, delay) + steps, 0))
    found = differing(mutants(cases))
    assert len(found) >= least, found


def last_wins(neuron: Any, overshoot: np.ndarray, winners: int | None, groups: int) -> np.ndarray:
    """Equal: the higher index wins."""
    return competition.winning(overshoot[..., ::-1], winners, groups)[..., ::-1]


def ranked_by_v(neuron: Any, overshoot: np.ndarray, winners: int | None, groups: int) -> np.ndarray:
    """Rank by v, not by v - v_threshold."""
    unit = 64 if isinstance(neuron, IntegerLIF) else 1
    return competition.winning(np.where(overshoot > 0, overshoot + neuron.v_threshold * unit, -1), winners, groups)


@pytest.mark.parametrize(("rule", "least"), [(last_wins, (2, 1)), (ranked_by_v, (2, 1))])
def test_error_in_the_rank_is_seen(monkeypatch, rule, least):
    float_step, integer_step = lif.step, integer_lif.step

    def mutated(neuron, state, drive):
        monkeypatch.setattr(integer_lif, "winning", partial(rule, neuron))
        return integer_step(neuron, state, drive)

    change_step(monkeypatch, LIF, lambda neuron, *rest: float_step(neuron, *rest, spikes=partial(rule, neuron)))
    change_step(monkeypatch, IntegerLIF, mutated)
    for cases, count in zip((FLOAT, INTEGER), least, strict=True):
        found = differing(mutants(cases))
        assert len(found) >= count, found


def test_reset_of_losers_is_seen(monkeypatch):
    """A mask that is laid over the spikes after all that were above threshold have been reset."""
    float_step, integer_step = lif.step, integer_lif.step

    def losers_reset(neuron, state, unit):
        loses = neuron.winners is not None and getattr(neuron, "reset", "zero") == "zero"
        return state._replace(v=np.where(loses & (state.v > neuron.v_threshold * unit), 0, state.v))

    def mutated(neuron, state, drive):
        state, overflow = integer_step(neuron, state, drive)
        return losers_reset(neuron, state, 64), overflow

    change_step(monkeypatch, LIF, lambda neuron, *rest: losers_reset(neuron, float_step(neuron, *rest), 1))
    change_step(monkeypatch, IntegerLIF, mutated)
    for cases, least in (FLOAT, 5), (INTEGER, 3):
        found = differing(mutants(cases))
        assert len(found) >= least, found


def test_floor_in_the_decay_is_seen(monkeypatch):
    """Decayed integers truncate toward zero; a plain shift floors."""
    monkeypatch.setattr(integer_lif, "decay", lambda value, share: value * (UNITY - share) >> 12)
    found = differing(mutants(INTEGER, record=("s", "v")))
    assert len(found) >= 22, found


def test_truncation_of_the_shifted_sum_is_seen(monkeypatch):
    """A shift floors, of negative sums too."""

    def truncated(projection, connection, x):
        return np.trunc(connection.apply(x) * 2.0**projection.weight_exp).astype(int)

    monkeypatch.setattr(IntegerProjection, "sums", truncated)
    assert set(differing(mutants(INTEGER, record=("s", "v")))) == {
        *("int_floor", "int_pixels", "int_delays"),
        *("int_sparse", "int_convolution"),
    }


def test_shift_of_the_added_sums_is_seen(monkeypatch):
    """Each projection floors its own sums, delay by delay; a floor of them all keeps what they lose."""
    step = integer_lif.step
    monkeypatch.setattr(IntegerProjection, "sums", lambda p, dense, x: dense.apply(x) * 2.0**p.weight_exp)
    for kind in (IntegerLIF, IntegerLI):
        change_step(monkeypatch, kind, lambda lif, state, drive: step(lif, state, np.floor(drive).astype(int)))
    assert set(differing(mutants(INTEGER, record=("s", "v")))) == {"int_floor", "int_delays", "int_sparse"}


READ_OUT_ERRORS: dict[str, tuple[Callable[[Any], dict[str, Any]], set[str]]] = {
    "du": (lambda n: {"du": scaled("du", 1.01, n).du}, {"read_out_filtered", "int_read_out_filtered"}),
    "dv": (lambda n: {"dv": scaled("dv", 1.01, n).dv}, READ_OUTS),
    "no bias": (lambda n: {"bias": 0}, {"read_out", "int_read_out"}),
    "a threshold within reach": (lambda n: {"v_threshold": 250 if is_integer(n) else 1.0}, READ_OUTS),
}
"""Name -> what is changed in a population that never spikes, and the cases that see it by its v."""


@pytest.mark.parametrize("error", READ_OUT_ERRORS)
def test_error_in_a_read_out_without_spikes_is_seen(monkeypatch, error):
    change, seers = READ_OUT_ERRORS[error]

    def mutated(step, neuron, state, drive):
        names = ("du", "dv", "bias", "v_threshold", "winners", "groups", "reset", "refractory")
        honest = {name: getattr(neuron, name) for name in names if hasattr(neuron, name)}
        return step(SimpleNamespace(**{**honest, **change(neuron)}), state, drive)

    change_step(monkeypatch, LI, partial(mutated, lif.step))
    change_step(monkeypatch, IntegerLI, partial(mutated, integer_lif.step))
    assert set(differing(mutants([*FLOAT, *INTEGER], record=("s", "v")))) == seers
