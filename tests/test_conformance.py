"""Every simulator agrees with the reference on every network of the table, or refuses it by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dlm_snn import DlmError, Recording, SpikeRaster, UnsupportedError, compare, plugins, run
from dlm_snn.backends import declared, reference
from dlm_snn.errors import MissingError, RangeWarning
from dlm_snn.networks.known import ARITHMETICS
from dlm_snn.neurons.models import models, spikes
from dlm_snn.plugins import load, names
from tests.covering import asked, few, held
from tests.nets import ADDED, FLOAT, INTEGER, SPECIAL, make, tags

GROUP = "dlm_snn.backends"
BACKENDS = sorted(names(GROUP))
OTHERS = [name for name in BACKENDS if name != "reference"]
CASES = [*FLOAT, *INTEGER]

REFUSES: dict[str, dict[str, str]] = {
    "brian2": {"integer": "IntegerNetwork"},
    "snntorch": {
        "integer": "integer networks",
        "refractory": "refractory period",
        "kwta filtered zero": "competition with a zero reset and a filtered current",
        "bias filtered": "LIF.bias .* beside a filtered current",
    },
    "lava-float": {
        "integer": "IntegerNetwork",
        "early bias": "before its window",
    },
    "lava-fixed": {"float": "float Network", "early bias": "before its window"},
}
"""Backend -> tag of a network that it cannot do -> words of its refusal. All else must run."""

ROUNDING = {"snntorch": 1e-12}
"""Backend -> how far u and v of float networks may lie apart, 0 for the others: snnTorch's input carries the bias, so
current and bias are added before the decayed voltage, which soon has more than 53 bits. Integers differ by 0."""

STATELESS = {"lava-float", "lava-fixed", "lava-fused"}
"""Backends that start from rest only."""

BY_DEFAULT = {"lava-float": held, "lava-fixed": held, "lava-fused": asked}
"""Backends that start processes -> the features that come once by default: all, or those that a simulator is asked for,
where another one with the same loops meets every case."""

MIDDLE = [
    *("delay_per_synapse", "loop", "noise", "image", "subtract_recurrent", "refractory", "kwta_recurrent"),
    *("int_delays", "int_recurrent", "int_kwta_recurrent"),
    *("sparse", "periodic", "periodic_subtract", "periodic_refractory", "int_sparse", "int_periodic"),
    *("periodic_delays", "int_periodic_delays"),
]
"""Nets with events in flight, refractory counters, constant and changing stimuli at the place where a run is cut."""


@cache
def simulated(backend: str, case: str) -> Recording:
    network, stimulus, n_steps = make(case)
    return run(network, stimulus, n_steps, record=("s", "u", "v"), backend=backend)


def available(backend: str) -> None:
    try:
        load(GROUP, backend)
    except MissingError as error:
        pytest.skip(str(error))


def refusals(backend: str, case: str) -> list[str]:
    network = make(case)[0]
    if case in ADDED:
        unknown = [kind for kind in map(type, network.neurons.values()) if backend not in models()[kind].known_to]
        return [f"of type {kind.__name__}; it knows" for kind in unknown]
    asked = tags(network)
    return [words for tag, words in REFUSES.get(backend, {}).items() if tag in asked]


def cut(stimulus: dict[str, Any], steps: slice) -> dict[str, NDArray]:
    dense = {name: given.dense() if isinstance(given, SpikeRaster) else given for name, given in stimulus.items()}
    axes = {name: array.ndim for name, array in dense.items()}
    return {name: array[:, steps] if axes[name] == 3 else array for name, array in dense.items()}


@pytest.mark.parametrize("case", [case for case in (*CASES, *ADDED) if case not in SPECIAL])
def test_every_population_fires_in_2_to_40_percent_of_its_steps(case):
    recording = simulated("reference", case)
    rates = {name: r.rate for name, r in recording.rasters.items() if spikes(recording.network.populations[name])}
    assert rates
    assert all(0.02 <= rate <= 0.4 for rate in rates.values()), rates


def test_special_nets_are_what_their_names_say():
    assert all(raster.rate == 0 for raster in simulated("reference", "silent").rasters.values())
    assert all(raster.rate == 1 for raster in simulated("reference", "saturated").rasters.values())
    assert all(raster.rate == 0 for raster in simulated("reference", "int_silent").rasters.values())


def test_a_read_out_without_spikes_has_none_and_moves():
    cases = [case for case in CASES if "never spikes" in tags(make(case)[0])]
    assert len(cases) == 4
    for case in cases:
        recording = simulated("reference", case)
        for name in (n for n, p in recording.network.neurons.items() if not spikes(p)):
            assert len(recording.rasters[name]) == 0
            assert (np.ptp(recording.v[name], axis=(0, 1)) > 0).all(), (case, name)
    v = simulated("reference", "int_read_out").v["beside"]
    assert v.max() == 2**23 - 1


def test_integers_wrap_and_saturate_exactly_where_the_case_says():
    seen = {case: simulated("reference", case).overflow["hidden"] for case in ("int_wrap", "int_saturation")}
    assert seen["int_wrap"].wraps > 20
    assert np.abs(simulated("reference", "int_wrap").u["hidden"]).max() > 2**23
    assert seen["int_saturation"].wraps == 0
    v = simulated("reference", "int_saturation").v["hidden"]
    assert v.min() == 1 - 2**23
    assert v.max() == 2**23 - 1
    assert simulated("reference", "int_read_out").overflow["beside"].saturations > 20
    for case in INTEGER:
        if case not in seen and case != "int_read_out":
            assert all(counts == (0, 0, None) for counts in simulated("reference", case).overflow.values()), case


def test_competitions_meet_exact_rank_ties():
    """Losers of a step with the same v as a winner had: only the index decided."""
    for case in ("kwta_ties", "int_kwta"):
        network = make(case)[0]
        hidden = network.neurons["hidden"]
        recording = simulated("reference", case)
        u, v, s = recording.u["hidden"], recording.v["hidden"], recording.rasters["hidden"].dense()
        keep = 1 - hidden.dv if case in FLOAT else (4096 - hidden.dv) / 4096
        before = np.concatenate([np.zeros_like(v[:, :1]), v[:, :-1]], axis=1)
        reached = before * keep if case in FLOAT else np.trunc(before * keep)
        blocks = (reached + u).reshape(*u.shape[:2], hidden.groups, -1)
        winning = s.reshape(blocks.shape)
        lowest = np.where(winning, blocks, np.inf).min(axis=-1, keepdims=True)
        assert np.count_nonzero(~winning & (blocks == lowest)) > 10, case


def test_threshold_is_met_exactly():
    for case, unit in (("threshold_met", 1), ("int_threshold_met", 64)):
        recording = simulated("reference", case)
        for name, neuron in recording.network.neurons.items():
            assert np.count_nonzero(recording.v[name] == neuron.v_threshold * unit) > 10, (case, name)


@pytest.mark.parametrize("backend", BACKENDS)
def test_backend_has_a_module(backend):
    assert find_spec(names(GROUP)[backend].module) is not None


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_declares_the_arithmetics_that_it_does_not_refuse(backend):
    available(backend)
    assert set(declared(backend).arithmetics) == ARITHMETICS.keys() - REFUSES.get(backend, {}).keys()


@pytest.mark.parametrize(("backend", "tag"), [(backend, tag) for backend in REFUSES for tag in REFUSES[backend]])
def test_each_refusal_is_the_only_reason_in_some_case(backend, tag):
    assert backend in BACKENDS
    assert {tag} in [tags(make(case)[0]) & set(REFUSES[backend]) for case in CASES]


def pairs() -> Iterator[Any]:
    """Every backend with every case; what starts Lava meets some of them by default, and all in the long tests."""
    for backend in OTHERS:
        features_of = BY_DEFAULT.get(backend)
        by_default = few(FLOAT, 1, features_of) | few(INTEGER, 1, features_of) if features_of else CASES
        for case in (*CASES, *ADDED):
            starts = case not in (*by_default, *ADDED) and not refusals(backend, case)
            yield pytest.param(backend, case, marks=pytest.mark.long if starts else ())


@pytest.mark.parametrize(("backend", "case"), list(pairs()))
def test_backend_agrees_spike_for_spike(backend, case):
    available(backend)
    refused = refusals(backend, case)
    if refused:
        with pytest.raises(UnsupportedError, match="|".join(refused)):
            simulated(backend, case)
        return
    comparison = compare(simulated("reference", case), simulated(backend, case))
    assert comparison.equal, str(comparison)
    assert comparison.ties == ()
    allowed = 0 if case in INTEGER else ROUNDING.get(backend, 0)
    assert all(gap <= allowed for gaps in comparison.values.values() for gap in gaps), comparison.values


def able(backends: list[str], cases: list[str]) -> list[tuple[str, str]]:
    return [(backend, case) for backend in backends for case in cases if not refusals(backend, case)]


# A cut after two steps is shorter than the longest lag: what is under way then outlives the second half's first steps.
@pytest.mark.parametrize(("start", "middle"), [("reference", 2), ("itself", 11)])
@pytest.mark.parametrize(("backend", "case"), able([b for b in BACKENDS if b not in STATELESS], MIDDLE))
def test_two_halves_are_one_whole(backend, case, start, middle):
    available(backend)
    network, stimulus, n_steps = make(case)
    whole = simulated("reference", case)
    parts, state = [], None
    for steps, simulator in ((slice(0, middle), start), (slice(middle, n_steps), "itself")):
        parts.append(
            run(
                network,
                cut(stimulus, steps),
                steps.stop - steps.start,
                record=("s", "u", "v"),
                state=state,
                backend=backend if simulator == "itself" else simulator,
            )
        )
        state = parts[-1].state
    assert state.step == n_steps
    for name in network.neurons:
        joined = np.concatenate([part.rasters[name].dense() for part in parts], axis=1)
        np.testing.assert_array_equal(joined, whole.rasters[name].dense())
        for key in ("u", "v"):
            joined = np.concatenate([getattr(part, key)[name] for part in parts], axis=1)
            allowed = 0 if case in INTEGER else ROUNDING.get(backend, 0)
            np.testing.assert_allclose(joined, getattr(whole, key)[name], rtol=0, atol=allowed)


@pytest.mark.parametrize("wrong", ["too many samples", "too few samples", "other network"])
@pytest.mark.parametrize("backend", [name for name in BACKENDS if name not in STATELESS])
def test_a_state_of_another_run_is_refused(backend, wrong):
    available(backend)
    network, stimulus, n_steps = make("skip")
    source, n_samples = network, {"too many samples": 1, "too few samples": 3}.get(wrong, 2)
    if wrong == "other network":
        balanced = [p for p in network.projections if not any(network.lags(p))]
        source = replace(network, projections=balanced)
    state = run(source, {"pixels": np.zeros((n_samples, 10), int)}, 5).state
    with pytest.raises(DlmError, match="the state does not fit population"):
        run(network, stimulus, n_steps, state=state, backend=backend)


@pytest.mark.parametrize("backend", sorted(STATELESS & set(BACKENDS)))
def test_stateless_backend_says_so(backend):
    available(backend)
    network, stimulus, n_steps = make("int_plain" if "float" in REFUSES.get(backend, {}) else "plain")
    state = run(network, stimulus, n_steps).state
    with pytest.raises(UnsupportedError, match="state"):
        run(network, stimulus, n_steps, state=state, backend=backend)


@pytest.mark.parametrize(("backend", "case"), able(BACKENDS, ["filtered", "loop", "int_plain", "int_recurrent"]))
def test_samples_are_independent(backend, case):
    """Permuted samples give permuted rasters: nothing is left over from the sample before."""
    available(backend)
    network, stimulus, n_steps = make(case)
    straight = simulated("reference", case)
    order = np.roll(np.arange(straight.n_samples), 1)
    permuted = run(network, {name: given[order] for name, given in stimulus.items()}, n_steps, backend=backend)
    for name, raster in straight.rasters.items():
        np.testing.assert_array_equal(permuted.rasters[name].dense(), raster.dense()[order])


@pytest.mark.parametrize("case", [case for case in CASES if make(case)[1]])
def test_a_sample_alone_runs_as_in_a_batch(case):
    network, stimulus, n_steps = make(case)
    whole = simulated("reference", case)
    last = whole.n_samples - 1
    alone = {name: given[last] if isinstance(given, SpikeRaster) else given[last:] for name, given in stimulus.items()}
    for name, raster in run(network, alone, n_steps).rasters.items():
        assert raster == whole.rasters[name][last]


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("features_of", [held, asked])
@pytest.mark.parametrize("cases", [FLOAT, INTEGER], ids=["float", "integer"])
def test_the_cases_by_default_hold_whatever_all_hold(cases, times, features_of):
    chosen = few(cases, times, features_of)
    assert len(chosen) < len(cases)
    for feature in frozenset().union(*map(features_of, cases)):
        having = [case for case in cases if feature in features_of(case)]
        assert len(chosen.intersection(having)) >= min(times, len(having)), feature


def test_unknown_backend_is_named_with_the_nearest():
    network, stimulus, n_steps = make("plain")
    with pytest.raises(DlmError, match=r"no backend 'referense'; did you mean 'reference'\?"):
        run(network, stimulus, n_steps, backend="referense")


def test_a_package_that_is_not_there_is_named(monkeypatch):
    far = EntryPoint("far", "package_that_is_not_there.backend", GROUP)
    monkeypatch.setattr(plugins, "names", lambda group: {"far": far})
    network, stimulus, n_steps = make("plain")
    with pytest.raises(MissingError, match="backend 'far' needs the package 'package_that_is_not_there'"):
        run(network, stimulus, n_steps, backend="far")


@pytest.mark.parametrize(("backend", "case"), able(BACKENDS, ["skip", "int_plain"]))
def test_only_what_is_asked_for_is_recorded(backend, case):
    available(backend)
    network, stimulus, n_steps = make(case)
    first, *_, last = network.neurons
    whole = simulated("reference", case)
    part = run(network, stimulus, n_steps, record={last: "s", first: ("v",)}, backend=backend)
    assert (set(part.rasters), set(part.u), set(part.v)) == ({last}, set(), {first})
    assert part.rasters[last] == whole.rasters[last]
    np.testing.assert_allclose(part.v[first], whole.v[first], rtol=0, atol=ROUNDING.get(backend, 0))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"hiden": "s"}, "record names 'hiden', which is no neuron population; did you mean 'hidden'"),
        ({"pixels": "s"}, "record names 'pixels', which is no neuron population"),
        ({"hidden": ("s", "w")}, "record names 'w'"),
        (("mem",), "record names 'mem'"),
    ],
)
def test_what_cannot_be_recorded_is_named(record, message):
    network, stimulus, n_steps = make("recurrent")
    with pytest.raises(DlmError, match=message):
        run(network, stimulus, n_steps, record=record)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("backend", ["reference", "fast", "torch"])
def test_an_accumulator_that_leaves_its_range_is_named(backend):
    network, stimulus, n_steps = make("int_wrap")
    neuron = reference.run(network, stimulus, n_steps).overflow["hidden"].neuron
    with pytest.warns(RangeWarning, match=rf"hidden\[{neuron}\] .* u wrapped 255 times, v saturated 91 times in all"):
        run(network, stimulus, n_steps, backend=backend)
    run(*make("int_plain"), backend=backend)
