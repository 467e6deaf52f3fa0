"""Lyapunov exponents, damage spreading and periods, against closed forms and brute force."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn import DlmError
from dlm_snn.analysis import (
    PulseCoupled,
    damage_spreading,
    find_period,
    lyapunov_exponent,
    lyapunov_exponents,
)
from dlm_snn.analysis.estimators._lyapunov_compiled import advance
from dlm_snn.analysis.estimators.damage import Damage
from tests.autonomous import by_brute_force, gated, random_network


def logistic(r: float, start: float, n_steps: int = 3000, **more):
    return lyapunov_exponent(lambda x: r * x * (1 - x), lambda x: r * (1 - 2 * x), start, n_steps, **more)


def test_the_logistic_map_at_4_has_ln_2():
    found = logistic(4, 0.3)
    assert found.resolved
    assert found.interval[0] < log(2) < found.interval[1]
    assert found.interval[1] - found.interval[0] < 0.03
    assert found.controls[0].value == pytest.approx(log(2), abs=0.01)


def test_a_stable_cycle_of_two_has_the_exponent_of_its_points():
    """At r = 3.2: (ln |f'(p) f'(q)|) / 2 = ln |4 + 2 r - r^2| / 2."""
    found = logistic(3.2, 0.3)
    assert found.estimate == pytest.approx(log(abs(4 + 2 * 3.2 - 3.2**2)) / 2)
    assert found.resolved


def test_maps_of_constant_slope():
    """x -> 1.5 x mod 1 has ln 1.5 everywhere."""
    found = lyapunov_exponent(lambda x: 1.5 * x % 1, lambda x: 1.5, 0.1234, 2000)
    assert found.estimate == pytest.approx(log(1.5))


def test_what_is_no_exponent_is_not_resolved():
    """Rounding ends at a fixed point that no neighbor stays at; the derivative of another map; infinity."""
    assert "rounding holds it there" in logistic(4, 0.5).doubts[0]
    wrong = lyapunov_exponent(lambda x: 4 * x * (1 - x), lambda x: 3.0, 0.3, 1000)
    assert "the derivative is not that of f" in wrong.doubts[0]
    assert "leaves the numbers" in str(lyapunov_exponent(lambda x: 2 * x + 1, lambda x: 2, 1.0, 3000))
    assert "20 steps; 100 are needed" in str(logistic(4, 0.3, 20))


def test_one_neuron_under_constant_drive_has_exactly_0():
    """Saltation f(v_reset) / f(v_threshold) undoes e^{-T / tau}; without it the exponent is -1 / tau = -.05."""
    network = PulseCoupled([[0.0]], drive=1.5, tau=20.0)
    (found,) = lyapunov_exponents(network, 100, np.random.default_rng(0), n_exponents=1)
    assert abs(found.estimate) < 1e-15
    assert found.resolved
    logs, times = np.zeros((100, 1)), np.zeros(100)
    v = np.array([0.3])
    advance(
        v,
        np.ones((1, 1)),
        *(network.weight, network.drive, network.tau, network.v_threshold, network.v_reset),
        logs,
        times,
    )
    period = 20 * log(1.5 / 0.5)
    np.testing.assert_allclose(times[1:], period)
    naive = -times[1:].sum() / 20 / times[1:].sum()
    assert naive == pytest.approx(-0.05)


def inhibitory(n: int, rng: np.random.Generator) -> PulseCoupled:
    weight = -np.abs(rng.normal(0, 0.05, (n, n))) * (rng.random((n, n)) < 0.4)
    np.fill_diagonal(weight, 0)
    return PulseCoupled(weight, drive=rng.uniform(1.4, 1.8, n), tau=20.0)


def test_an_inhibitory_network_is_stable():
    """0 along the orbit, all others negative (Zillmer et al. 2006), and the sum is the logarithm of the determinant."""
    rng = np.random.default_rng(1)
    network = inhibitory(12, rng)
    found = lyapunov_exponents(network, 6000, rng, n_exponents=12)
    low, high = found[0].interval
    assert low < 0 < high
    assert high - low < 2e-3
    assert all(one.interval[1] < 0 for one in found[1:])
    # Between spikes e^{-n t / tau}; at each spike of j the determinant is f_j(v_reset) / f_j(v_threshold).
    slowest, fastest = (np.log(d / (d - 1)) for d in (network.drive.max(), network.drive.min()))
    rate = (12 / 20 + sum(one.estimate for one in found)) / np.mean([slowest, fastest])
    spikes_per_time = 6000 / duration(network, 6000)
    assert rate == pytest.approx(spikes_per_time, rel=0.15)


def duration(network: PulseCoupled, n_spikes: int) -> float:
    times = np.zeros(n_spikes)
    v = np.linspace(0.05, 0.95, network.n)
    tangent = np.eye(network.n)[:, :1].copy()
    parameters = network.weight, network.drive, network.tau, network.v_threshold, network.v_reset
    advance(v, tangent, *parameters, np.zeros((n_spikes, 1)), times)
    return float(times.sum())


def test_the_tangent_is_what_neighbors_do():
    """A network and a neighbor 1e-7 away, 200 spikes on: the difference is the tangent vector times its growth."""
    rng = np.random.default_rng(2)
    network = inhibitory(8, rng)
    parameters = network.weight, network.drive, network.tau, network.v_threshold, network.v_reset
    v = rng.random(8)
    direction = rng.standard_normal((8, 1))
    direction /= np.linalg.norm(direction)
    near, tangent = v + 1e-7 * direction[:, 0], direction.copy()
    logs, times, other = np.zeros((200, 1)), np.zeros(200), np.zeros(200)
    advance(v, tangent, *parameters, logs, times)
    advance(near, direction, *parameters, np.zeros((200, 1)), other)
    # Both were stopped at their own last spike: bring the neighbor to the time of the first.
    late = times.sum() - other.sum()
    near = network.drive + (near - network.drive) * np.exp(-late / network.tau)
    grown = tangent[:, 0] * np.exp(logs.sum())
    np.testing.assert_allclose((near - v) / 1e-7, grown, rtol=1e-3, atol=1e-4 * np.abs(grown).max())


def test_a_pulse_that_lifts_others_to_the_threshold_fires_them_at_once():
    """Three neurons, one strong synapse each to the next: all spike in one instant and go on together."""
    network = PulseCoupled([[0, 0, 0], [2, 0, 0], [0, 2, 0]], drive=[1.5, 0.5, 0.5])
    parameters = network.weight, network.drive, network.tau, network.v_threshold, network.v_reset
    v, logs, times = np.array([0.9, 0.1, 0.1]), np.zeros((3, 1)), np.zeros(3)
    assert advance(v, np.ones((3, 1)), *parameters, logs, times) == 3
    np.testing.assert_array_equal(v, 0)
    np.testing.assert_allclose(times[1:], log(3))


def test_a_silent_network_has_the_exponents_of_its_leaks():
    network = PulseCoupled(np.zeros((3, 3)), drive=0.5, tau=[10.0, 20.0, 40.0])
    found = lyapunov_exponents(network, 10, np.random.default_rng(0), n_exponents=3)
    assert [one.estimate for one in found] == [-1 / 40, -1 / 20, -1 / 10]
    few = lyapunov_exponents(PulseCoupled(np.zeros((3, 3)), drive=1.5), 20, np.random.default_rng(0))
    assert "10 each are needed" in few[0].doubts[0]


@pytest.mark.parametrize("weight", [0.3, 5.0])
def test_neurons_that_are_reset_together_have_no_finite_second_exponent(weight):
    """What told them apart is gone in one instant; what is left of it are rounding errors, ln 1.5e-16 per period."""
    network = PulseCoupled([[0, weight], [weight, 0]], drive=1.5, tau=20.0)
    first, second = lyapunov_exponents(network, 200, np.random.default_rng(0), 2)
    assert first.resolved
    assert abs(first.estimate) < 1e-9
    assert "minus infinity" in second.doubts[0]
    assert not second.resolved


def shifts(fan_out: int, n: int = 60) -> dlm.Network:
    """Each neuron fires ``fan_out`` others in the next step, whoever else does: v keeps nothing."""
    weight = sum((np.roll(np.eye(n), k, 0) for k in (7, 31)[:fan_out]), np.zeros((n, n)))
    return dlm.Network(
        {"x": dlm.Input((n,)), "a": dlm.LIF((n,), dv=1.0, v_threshold=0.5)},
        [dlm.Projection("x", "a", dlm.Dense(np.eye(n))), dlm.Projection("a", "a", dlm.Dense(weight))],
    )


@pytest.mark.parametrize(("fan_out", "verdict"), [(0, "ordered"), (1, None), (2, "chaotic")])
def test_damage_grows_by_the_fan_out(fan_out, verdict):
    """A spike too many fires as many others as the neuron has synapses: slopes 0, 1 and 2, exactly 1 undecided."""
    rng = np.random.default_rng(3)
    silent = {"x": np.zeros((2, 40, 60), bool)}
    damage = damage_spreading(shifts(fan_out), silent, 40, rng, n_flips=30, horizon=3)
    # Two shifts cross: after t steps there are t + 1 different sums of them, not 2^t.
    expected = {0: [1, 0, 0, 0], 1: [1, 1, 1, 1], 2: [1, 2, 3, 4]}[fan_out]
    np.testing.assert_array_equal(damage.distance, np.tile(expected, (30, 1)))
    assert damage.slope.estimate == fan_out
    assert damage.unflipped == 0
    assert damage.slope.name == ("damage slope" if verdict is None else f"damage slope ({verdict})")
    assert damage.slope.resolved == (verdict is not None)


@pytest.mark.parametrize(("chance", "name"), [(0.25, "ordered"), (0.6, "chaotic")])
def test_the_slope_is_the_mean_number_of_followers(chance, name):
    """A branching process with shared noise: 2 * chance."""
    rng = np.random.default_rng(9)
    slope = damage_spreading(*gated(chance, rng), 40, rng, horizon=10).slope
    low, high = slope.interval
    assert low < 2 * chance < high
    assert high - low < 0.2
    assert slope.name == f"damage slope ({name})"


def random_recurrent(strength: float) -> tuple[dlm.Network, dict[str, np.ndarray]]:
    rng = np.random.default_rng(4)
    n = 100
    weight = dlm.Dense(strength * rng.normal(0, 1, (n, n)) / 10)
    network = dlm.Network(
        {"x": dlm.Input((n,)), "a": dlm.LIF((n,), dv=0.1, v_threshold=0.5)},
        [dlm.Projection("x", "a", dlm.Dense(np.eye(n))), dlm.Projection("a", "a", weight)],
    )
    return network, {"x": rng.random((10, 60, n)) < 0.02}


def test_strong_random_coupling_is_chaotic_and_weak_is_ordered():
    rng = np.random.default_rng(5)
    for strength, name in ((0.3, "damage slope (ordered)"), (2.0, "damage slope (chaotic)")):
        network, stimulus = random_recurrent(strength)
        slope, left = damage_spreading(network, stimulus, 60, rng, n_flips=60).findings()
        assert slope.name == name
        assert slope.controls[0].value == 0
        if "chaotic" in name:
            assert 0.8 < left.estimate < 1.2  # as far apart as twins that share nothing
        else:
            assert left.estimate < 0.1


def test_integers_and_layers_that_only_feed_forward():
    """A flip in the last layer shows in its own step and never again; quantized networks are flipped alike."""
    rng = np.random.default_rng(6)
    network = dlm.Network(
        {"x": dlm.Input((6,)), "h": dlm.LIF((8,), dv=0.2), "o": dlm.LIF((4,), dv=0.2)},
        [
            dlm.Projection("x", "h", dlm.Dense(rng.random((8, 6)))),
            dlm.Projection("h", "o", dlm.Dense(rng.random((4, 8)))),
        ],
    )
    stimulus = {"x": rng.random((9, 30, 6)) < 0.3}
    integer, _ = dlm.quantize(network, calibration=stimulus, n_steps=30)
    for net in (network, integer):
        last = damage_spreading(net, stimulus, 30, rng, n_flips=40, populations=["o"])
        np.testing.assert_array_equal(last.distance[:, 0], 1)
        np.testing.assert_array_equal(last.distance[:, 1:], 0)
        assert last.slope.name == "damage slope (ordered)"
        hidden = damage_spreading(net, stimulus, 30, rng, n_flips=40, populations=["h"])
        assert hidden.distance[:, 0].max() > 1  # in the same step of window time as the layer behind


def test_the_distance_of_twins_is_drawn():
    from matplotlib.figure import Figure

    from dlm_snn.analysis.plots.damage_plot import draw_damage

    rng = np.random.default_rng(8)
    damage = damage_spreading(shifts(2), {"x": np.zeros((2, 20, 60), bool)}, 20, rng, n_flips=20, horizon=3)
    mean, unrelated = draw_damage(damage, Figure().subplots()).lines
    np.testing.assert_array_equal(mean.get_ydata(), [1, 2, 3, 4])
    assert set(unrelated.get_ydata()) == {0.0}


def leaky(weight: np.ndarray, chance: float, seed: int, horizon: int):
    """Twins of leaky neurons, each with an input of its own, on 8 samples."""
    n, rng = len(weight), np.random.default_rng(seed)
    network = dlm.Network(
        {"x": dlm.Input((n,)), "a": dlm.LIF((n,), dv=0.1, v_threshold=0.5)},
        [dlm.Projection("x", "a", dlm.Dense(np.eye(n))), dlm.Projection("a", "a", dlm.Dense(weight))],
    )
    stimulus = {"x": rng.random((8, 2 * horizon + 40, n)) < chance}
    return damage_spreading(network, stimulus, 2 * horizon + 40, rng, horizon=horizon)


def test_damage_that_membranes_remember_and_heal_is_not_called_chaotic():
    """Inhibition only: the mean falls from 1 to a fifth in 80 steps, by steps up and down between 0 and 2."""
    weight = -np.abs(np.random.default_rng(1000).normal(0, 0.2, (50, 50)))
    damage = leaky(weight, 0.1, 1000, 80)
    assert damage.distance[:, 80].mean() < 0.25
    assert damage.slope.name == "damage slope (ordered)"
    now, after = damage.distance[:, :-1].sum(), damage.distance[:, 1:].sum()
    assert damage.slope.estimate == pytest.approx(after / now)


@pytest.mark.parametrize(
    ("course", "unrelated", "why"),
    [
        ([10, 20, 40, 80, 0], 200, "it does not stay"),
        ([10, 0, 0, 10, 1], 0.5, "it does not heal"),
        ([50, 10, 20, 30, 40], 400, "it does not heal"),
        ([10, 20, 30, 30, 30], 30, "no room to grow: unrelated twins differ in 30 neurons"),
    ],
)
def test_a_slope_against_the_course_is_not_resolved(course, unrelated, why):
    damage = Damage(np.repeat([course], 40, axis=0), np.arange(40) % 10, unrelated, 0, 100)
    assert why in str(damage.slope)


def test_a_share_of_next_to_nothing_is_not_resolved():
    """One neuron that drives itself: twins that share nothing hardly differ; nor do neurons that always spike."""
    alone = leaky(np.ones((1, 1)), 0.05, 1, 50).left
    assert "less than one" in alone.doubts[0]
    assert "too wide" in Damage(np.array([[1, 9], [1, 0]] * 15), np.arange(30) % 10, 9.0, 0, 20).left.doubts[0]
    every = leaky(np.zeros((5, 5)), 1.1, 1, 5).left
    assert "silent throughout, or spikes in every step" in every.doubts[0]


def test_few_flips_are_not_resolved():
    found = damage_spreading(shifts(0), {"x": np.zeros((1, 10, 60), bool)}, 10, np.random.default_rng(0), n_flips=3)
    assert found.slope.doubts == ("3 flips; 20 are needed",)


def test_periods_equal_brute_force():
    rng = np.random.default_rng(7)
    ended = 0
    for _ in range(12):
        network = random_network(rng)
        by_force = by_brute_force(network, 150)
        if by_force is not None:
            orbit = find_period(network)
            assert (orbit.transient, orbit.period) == by_force
            ended += 1
    assert ended >= 8


def test_one_integrator_has_its_period():
    """v grows by the bias until it is above 64 v_threshold: floor(64 th / b) + 1 steps, and no transient."""
    for bias in (64, 100, 1000):
        network = dlm.IntegerNetwork({"a": dlm.IntegerLIF((1,), dv=0, v_threshold=50, bias_mant=bias)})
        orbit = find_period(network)
        assert (orbit.transient, orbit.period) == (0, 64 * 50 // bias + 1)
    rest = find_period(dlm.IntegerNetwork({"a": dlm.IntegerLIF((3,), dv=10, v_threshold=50)}))
    assert [str(found) for found in rest.findings()] == ["transient: 0 [0, 0] steps", "period: 1 [1, 1] steps"]


def test_a_constant_input_and_a_state_to_go_on_from():
    network = dlm.IntegerNetwork(
        {"x": dlm.Input((1,)), "a": dlm.IntegerLIF((1,), dv=0, v_threshold=5)},
        [dlm.IntegerProjection("x", "a", dlm.Dense(np.array([[2]])))],
    )
    # 64 * 2 per step; above 64 * 5 after three.
    assert find_period(network, {"x": np.ones((1, 1), int)}).period == 3
    state = dlm.run(network, {"x": np.ones((1, 1), int)}, 1).state
    orbit = find_period(network, {"x": np.zeros((1, 1), int)}, state)
    assert (orbit.transient, orbit.period) == (1, 1)  # u is forgotten in a step, v stays where it is


def test_a_long_orbit_is_not_resolved():
    network = dlm.IntegerNetwork({"a": dlm.IntegerLIF((1,), dv=0, v_threshold=5000, bias_mant=1)})
    found = find_period(network, max_steps=100).findings()
    assert [one.doubts for one in found] == [("no state came back in 100 steps",)] * 2


SILENT = {"x": np.zeros((1, 9, 60))}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda rng: find_period(shifts(1)), "a Network has floats, .* quantize it first"),
        (lambda rng: find_period(random_network(rng), {"x": np.zeros((1, 3, 1))}), "'x' changes with the steps"),
        (lambda rng: find_period(random_network(rng), max_steps=0), "max_steps = 0"),
        (lambda rng: logistic(4, 0.3, 0), "n_steps = 0 is not a number of steps >= 1"),
        (lambda rng: PulseCoupled([[1.0]], 2.0), "with 0 on the diagonal"),
        (lambda rng: PulseCoupled([[0.0]], [1.0, 2.0]), r"drive has shape \(2,\); give a number, or one for each of 1"),
        (lambda rng: PulseCoupled([[0.0]], 2.0, tau=0), r"tau\[0\] = 0\.0 is not above 0"),
        (lambda rng: PulseCoupled([[0.0]], 2.0, v_reset=1.0), r"v_reset\[0\] = 1\.0 is not below v_threshold"),
        (lambda rng: lyapunov_exponents(PulseCoupled([[0.0]], 2.0), 9, rng), r"n_exponents = 2 .* in 1\.\.1"),
        (lambda rng: damage_spreading(shifts(0), SILENT, 9, rng, populations=["b"]), "no spiking population 'b'"),
        (lambda rng: damage_spreading(shifts(0), SILENT, 9, rng, horizon=9), r"horizon = 9 .* 1\.\.8"),
        (lambda rng: damage_spreading(shifts(0), {"x": np.zeros((0, 9, 60))}, 9, rng), "0 samples"),
    ],
)  # fmt: skip
def test_what_has_no_stability_is_refused(make, message):
    with pytest.raises(DlmError, match=message):
        make(np.random.default_rng(0))
