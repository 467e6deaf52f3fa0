"""Time's arrow in states, spikes, membrane paths and transfer; temperature on integer membranes."""

from __future__ import annotations

from itertools import product
from math import log, sqrt

import numpy as np
import pytest

from dlm_snn import LIF, Dense, DlmError, Input, Network, Projection, SpikeRaster, run
from dlm_snn.analysis import irreversibility, irreversibility_of_states
from dlm_snn.physics.membranes.flux import edge_currents, spike_flux
from dlm_snn.physics.membranes.integer_noise import calibration, integer_variance, simulate
from dlm_snn.physics.membranes.irreversibility import (
    chain_entropy_production,
    from_spikes,
    from_states,
    path_entropy_production,
)
from dlm_snn.physics.membranes.noise import antisymmetric_ring
from dlm_snn.physics.weights import ornstein_uhlenbeck as ou


def ring(p: float, q: float) -> np.ndarray:
    """Three states: p forwards, q backwards."""
    return (1 - p - q) * np.eye(3) + p * np.roll(np.eye(3), 1, 1) + q * np.roll(np.eye(3), -1, 1)


def walk(p: float, q: float, n: int, rng: np.random.Generator) -> np.ndarray:
    return np.cumsum(rng.choice([1, 2, 0], n, p=[p, q, 1 - p - q])) % 3


def test_three_states_in_a_ring():
    assert (0.4 - 0.1) * log(4) == pytest.approx(0.4158883, rel=1e-7)
    assert chain_entropy_production(ring(0.4, 0.1)) == pytest.approx(0.4158883, rel=1e-7)
    assert chain_entropy_production(ring(0.25, 0.25)) == pytest.approx(0, abs=1e-15)
    assert chain_entropy_production([[0, 1, 0], [0, 0, 1], [1, 0, 0]]) == np.inf
    rng = np.random.default_rng(1)
    driven = from_states(walk(0.4, 0.1, 100_000, rng), 3)
    assert abs(driven.sigma - 0.4158883) < 4 * 0.0035
    assert driven.resolved
    still = from_states(walk(0.25, 0.25, 100_000, rng), 3)
    assert still.sigma < 1e-4
    assert not still.resolved
    assert "not resolved" in str(still)


def test_the_null_bias_is_that_of_the_number_of_pairs():
    rng = np.random.default_rng(2)
    for n, expected in ((100, 0.0212), (1000, 0.00175)):
        found = np.mean([from_states(walk(0.25, 0.25, n, rng), 3, 0.0).sigma for _ in range(200)])
        assert found == pytest.approx(expected, rel=0.35)
        assert 0.3 < found / from_states(walk(0.25, 0.25, n, rng), 3).bias < 2


def couplings(n: int, alpha: float) -> np.ndarray:
    """(S + alpha A) / sqrt(n) with the symmetric and the antisymmetric part of two normal matrices, seed 3."""
    rng = np.random.default_rng(3)
    first, second = rng.normal(size=(n, n)), rng.normal(size=(n, n))
    return ((first + first.T) + alpha * (second - second.T)) / 2 / sqrt(n)


def kinetic_ising(coupling: np.ndarray) -> np.ndarray:
    """P over the 2^n words of n spins that are all updated at once."""
    n = len(coupling)
    words = np.array(list(product((-1, 1), repeat=n)))
    up = 1 / (1 + np.exp(-2 * words @ coupling.T))
    return np.array([[np.prod(np.where(target > 0, u, 1 - u)) for target in words] for u in up])


def test_kinetic_spins_by_enumeration():
    """Symmetric couplings produce no entropy; antisymmetric ones do, and words of three neurons tell how much."""
    for n, exact in ((3, (0.0, 0.36872, 1.50859)), (5, (0.0, 1.96444, 9.83385))):
        found = [chain_entropy_production(kinetic_ising(couplings(n, alpha))) for alpha in range(3)]
        assert found == pytest.approx(exact, rel=0, abs=5e-6)
        assert abs(found[0]) < 1e-12
    rng = np.random.default_rng(4)
    for n, alpha, exact, tolerance in ((3, 1, 0.36872, 0.03), (3, 2, 1.50859, 0.06)):
        found = from_states(spins(kinetic_ising(couplings(n, alpha)), 100_000, rng), 2**n)
        assert found.sigma == pytest.approx(exact, rel=tolerance)
    # Words of five at alpha = 2: even 1e5 steps give half of it, and the plug-in a tenth; both say so.
    states = spins(kinetic_ising(couplings(5, 2)), 100_000, rng)
    for pseudo_count, most in ((0.5, 0.7), (0.0, 0.2)):
        found = from_states(states, 32, pseudo_count)
        assert found.sigma < most * 9.83385
        assert not found.resolved


def spins(p: np.ndarray, n_steps: int, rng: np.random.Generator) -> np.ndarray:
    """Words of a chain with the transitions p, from the first word."""
    states, edges = np.zeros(n_steps, dtype=int), p.cumsum(1)
    for t, chance in enumerate(rng.random(n_steps - 1)):
        states[t + 1] = min(np.searchsorted(edges[states[t]], chance), len(p) - 1)
    return states


def test_one_way_transitions_raise_the_alarm():
    """A deterministic cycle: the plug-in estimate is 0, the worst answer, and neither is resolved."""
    states = np.arange(3000) % 3
    assert from_states(states, 3, 0.0).sigma == 0
    alarmed = from_states(states, 3)
    assert alarmed.sigma > 5
    assert alarmed.one_way == 1
    assert not alarmed.resolved


def test_words_of_neurons():
    rng = np.random.default_rng(4)
    first = rng.random((1, 50_000)) < 0.2
    follower = np.roll(first, 1, 1) & (rng.random(first.shape) < 0.8)
    raster = SpikeRaster.from_dense(np.stack([first, follower], -1))
    assert from_spikes(raster, [0, 1]).sigma > 0.02
    assert from_spikes(raster, [0]).sigma == pytest.approx(0, abs=1e-8)
    current = edge_currents(raster)
    np.testing.assert_array_equal(current, -current.T)
    assert current[0, 1] > 0.1
    with pytest.raises(DlmError, match="5 neurons in a word; give 1 to 4"):
        from_spikes(SpikeRaster.from_dense(np.zeros((1, 2, 6), bool)), range(5))


def test_a_ring_of_membranes_produces_path_entropy_and_no_joules():
    """N = 6, a = .03, tau = 20, T = .01: sigma = tau |A|^2 = .216, chain .21713 at dt = .1; v.Av = 0."""
    n, a, tau, temperature, dt = 6, 0.03, 20.0, 0.01, 0.1
    current = antisymmetric_ring(n, a)
    drift = current - np.eye(n) / tau
    noise = temperature / tau * np.eye(n)
    assert tau * (current**2).sum() == pytest.approx(0.216)
    assert ou.entropy_production(-drift, noise) == pytest.approx(0.216)
    assert ou.chain_entropy_production(-drift, noise, dt) == pytest.approx(0.21713, rel=1e-4)
    assert ou.chain_entropy_production(-drift, noise, 1.0) == pytest.approx(0.227848, rel=1e-5)
    rng = np.random.default_rng(6)
    paths, n_steps = 2000, 400
    v = np.empty((paths, n_steps + 1, n))
    v[:, 0] = rng.standard_normal((paths, n)) * sqrt(temperature / (1 - dt / 2 / tau * (1 + (tau * a * 2) ** 2)))
    v[:, 0] = rng.multivariate_normal(np.zeros(n), ou.chain_covariance(-drift, noise, dt), paths)
    for t in range(n_steps):
        kick = sqrt(2 * temperature / tau * dt) * rng.standard_normal((paths, n))
        v[:, t + 1] = v[:, t] + dt * v[:, t] @ drift.T + kick
    produced = path_entropy_production(v, drift, np.full(n, temperature / tau)) / (n_steps * dt)
    assert abs(produced.mean() - 0.21713) < 4 * produced.std() / sqrt(paths)
    assert np.abs((v @ current.T * v).sum(-1)).max() < 1e-15
    leak = (v**2).sum(-1).mean() / tau / temperature
    assert leak == pytest.approx(0.3011, rel=0.03)


def test_spike_flux_counts_spikes_times_fan_out():
    weight = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    network = Network(
        {"x": Input((2,)), "h": LIF((2,), dv=0.0, v_threshold=0.5), "o": LIF((3,), dv=0.5)},
        [Projection("x", "h", Dense(np.eye(2))), Projection("h", "o", Dense(weight))],
    )
    spikes = np.zeros((1, 10, 2), bool)
    spikes[0, :4, 0] = True
    spikes[0, :2, 1] = True
    flux = spike_flux(run(network, {"x": spikes}, 10))
    assert flux == {"h->o": pytest.approx((4 * 2 + 2 * 1) / 10)}


def test_stochastic_rounding_alone_is_no_temperature():
    v = simulate(0, 410, "stochastic", 500, 100, np.random.default_rng(7))
    assert not v.any()


@pytest.mark.parametrize(("dv", "bits"), [(410, 4), (41, 3), (410, 6)])
def test_noise_with_stochastic_rounding_has_the_closed_form(dv, bits):
    assert calibration(bits, dv, np.random.default_rng(8), "stochastic", n=20_000) == pytest.approx(1.005, abs=0.015)


@pytest.mark.parametrize(
    ("dv", "bits", "share"), [(410, 4, 0.71), (410, 6, 0.91), (41, 3, 0.125), (41, 4, 0.42), (41, 5, 0.61)]
)
def test_truncation_is_a_dry_friction(dv, bits, share):
    found = calibration(bits, dv, np.random.default_rng(9), n=1500)
    assert found == pytest.approx(share, abs=0.12)
    assert calibration(bits, dv, np.random.default_rng(9), scale=64, n=1500) > max(0.95, found)


def test_stochastic_rounding_would_make_a_temperature_by_its_formula():
    """(1/6) / (1 - beta^2): what it does not do, see above."""
    assert [integer_variance(0, dv) for dv in (410, 41, 10)] == pytest.approx([0.877, 8.37, 34.2], rel=2e-3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: from_states([0, 3, 1], 3), r"states\[1\] = 3 is not in 0\.\.2"),
        (lambda: from_states([0, -1, 1], 3), r"states\[1\] = -1 is not in 0\.\.2"),
        (lambda: from_states([0, 0.5], 3), r"states\[1\] = 0\.5 is not a whole number"),
        (lambda: chain_entropy_production([[0.5, 0.4], [0.5, 0.5]]), "rows of a transition matrix sum to 1"),
        (lambda: integer_variance(-1, 410), r"bits = -1 is not in 0\.\.24"),
    ],
)
def test_what_has_no_arrow_of_time_is_refused(make, message):
    with pytest.raises(DlmError, match=message):
        make()


def test_a_variance_without_a_leak_is_refused():
    with pytest.raises(DlmError, match=r"dv = 0 is not in 1\.\.4095"):
        integer_variance(4, 0)
    with pytest.raises(DlmError, match="rounding = 'floor'"):
        integer_variance(4, 10, "floor")


def test_the_estimate_comes_with_an_interval_and_a_control():
    rng = np.random.default_rng(10)
    found = irreversibility_of_states(walk(0.4, 0.1, 10_000, rng), rng)
    assert found.resolved
    assert found.interval[0] < 0.4158883 < found.interval[1]
    # The variance of ln(p_ij / p_ji) + 1 - p_ji / p_ij over the steps of the ring is 3.58.
    assert found.interval[1] - found.interval[0] == pytest.approx(2 * 1.96 * sqrt(3.576 / 10_000), rel=0.4)
    assert found.controls[0].interval[1] < 0.003
    assert not irreversibility_of_states(walk(0.25, 0.25, 10_000, rng), rng).resolved


def follower(n_steps: int, rng: np.random.Generator, n_neurons: int = 2) -> SpikeRaster:
    """The second neuron repeats the first, often, and spikes on its own; the others are noise."""
    spikes = rng.random((2, n_steps, n_neurons)) < 0.2
    spikes[:, 1:, 1] |= spikes[:, :-1, 0] & (rng.random((2, n_steps - 1)) < 0.6)
    return SpikeRaster.from_dense(spikes)


def test_words_are_held_against_spikes_shifted_in_time():
    rng = np.random.default_rng(11)
    found = irreversibility(follower(20_000, rng), rng, [0, 1])
    assert found.resolved
    assert found.controls[0].name == "shifted in time"
    assert found.controls[0].interval[1] < found.interval[0]
    noise = SpikeRaster.from_dense(rng.random((2, 20_000, 3)) < 0.2)
    assert not irreversibility(noise, rng).resolved
    three = irreversibility(follower(20_000, rng, 6), rng)
    assert three.estimator.startswith("words of 3 neurons")


@pytest.mark.parametrize(
    ("raster", "doubt"),
    [
        (lambda rng: SpikeRaster.from_dense(np.eye(3, dtype=bool)[None, np.arange(999) % 3]), "never seen backwards"),
        (lambda rng: follower(40, rng), "is not 10 times the bias"),
        (lambda rng: SpikeRaster.from_dense(np.zeros((1, 50, 3), bool)), "one word only"),
        (lambda rng: SpikeRaster.from_dense(np.ones((1, 1, 3), bool)), "no word follows another"),
        (
            lambda rng: follower(5000, rng)[:, :, 1:],
            "does not apply: needs two neurons or more, one neuron has 0 by construction",
        ),
        (lambda rng: SpikeRaster.from_dense(rng.random((1, 8000, 3)) < np.repeat([0.05, 0.4], 4000)[:, None]), "bias"),
    ],
    ids=["one-way", "few", "constant", "one step", "one neuron", "step in the rates"],
)
def test_traps_are_no_production(raster, doubt):
    rng = np.random.default_rng(12)
    found = irreversibility(raster(rng), rng)
    assert found.value is None
    assert any(doubt in told for told in found.doubts)


def test_numbers_of_states_are_names():
    """States that are called 0, 5 and 2^20 give what 0, 1 and 2 give."""
    states = walk(0.4, 0.1, 2000, np.random.default_rng(3))
    found = [
        irreversibility_of_states(one, np.random.default_rng(4)) for one in (states, np.array([0, 5, 2**20])[states])
    ]
    assert found[0].resolved
    assert found[1].interval == pytest.approx(found[0].interval)
    assert found[1].controls == found[0].controls


@pytest.mark.parametrize(
    ("states", "n_states", "message"),
    [
        ([0, 1, 2], 2.5, r"n_states = 2\.5 is not a whole number of states"),
        ([0, 1, 2], 0, "n_states = 0 is not"),
        ([0, 1, 2], 2, r"states\[2\] = 2 is not in 0\.\.1"),
        (np.zeros((2, 3, 4), int), None, r"states have shape \(2, 3, 4\); give \(step,\) or \(sequence, step\)"),
        (np.arange(300_000), None, "transitions between 300000 different states, .* takes .* GiB"),
    ],
)
def test_what_are_no_states_is_refused(states, n_states, message):
    with pytest.raises(DlmError, match=message):
        irreversibility_of_states(states, np.random.default_rng(0), n_states)


def test_a_walk_that_turns_now_and_then_has_an_interval_that_reaches_0():
    """Its drift is even in the long run; a thousand steps one way are no arrow of time."""
    rng = np.random.default_rng(2)
    turn = np.repeat(rng.choice([-1, 1], 20), 1000)
    walk = np.cumsum(np.where(rng.random(20_000) < 0.8, turn, -turn)) % 3
    assert "the interval reaches 0" in irreversibility_of_states(walk, rng).doubts
