"""Windows one after another equal windows alone, for drawn networks with loops, skips, delays and integrators."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dlm_snn import (
    Dense,
    DlmError,
    Input,
    IntegerLI,
    IntegerLIF,
    IntegerNetwork,
    IntegerProjection,
    UnsupportedError,
    run,
)
from hardware.bounds import EffortError, Sweep
from hardware.windows import STRONGEST, Windows, windows

pytestmark = pytest.mark.filterwarnings("ignore:stimulus .one. is not 1", "ignore:.*left their 24 bits")
N = 6
LOOPS = ("a->a", "b->a", "b->b")


def drawn(seed: int, wild: bool = False) -> tuple[IntegerNetwork, dict[str, NDArray], int]:
    """x -> a -> b -> c, with skips and loops of any delay, strong enough to go on by themselves.

    ``wild``: with an Input y of many bits, also signed, and synapses so strong that they may wrap what they reach.
    """
    rng = np.random.default_rng(seed)
    n_steps = int(rng.integers(3, 14))
    populations: dict[str, Any] = {"x": Input((N,)), "one": Input((1,), graded_bits=1, aligned=True)}
    if wild:
        populations["y"] = Input((2,), graded_bits=int(rng.integers(8, 25)), signed=bool(rng.random() < 0.5))
    for name in "abc":
        fields: dict[str, Any] = {
            "du": int(rng.choice([-1, 4095, 4095, rng.integers(1, 4000)])),
            "dv": int(rng.choice([0, 0, 400, 4095])),
        }
        if name != "a" and rng.random() < 0.3:
            fields["bias_mant"] = int(rng.integers(-400, 600))
        if rng.random() < 0.2:
            fields["period"] = int(rng.choice([1, 2, 4, 8, 20]))
        if name == "c" and rng.random() < 0.5:
            populations[name] = IntegerLI((N,), **fields)
            continue
        populations[name] = IntegerLIF((N,), v_threshold=int(rng.integers(0, 300)), **fields)
    edges = ["x->a", "a->b", "b->c", *(e for e in (*LOOPS, "x->b", "a->c", "x->c", "one->b") if rng.random() < 0.5)]
    edges += ["y->a", "y->a", "y->b"][: 3 * wild]
    projections = []
    for edge in edges:
        pre, post = edge.split("->")
        shape = (N, populations[pre].n)
        weight = 2 * rng.integers(-40, 90, shape) * (rng.random(shape) < 0.6)
        exponent = int(rng.choice([-8, 0, 7] if pre == "y" else [-2, 0, 1, 7][: 3 + wild]))
        delay = rng.integers(1, 6, shape) if rng.random() < 0.3 else int(rng.choice([1, 1, 2, 5]))
        projections.append(IntegerProjection(pre, post, Dense(weight), 1 if pre == "one" else delay, exponent))
    stimulus = {"x": rng.random((3, n_steps, N)) < rng.choice([0.1, 0.5])}
    if wild:
        low, high = populations["y"].bounds
        stimulus["y"] = np.where(rng.random((3, n_steps, 2)) < 0.5, high, rng.choice([low, 0, 1], (3, n_steps, 2)))
    return IntegerNetwork(populations, projections), stimulus, n_steps


def differing(
    network: IntegerNetwork, stimulus: dict[str, Any], n_steps: int, found: Windows, backend: str = "reference"
) -> int:
    """Spikes, u and v of all neurons that differ between samples end to end and each sample alone in the reference."""
    what = ("s", "u", "v")
    alone = run(network, stimulus, n_steps, record=what, backend="reference")
    fed = {name: values.reshape(1, -1, values.shape[2]) for name, values in found.stimulus(stimulus).items()}
    length = next(iter(fed.values())).shape[1]
    together = run(found.network, fed, length, record=what, backend=backend)
    count = 0
    for name in network.neurons:
        pairs = [(recording.u[name], recording.v[name]) for recording in (alone, together)]
        pairs[0] += (alone.rasters[name].dense(),)
        pairs[1] += (together.rasters[name].dense(),)
        for single, long in zip(*pairs, strict=True):
            cut = long.reshape(len(single), found.period, -1)[:, :n_steps]
            count += np.count_nonzero(cut != single)
    return count


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_sample_never_reaches_the_next_window(seed: int, wild: bool) -> None:
    network, stimulus, n_steps = drawn(seed, wild)
    try:
        found = windows(network, n_steps)
    except UnsupportedError:
        return
    assert found.period & (found.period - 1) == 0
    assert found.period >= n_steps
    assert all(found.period % neuron.period == 0 for neuron in found.network.neurons.values())
    assert differing(network, stimulus, n_steps, found) == 0


ADVICE = re.compile(r"'([^' ]+)'(?: \(number (\d+) of \d+\))?: (-?\d+) -> (-?\d+)")


def advised(network: IntegerNetwork, told: str) -> IntegerNetwork | None:
    """The network after a refusal's advice; None where it gives none."""
    advice = told.rpartition("; weight_exp of ")[2] if "; weight_exp of " in told else ""
    projections = list(network.projections)
    for name, number, old, new in ADVICE.findall(advice):
        same = [k for k, p in enumerate(network.projections) if p.name == name]
        assert (len(same) > 1) == bool(number)
        place = same[int(number or 1) - 1]
        assert projections[place].weight_exp == int(old) > int(new)
        projections[place] = replace(projections[place], weight_exp=int(new))
    return IntegerNetwork(network.populations, projections) if advice else None


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_the_advice_of_a_refusal_works(seed: int) -> None:
    """Sums that wrap do so no more with the exponents that it names."""
    network, stimulus, n_steps = drawn(seed, wild=True)
    try:
        windows(network, n_steps)
        return
    except UnsupportedError as error:
        refused = error
    changed = advised(network, str(refused))
    if changed is None:
        assert "wrap" not in str(refused) or refused.remedy == "run one sample at a time"
        return
    found = windows(changed, n_steps)
    assert differing(changed, stimulus, n_steps, found) == 0


def loop(weight: int = 40, n: int = 2, threshold: int = 10, delay: int = 1, **fields: Any) -> IntegerNetwork:
    """An Input, a population that excites itself, and one behind it."""
    populations = {
        "x": Input((n,)),
        "a": IntegerLIF((n,), **{"dv": 400, "v_threshold": threshold, **fields}),
        "b": IntegerLIF((n,), dv=0, v_threshold=20),
    }
    projections = [
        IntegerProjection("x", "a", Dense(40 * np.eye(n, dtype=int))),
        IntegerProjection("a", "a", Dense(np.full((n, n), weight)), delay),
        IntegerProjection("a", "b", Dense(40 * np.eye(n, dtype=int))),
    ]
    return IntegerNetwork(populations, projections)


def one_event() -> dict[str, NDArray]:
    """The first of four samples has an event, and starts what never ends by itself."""
    x = np.zeros((4, 8, 2), bool)
    x[0, 0] = True
    return {"x": x}


def test_a_loop_that_goes_on_by_itself_is_silenced() -> None:
    network = loop()
    found = windows(network, 8)
    assert found.period == 16
    assert {name: np.flatnonzero(events).tolist() for name, events in found.events.items()} == {"silence_a": [8]}
    assert differing(network, one_event(), 8, found) == 0


def test_a_window_that_leaves_silent_steps_needs_no_longer_period() -> None:
    network, x = loop(), one_event()["x"][:, :6]
    found = windows(network, 6)
    assert (found.period, found.network.neurons["a"].period) == (8, 8)
    assert np.flatnonzero(found.events["silence_a"]).tolist() == [6]
    assert differing(network, {"x": x}, 6, found) == 0
    bare = replace(found, events={name: 0 * events for name, events in found.events.items()})
    assert differing(network, {"x": x}, 6, bare) > 0


def test_without_the_silence_a_loop_reaches_the_next_window() -> None:
    network = loop()
    found = windows(network, 8)
    bare = replace(found, events={name: 0 * events for name, events in found.events.items()})
    assert differing(network, one_event(), 8, bare) > 0


def test_in_a_period_without_silent_steps_a_loop_reaches_the_next_window() -> None:
    network = loop()
    short = replace(windows(network, 8), period=8, events={"silence_a": np.zeros((8, 1), np.uint8)})
    assert differing(network, one_event(), 8, short) > 0


@pytest.mark.parametrize(("n_steps", "delay", "period"), [(6, 3, 8), (7, 3, 16), (8, 1, 8), (5, 1, 8)])
def test_a_skip_from_an_input_waits_for_its_lag(n_steps: int, delay: int, period: int) -> None:
    eye = Dense(40 * np.eye(2, dtype=int))
    populations = {"x": Input((2,)), "a": IntegerLIF((2,), dv=0, v_threshold=30)}
    projections = [IntegerProjection("x", "a", eye), IntegerProjection("x", "a", eye, delay)]
    network = IntegerNetwork(populations, projections)
    found = windows(network, n_steps)
    assert (found.period, dict(found.events)) == (period, {})
    x = np.zeros((3, n_steps, 2), bool)
    x[:, -1] = True
    assert differing(network, {"x": x}, n_steps, found) == 0
    if period > 8:
        reset = {name: replace(p, period=8) for name, p in network.neurons.items()}
        short = replace(found, network=IntegerNetwork({**populations, **reset}, projections), period=8)
        assert differing(network, {"x": x}, n_steps, short) > 0


@pytest.mark.parametrize(
    "fields", [{"du": -1, "dv": 0}, {"bias_mant": 900, "bias_exp": 3, "dv": 0, "threshold": 400}], ids=["held", "bias"]
)
def test_a_loop_with_a_bias_or_held_current_is_silenced(fields: dict[str, int]) -> None:
    network = loop(**fields)
    found = windows(network, 8)
    assert found.events
    assert differing(network, one_event(), 8, found) == 0


@pytest.mark.parametrize("n_steps", [6, 8])
def test_nothing_that_a_whole_window_may_add_up_is_in_the_way(n_steps: int) -> None:
    """Inhibition that u holds: 6 steps of it may wrap, the one in flight at the second reset cannot."""
    network = loop(weight=-250, n=100, du=-1, dv=0)
    found = windows(network, n_steps)
    assert (found.period, dict(found.events)) == (16, {})
    stimulus = {"x": np.ones((2, n_steps, 100), bool)}
    assert differing(network, stimulus, n_steps, found) == 0


def test_sums_that_wrap_are_refused_by_the_projections_name() -> None:
    with pytest.raises(UnsupportedError, match=r"'a->a' \(lag 1\).* 177,800.*weight_exp of 'a->a': 0 -> -1"):
        windows(loop(weight=254, n=700), 8)
    assert windows(loop(weight=254, n=500), 8).events


@pytest.mark.parametrize("n_steps", [5, 8])
def test_what_inputs_wrap_is_set_to_rest_once_more(n_steps: int) -> None:
    """A population with a lag, that an Input alone reaches."""
    fields: dict[str, Any] = {"dv": 0, "v_threshold": 30}
    populations = {"x": Input((2,)), "a": IntegerLIF((1,), du=-1, **fields), "b": IntegerLIF((1,), **fields)}
    projections = [
        IntegerProjection("x", "a", Dense([[254, 254]]), 1, 7),
        IntegerProjection("x", "b", Dense([[40, 40]])),
        IntegerProjection("a", "b", Dense([[40]]), 3),
    ]
    network = IntegerNetwork(populations, projections)
    found = windows(network, n_steps)
    assert found.period == 16
    x = np.random.default_rng(0).random((4, n_steps, 2)) < 0.5
    assert differing(network, {"x": x}, n_steps, found) == 0


@pytest.mark.parametrize(("exponent", "sums"), [(0, "16,581,160"), (-1, "16,581,140"), (-8, "16,581,120")])
def test_what_inputs_add_counts_among_the_sums_that_wrap(exponent: int, sums: str) -> None:
    populations = {"x": Input((2,), graded_bits=8), "a": IntegerLIF((1,), dv=0, v_threshold=30)}
    strong = Dense([[254, 254]])
    projections = [
        IntegerProjection("x", "a", strong, 1, 7),
        IntegerProjection("x", "a", strong, 9, 7),
        IntegerProjection("a", "a", Dense([[40]]), 1, exponent),
    ]
    network = IntegerNetwork(populations, projections)
    named = rf"'a->a' \(lag 1\).* sums of 0 to {sums}, most by 'x->a' \(number 2 of 2\).*: 7 -> 0$"
    with pytest.raises(UnsupportedError, match=named) as refused:
        windows(network, 8)
    weaker = advised(network, str(refused.value))
    assert weaker is not None
    found = windows(weaker, 8)
    x = np.random.default_rng(0).integers(0, 256, (4, 8, 2))
    assert differing(weaker, {"x": x}, 8, found) == 0


def test_an_input_whose_weakest_synapses_still_wrap_gets_no_advice() -> None:
    populations = {"x": Input((1,), graded_bits=24), "a": IntegerLIF((1,), dv=0, v_threshold=30)}
    far = [IntegerProjection("x", "a", Dense([[254]]), delay, -8) for delay in (1, 9)]
    network = IntegerNetwork(populations, [*far, IntegerProjection("a", "a", Dense([[40]]))])
    with pytest.raises(UnsupportedError, match=r"most by 'x->a' \(number 2 of 2\).*; run one sample at a time$"):
        windows(network, 8)


def test_numpys_numbers_are_numbers() -> None:
    found = windows(loop(), np.int64(8))
    assert (found.n_steps, found.period) == (8, 16)
    assert type(found.n_steps) is type(found.period) is int
    with pytest.raises(DlmError, match=r"begin = -1 is not a whole number >= 0"):
        windows(loop(), 8, begin=-1)


def test_a_bias_works_longer_where_the_first_window_begins_later() -> None:
    network = loop(bias_mant=400, threshold=10, dv=0)
    assert windows(network, 8).period == 16
    with pytest.raises(UnsupportedError, match="the bias before the first window, by which 'a' may spike"):
        windows(network, 8, begin=1)


def test_a_whole_window_takes_no_more_than_its_effort(monkeypatch) -> None:
    network = loop()
    sweep = Sweep(network, {"a": 0, "b": 0}, {"a": 256, "b": 256}, 200, False, {}, effort=1000)
    sweep.run(256)
    assert 1000 - sweep.effort <= 3 * 12  # sums are taken where what arrives changes, of 12 synapses
    with pytest.raises(EffortError):
        Sweep(network, {"a": 0, "b": 0}, {"a": 256, "b": 256}, 200, False, {}, effort=11).run(256)
    assert windows(network, 6).period == 8
    monkeypatch.setattr("hardware.windows.TRIED", 11)
    found = windows(network, 6)
    assert found.period == 16
    assert differing(network, {"x": one_event()["x"][:, :6]}, 6, found) == 0


def test_inhibition_beyond_one_synapse_is_several() -> None:
    network = loop(weight=254, n=300)
    found = windows(network, 8)
    ours = [p for p in found.network.projections if p.pre == "silence_a"]
    total = sum(int(-p.connection.weight[0, 0]) << p.weight_exp for p in ours)
    assert len(ours) == -(-total // STRONGEST) > 1
    assert 300 * 254 - 10 <= total <= 1.01 * 300 * 254


@pytest.mark.parametrize(("own", "kept"), [(4, 4), (2, 2), (16, 8), (9, 8)])
def test_a_period_of_its_own_stays_where_it_counts(own: int, kept: int) -> None:
    found = windows(loop(period=own), 8)
    assert found.network.neurons["a"].period == kept
    assert differing(loop(period=own), one_event(), 8, found) == 0


def test_what_cannot_be_a_window_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedError, match=r"a period of 3 \('a'\); 3 -> 4"):
        windows(loop(period=3), 8)
    early = loop(bias_mant=4000, threshold=10)
    with pytest.raises(UnsupportedError, match=r"bias before the first window, by which 'a' .*'a->a'"):
        windows(early, 8)
    populations = {"a": IntegerLIF((1,), dv=0, v_threshold=0, bias_mant=1), "x": Input((1,))}
    alone = IntegerNetwork(populations, [IntegerProjection("a", "a", Dense([[2]]))])
    with pytest.raises(UnsupportedError, match="'a->a', since no Input of data reaches 'a'"):
        windows(alone, 8)


def test_stock_lava_agrees_window_after_window() -> None:
    pytest.importorskip("lava")
    network, stimulus, n_steps = drawn(1)
    found = windows(network, n_steps)
    assert len(found.events) == 2
    assert differing(network, stimulus, n_steps, found, backend="lava-fixed") == 0
