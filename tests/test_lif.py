"""One neuron against closed forms, and the integer neuron against what was measured of Lava's fixed-point models."""

from __future__ import annotations

from math import ceil, floor, log

import numpy as np
import pytest

from dlm_snn import LIF, Dense, DlmError, Input, IntegerLIF, IntegerProjection, Network, Projection, run
from dlm_snn.neurons import integer_lif, lif


def driven(neuron: LIF, drive, n_steps=None):
    """u, v (step, neuron) and s of a population under a drive: constant, or one value a step."""
    drive = np.full(n_steps, float(drive)) if np.ndim(drive) == 0 else np.asarray(drive, float)
    state, trace = lif.rest(1, neuron.n), []
    for a in drive:
        state = lif.step(neuron, state, np.full((1, neuron.n), a))
        trace.append(state)
    return (np.array([getattr(s, key)[0] for s in trace]) for key in "uvs")


def integer_driven(neuron: IntegerLIF, drive):
    """u, v (step, neuron), s and the overflows of an integer population under one drive a step."""
    state, trace, overflows = integer_lif.rest(1, neuron.n), [], []
    for a in drive:
        state, overflow = integer_lif.step(neuron, state, np.full((1, neuron.n), a))
        trace.append(state)
        overflows.append(overflow)
    return (*(np.array([getattr(s, key)[0] for s in trace]) for key in "uvs"), overflows)


@pytest.mark.parametrize("dv", [0.01, 0.1, 0.5, 1.0])
def test_step_response_below_threshold(dv):
    """v_t = a (1 - (1-dv)^t) / dv."""
    a = 0.9 * dv
    _, v, s = driven(LIF((1,), dv=dv), a, 60)
    t = np.arange(1, 61)
    np.testing.assert_allclose(v[:, 0], a * (1 - (1 - dv) ** t) / dv, rtol=1e-12)
    assert not s.any()


def test_without_leak_v_counts():
    _, v, _ = driven(LIF((1,), dv=0.0, v_threshold=100.0), 0.25, 40)
    np.testing.assert_array_equal(v[:, 0], 0.25 * np.arange(1, 41))


@pytest.mark.parametrize(("dv", "a"), [(0.1, 0.13), (0.1, 0.5), (0.02, 0.0231), (0.3, 2.0)])
def test_first_spike_and_interval_of_constant_drive(dv, a):
    """The smallest t with a (1 - (1-dv)^t) / dv > 1, and again after each zero reset."""
    first = floor(log(1 - dv / a) / log(1 - dv)) + 1
    _, _, s = driven(LIF((1,), dv=dv), a, 10 * first)
    np.testing.assert_array_equal(np.flatnonzero(s[:, 0]) + 1, first * np.arange(1, 11))


def test_a_drive_that_only_reaches_the_threshold_never_fires():
    """a / dv = v_threshold is the limit of v, and v == v_threshold does not spike."""
    _, v, s = driven(LIF((1,), dv=1.0), 1.0, 20)
    assert (v == 1).all()
    assert not s.any()
    _, _, s = driven(LIF((1,), dv=1.0), np.nextafter(1.0, 2.0), 20)
    assert s.all()


@pytest.mark.parametrize("du", [0.05, 0.25, 1.0])
def test_impulse_response_of_the_current(du):
    """u_t = a (1-du)^t."""
    u, _, _ = driven(LIF((1,), dv=0.1, du=du, v_threshold=100.0), [2.0] + 39 * [0.0])
    np.testing.assert_allclose(u[:, 0], 2 * (1 - du) ** np.arange(40), rtol=1e-12)


def test_impulse_response_of_the_voltage():
    """v_t = a (beta^(t+1) - alpha^(t+1)) / (beta - alpha), alpha = 1-du, beta = 1-dv."""
    alpha, beta = 0.8, 0.95
    _, v, _ = driven(LIF((1,), dv=1 - beta, du=1 - alpha, v_threshold=100.0), [2.0] + 59 * [0.0])
    t = np.arange(1, 61)
    np.testing.assert_allclose(v[:, 0], 2 * (beta**t - alpha**t) / (beta - alpha), rtol=1e-12)


def test_bias_drives_v_and_not_u():
    u, v, _ = driven(LIF((1,), dv=0.25, bias=0.125), np.zeros(8))
    assert not u.any()
    np.testing.assert_allclose(v[:, 0], 0.5 * (1 - 0.75 ** np.arange(1, 9)), rtol=1e-12)


def test_zero_reset_drops_the_surplus_and_v_reads_0_in_the_step_of_the_spike():
    _, v, s = driven(LIF((1,), dv=0.0), 0.75, 8)
    np.testing.assert_array_equal(s[:, 0], [0, 1] * 4)
    np.testing.assert_array_equal(v[:, 0], [0.75, 0] * 4)


def test_subtract_reset_keeps_the_surplus_and_takes_effect_a_step_later():
    """Nothing is lost: what was put in is v plus one threshold for each spike that has been taken off."""
    _, v, s = driven(LIF((1,), dv=0.0, reset="subtract"), 0.75, 40)
    np.testing.assert_array_equal(v[:4, 0], [0.75, 1.5, 1.25, 1.0])
    np.testing.assert_array_equal(s[:4, 0], [0, 1, 1, 0])
    taken = np.concatenate([[0], np.cumsum(s[:-1, 0])])
    np.testing.assert_array_equal(0.75 * np.arange(1, 41), v[:, 0] + taken)
    assert s.sum() == floor(0.75 * 40) - 1


def test_subtract_reset_with_leak():
    """v(t+1) = (1-dv) v(t) - v_threshold s(t) + u(t+1) + bias: the whole threshold, after the decay."""
    neuron = LIF((1,), dv=0.25, bias=0.0625, v_threshold=1.5, reset="subtract")
    u, v, s = driven(neuron, 0.75, 30)
    expected = 0.75 * v[:-1] - 1.5 * s[:-1] + u[1:] + 0.0625
    np.testing.assert_allclose(v[1:], expected, rtol=1e-12)
    np.testing.assert_array_equal(s, v > 1.5)
    assert 5 < s.sum() < 20


@pytest.mark.parametrize("refractory", [0, 1, 4])
def test_refractory_steps_lie_between_spikes(refractory):
    """v is held at 0 for that many steps; u goes on."""
    u, v, s = driven(LIF((1,), dv=0.0, du=0.5, refractory=refractory), 2.0, 30)
    np.testing.assert_array_equal(np.flatnonzero(s[:, 0]), np.arange(0, 30, refractory + 1))
    np.testing.assert_array_equal(u[:, 0], 4 * (1 - 0.5 ** np.arange(1, 31)))
    assert not v.any()


def test_refractory_adds_to_the_interval():
    dv, a = 0.1, 0.3
    first = floor(log(1 - dv / a) / log(1 - dv)) + 1
    _, _, s = driven(LIF((1,), dv=dv, refractory=3), a, 60)
    np.testing.assert_array_equal(np.diff(np.flatnonzero(s[:, 0])), first + 3)


def test_rate_of_a_neuron_without_leak():
    """A spike each ceil of threshold / drive steps (just above: the comparison is strict)."""
    drives = np.array([0.3, 0.125, 0.26, 0.9])
    network = Network(
        {"one": Input((1,), graded_bits=1), "hidden": LIF((4,), dv=0.0)},
        [Projection("one", "hidden", Dense(drives[:, None]))],
    )
    counts = run(network, {"one": np.ones((1, 1), int)}, 180).rasters["hidden"].counts()[0]
    steps = [ceil(1 / 0.3), 9, ceil(1 / 0.26), 2]  # 8 * 0.125 only reaches the threshold
    np.testing.assert_array_equal(counts, [180 // n for n in steps])


def test_per_neuron_parameters_are_each_their_own_neuron():
    dv, du = np.array([0.1, 0.25, 0.5]), np.array([1.0, 0.5, 0.25])
    v_threshold, bias = np.array([1.0, 2.0, 0.5]), np.array([0.0, 0.25, -0.125])
    drive = np.random.default_rng(0).random(40)
    _, v, s = driven(LIF((3,), dv=dv, du=du, v_threshold=v_threshold, bias=bias), drive)
    for i in range(3):
        _, alone, spikes = driven(LIF((1,), dv=dv[i], du=du[i], v_threshold=v_threshold[i], bias=bias[i]), drive)
        np.testing.assert_array_equal(v[:, i], alone[:, 0])
        np.testing.assert_array_equal(s[:, i], spikes[:, 0])
    assert s.any(axis=0).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dv": 1.1}, r"dv = 1\.1\.\.1\.1 lies outside \[0, 1\]"),
        ({"dv": 0.1, "du": -0.1}, "du = .* lies outside"),
        ({"dv": 0.1, "v_threshold": -1.0}, "v_threshold = .* lies outside"),
        ({"dv": 0.1, "v_threshold": float("nan")}, "v_threshold holds NaN"),
        ({"dv": 0.1, "bias": [0.1, 0.2]}, "bias has 2 values for 3 neurons"),
        ({"dv": "fast"}, "dv = 'fast' is not a number"),
        ({"dv": 0.1, "reset": "soft"}, "reset = 'soft' is neither"),
        ({"dv": 0.1, "winners": 4}, r"winners = 4 is not in 1\.\.3"),
        ({"dv": 0.1, "winners": 1, "groups": 2}, "groups = 2 does not divide the 3 neurons"),
        ({"dv": 0.1, "groups": 3}, "groups = 3 without winners"),
        ({"dv": 0.1, "refractory": -1}, "refractory = -1 is not a number of steps"),
        ({"dv": 0.1, "refractory": 1, "reset": "subtract"}, "refractory needs reset='zero'"),
    ],
)
def test_float_parameters_out_of_range_are_named(parameters, message):
    with pytest.raises(DlmError, match=message):
        LIF((3,), **parameters)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dv": 4096, "v_threshold": 1}, r"dv = 4096\.\.4096 lies outside \[0, 4095\]"),
        ({"dv": 0, "v_threshold": 1, "du": -2}, r"du = .* lies outside \[-1, 4095\]"),
        ({"dv": 0, "v_threshold": 2**17}, r"v_threshold = .* lies outside \[0, 131071\]"),
        ({"dv": 0.5, "v_threshold": 1}, "dv = 0.5 must be whole"),
        ({"dv": 0, "v_threshold": 1, "bias_mant": 4096}, "bias_mant = .* lies outside"),
        ({"dv": 0, "v_threshold": 1, "bias_exp": 8}, "bias_exp = .* lies outside"),
    ],
)
def test_integer_parameters_out_of_range_are_named(parameters, message):
    with pytest.raises(DlmError, match=message):
        IntegerLIF((3,), **parameters)


@pytest.mark.parametrize("shape", [(), (2, 3), (0,), (1, 2, 0), (2.5,), "ab"])
def test_wrong_shapes_are_named(shape):
    with pytest.raises(DlmError, match=r"shape .* is not"):
        LIF(shape, dv=0.1)


def test_current_decays_by_one_4096th_with_du_0():
    """Measured in Lava fixed_pt: 16320, 16316, 16312 .. after a weight of 255."""
    u, *_ = integer_driven(IntegerLIF((1,), dv=0, du=0, v_threshold=131071), [255] + 4 * [0])
    assert u[:, 0].tolist() == [16320, 16316, 16312, 16308, 16304]


def test_current_is_held_with_du_minus_1():
    u, *_ = integer_driven(IntegerLIF((1,), dv=0, du=-1, v_threshold=131071), [255, 0, 0, -5, 0])
    assert u[:, 0].tolist() == [16320, 16320, 16320, 16000, 16000]


def test_current_is_forgotten_with_du_4095():
    u, *_ = integer_driven(IntegerLIF((1,), dv=0, du=4095, v_threshold=131071), [255, 0, -7])
    assert u[:, 0].tolist() == [16320, 0, -448]


def test_a_sum_beyond_2_17_flips_its_sign():
    """Measured: 600 inputs x 255 = 153,000 reads u / 64 = -109,144."""
    u, _, _, overflows = integer_driven(IntegerLIF((1,), dv=0, v_threshold=131071), [600 * 255, 131071, 131072, 131073])
    assert (u[:, 0] // 64).tolist() == [-109144, 131071, 131072, -131071]
    assert [o.wraps for o in overflows] == [1, 0, 0, 1]


def test_a_single_wrap_can_leave_the_24_bits():
    """Measured: the same sum with weight_exp 2 gives u = 22,390,784 > 2^23."""
    projection = IntegerProjection("a", "b", Dense(np.full((1, 600), 255)), weight_exp=2, sign_mode="excitatory")
    drive = projection.sums(projection.connection, np.ones((1, 600), int))
    assert drive.item() == 612_000
    u, *_ = integer_driven(IntegerLIF((1,), dv=0, v_threshold=131071), [612_000])
    assert u.item() == 22_390_784


def test_negative_weight_exp_floors_the_sum():
    """Measured: -6 and 6 with weight_exp -2 give -2 and 1."""
    projection = IntegerProjection("a", "b", Dense(np.array([[-6], [6]])), weight_exp=-2)
    assert projection.sums(projection.connection, np.ones((1, 1), int)).tolist() == [[-2, 1]]


def test_voltage_truncates_toward_zero():
    """-1000 * (4096-410)/4096 = -899.9 -> -899, and 899.9 -> 899: no closed form, no bias of sign."""
    for sign in (1, -1):
        neuron = IntegerLIF((1,), dv=410, v_threshold=131071)
        state = integer_lif.rest(1, 1)._replace(v=np.array([[sign * 1000]]))
        state, _ = integer_lif.step(neuron, state, np.zeros((1, 1), int))
        assert state.v.item() == sign * 899


def test_voltage_saturates_at_both_ends():
    neuron = IntegerLIF((1,), dv=0, v_threshold=131071, winners=1)
    _, v, _, overflows = integer_driven(neuron, 4 * [-100_000])
    assert v[:, 0].tolist() == [-6_400_000, 1 - 2**23, 1 - 2**23, 1 - 2**23]
    assert [o.saturations for o in overflows] == [0, 1, 1, 1]
    loser = IntegerLIF((2,), dv=0, v_threshold=131071, winners=1)
    _, v, s, _ = integer_driven(loser, 2 * [100_000])
    assert v[-1].tolist() == [0, 2**23 - 1]
    assert s[-1].tolist() == [True, False]


def test_bias_is_mantissa_times_power_of_two():
    _, v, s, _ = integer_driven(IntegerLIF((1,), dv=0, v_threshold=15, bias_mant=5, bias_exp=6), 4 * [0])
    assert v[:, 0].tolist() == [320, 640, 960, 0]
    assert s[:, 0].tolist() == [False, False, False, True]  # 960 = 15 * 64 only reaches the threshold


def test_the_threshold_is_in_units_of_the_weight():
    _, _, s, _ = integer_driven(IntegerLIF((1,), dv=4095, v_threshold=100), [100, 101])
    assert s[:, 0].tolist() == [False, True]
