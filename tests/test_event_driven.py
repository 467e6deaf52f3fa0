"""Event-driven membranes are the clocked ones up to rounding, touch only what events reach, and close their books."""

from __future__ import annotations

import numpy as np
import pytest

from dlm_snn import LIF, Dense, Input, Network, Projection, UnsupportedError, compare, run
from dlm_snn.physics.membranes.event_driven import simulate_events
from dlm_snn.physics.membranes.ledger import membrane_ledger
from tests.nets import FLOAT, INTEGER, make


def applies(case: str) -> bool:
    return all(np.all(np.asarray(n.du) == 1) and not np.any(n.bias) for n in make(case)[0].neurons.values())


CASES = [case for case in FLOAT if applies(case)]


def test_it_applies_to_most_cases():
    assert len(CASES) > len(FLOAT) / 2


@pytest.mark.parametrize("case", CASES)
def test_events_give_the_clocked_rasters_and_energies(case):
    network, stimulus, n_steps = make(case)
    clocked = run(network, stimulus, n_steps, record=("s", "u", "v"))
    recording, counts = simulate_events(network, stimulus, n_steps, record=("s", "u", "v"))
    comparison = compare(clocked, recording)
    assert comparison.equal, str(comparison)
    assert len(comparison.ties) <= 0.01 * recording.n_samples
    assert all(gap < 1e-12 for gaps in comparison.values.values() for gap in gaps)
    assert counts.updates <= counts.received
    closing = counts.stored - (counts.injected - counts.leak - counts.reset)
    assert abs(closing) <= 1e-13 * max(abs(counts.injected), counts.leak + counts.reset, 1e-300)
    totals = [membrane_ledger(clocked, stimulus, name).totals() for name in network.neurons]
    for name in ("injected", "leak", "reset"):
        exact = sum(total[name] for total in totals)
        scale = sum(float(total["leak"] + total["reset"]) for total in totals)
        assert getattr(counts, name) == pytest.approx(exact, abs=1e-12 * scale)


def test_a_step_without_events_touches_nobody():
    network = Network(
        {"x": Input((20,)), "h": LIF((500,), dv=0.1, v_threshold=1.0)},
        [Projection("x", "h", Dense(np.full((500, 20), 0.01)))],
    )
    spikes = np.zeros((1, 400, 20), bool)
    spikes[0, ::100, 3] = True
    _, counts = simulate_events(network, {"x": spikes}, 400)
    assert counts.received == counts.updates == 4 * 500
    assert counts.looks == 0


@pytest.mark.parametrize(
    ("neuron", "words"),
    [
        (LIF((2,), du=0.5, dv=0.1), r"event-driven cannot do the current memory of 'h' \(du < 1\).*clocked"),
        (LIF((2,), dv=0.1, bias=0.1), "event-driven cannot do the bias of 'h'.*clocked"),
    ],
)
def test_what_has_no_closed_form_is_refused_by_name(neuron, words):
    with pytest.raises(UnsupportedError, match=words):
        simulate_events(Network({"h": neuron}, ()), {}, 5)


def test_integers_are_refused_by_name():
    network, stimulus, n_steps = make(next(iter(INTEGER)))
    with pytest.raises(UnsupportedError, match="integers: a truncated decay has no closed form"):
        simulate_events(network, stimulus, n_steps)
