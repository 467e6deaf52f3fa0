"""Noise is a function of its place; its variance on a membrane is the closed form's."""

from __future__ import annotations

import math
from math import sqrt

import numpy as np
import pytest

from dlm_snn import LIF, DlmError, Input, IntegerLIF, IntegerNetwork, Network, run
from dlm_snn.physics.membranes.noise import antisymmetric_ring, normal, philox, uniform, with_integer_noise, with_noise


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_published_words(counter, key, expected):
    """Known answers of Random123, kat_vectors."""
    assert tuple(philox(np.array(counter, dtype=np.uint32), key)) == expected


def test_values_depend_on_their_place_alone():
    whole = normal(7, "noise", 3, 20, 5)
    np.testing.assert_array_equal(whole[:, 12:], normal(7, "noise", 3, 8, 5, first_step=12))
    np.testing.assert_array_equal(whole[:2, :, :3], normal(7, "noise", 2, 20, 3))
    for other in (normal(8, "noise", 3, 20, 5), normal(7, "other", 3, 20, 5), normal(7 + 2**32, "noise", 3, 20, 5)):
        assert abs(np.corrcoef(whole.ravel(), other.ravel())[0, 1]) < 0.25
    with pytest.raises(DlmError, match="seed = -1 is not in"):
        normal(-1, "noise", 1, 1, 1)


def test_moments():
    z = normal(1, "x", 4, 500, 500)
    n = z.size
    assert abs(z.mean()) < 4 / sqrt(n)
    assert abs((z**2).mean() - 1) < 4 * sqrt(2 / n)
    assert abs((z**4).mean() - 3) < 4 * sqrt(96 / n)
    for axis in range(3):
        shifted = (np.take(z, range(1, z.shape[axis]), axis) * np.take(z, range(z.shape[axis] - 1), axis)).mean()
        assert abs(shifted) < 4 / sqrt(n * (z.shape[axis] - 1) / z.shape[axis])
    for bits in (1, 4, 8):
        values = uniform(2, "x", 4, 500, 500, bits)
        assert values.min() == -(2 ** (bits - 1))
        assert values.max() == 2 ** (bits - 1) - 1
        variance = (4**bits - 1) / 12
        assert abs(values.mean() + 0.5) < 4 * sqrt(variance / n)
        assert abs(values.var() / variance - 1) < 0.01


@pytest.mark.parametrize("dv", [0.01, 410 / 4096, 0.5])
def test_variance_of_a_float_membrane(dv):
    """Var(v) = T, within 4 standard errors of correlated samples."""
    network, name = with_noise(Network({"h": LIF((200,), dv=dv, v_threshold=1e9)}, ()), "h", temperature=0.3)
    n_steps = 4000
    recording = run(network, {name: normal(3, name, 1, n_steps, 200)}, n_steps, record={"h": "v"}, backend="fast")
    settled = recording.v["h"][0, int(10 / dv) :]
    keep = (1 - dv) ** 2
    independent = settled.size * (1 - keep) / (1 + keep)
    assert abs((settled**2).mean() / 0.3 - 1) < 4 * sqrt(2 / independent)


def test_a_bath_on_an_integer_membrane_has_no_mean():
    empty = IntegerNetwork({"h": IntegerLIF((200,), dv=410, v_threshold=131071)}, ())
    network, name = with_integer_noise(empty, "h", bits=8)
    n_steps = 4000
    recording = run(network, {name: uniform(3, name, 1, n_steps, 200, 8)}, n_steps, record={"h": "v"}, backend="fast")
    settled = recording.v["h"][0, 100:].astype(float)
    keep = 1 - 410 / 4096
    exact = 64**2 * (4**8 - 1) / 12 / (1 - keep**2)
    independent = settled.size * (1 - keep) / (1 + keep)
    assert abs(settled.mean()) < 4 * sqrt(exact / independent)
    # States are scaled by 2^6, so truncation is a small friction here.
    squares = settled.size * (1 - keep**2) / (1 + keep**2)
    assert abs(settled.var() / exact - 1) < 4 * sqrt(2 / squares) + 0.002


def test_a_ring_is_antisymmetric():
    ring = antisymmetric_ring(6, 0.03)
    np.testing.assert_array_equal(ring, -ring.T)
    assert (ring**2).sum() * 20 == pytest.approx(0.216)
    with pytest.raises(DlmError, match="a ring of 2 neurons has no sense of rotation"):
        antisymmetric_ring(2, 0.1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: with_noise(net(), "zzz", 1.0), "no neuron population 'zzz'; known: h"),
        (lambda: with_noise(net(), "h", -1.0), "temperature = -1.0: give T >= 0"),
        (lambda: with_noise(net(), "h", math.inf), "temperature = inf: give T >= 0"),
        (lambda: with_noise(net(0.5), "h", 1.0), "'h' has a current with memory"),
        (
            lambda: with_noise(with_noise(net(), "h", 1.0)[0], "h", 1.0),
            "'h' has a bath, 'noise_h'; give one of the sum",
        ),
        (lambda: uniform(0, "x", 1, 1, 1, 25), "bits = 25 is not in 1..24"),
    ],
)
def test_noise_that_cannot_be_is_refused(make, message):
    with pytest.raises(DlmError, match=message):
        make()


def net(du: float = 1.0) -> Network:
    return Network({"x": Input((1,)), "h": LIF((2,), du=du, dv=0.1)}, ())
