"""A network is checked when it is made, and its digest is the network's identity."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import dlm_snn
from dlm_snn import (
    LIF,
    Dense,
    DlmError,
    Input,
    IntegerLIF,
    IntegerNetwork,
    IntegerProjection,
    Network,
    Projection,
)
from dlm_snn.description import describe
from dlm_snn.networks.signs import weight_grid

WEIGHT = np.arange(12).reshape(3, 4) / 64
INTEGER_WEIGHT = 2 * np.arange(-6, 6).reshape(3, 4)


def network(weight=WEIGHT, delay=1, **parameters):
    return Network(
        {"pixels": Input((4,)), "hidden": LIF((3,), **{"dv": 0.25, **parameters})},
        [Projection("pixels", "hidden", Dense(weight), delay=delay)],
    )


def integer_network(weight=INTEGER_WEIGHT, neuron=None, **projection):
    return IntegerNetwork(
        {"pixels": Input((4,)), "hidden": neuron or IntegerLIF((3,), dv=410, v_threshold=256)},
        [IntegerProjection("pixels", "hidden", Dense(weight), **projection)],
    )


@pytest.mark.parametrize(
    ("populations", "projections", "message"),
    [
        ({}, [], "at least one population"),
        ({"a b": LIF((1,), dv=0.1)}, [], "population name 'a b' is not an identifier"),
        ({"a": IntegerLIF((1,), dv=1, v_threshold=1)}, [], "population 'a' is a IntegerLIF, not an Input or LIF"),
        ({"a": LIF((1,), dv=0.1)}, ["a->a"], "projection 'a->a' is not a Projection"),
        (
            {"pixels": Input((4,)), "hidden": LIF((3,), dv=0.1)},
            [Projection("pixls", "hidden", Dense(WEIGHT))],
            r"pixls->hidden: no population 'pixls'; did you mean 'pixels'\?",
        ),
        (
            {"pixels": Input((4,)), "hidden": LIF((3,), dv=0.1)},
            [Projection("pixels", "output", Dense(WEIGHT))],
            "no population 'output'; known: hidden, pixels",
        ),
        (
            {"pixels": Input((4,)), "hidden": LIF((3,), dv=0.1)},
            [Projection("hidden", "pixels", Dense(WEIGHT.T))],
            "hidden->pixels: an Input receives no projection",
        ),
        (
            {"pixels": Input((4,)), "hidden": LIF((3,), dv=0.1)},
            [Projection("pixels", "hidden", Dense(WEIGHT.T))],
            r"pixels->hidden: weight of shape \(4, 3\), expected \(3, 4\) \(post, pre\)",
        ),
    ],
)
def test_what_is_wrong_is_named(populations, projections, message):
    with pytest.raises(DlmError, match=message):
        Network(populations, projections)


def test_an_integer_network_takes_integers_only():
    with pytest.raises(DlmError, match="population 'hidden' is a LIF, not an Input or IntegerLIF"):
        IntegerNetwork({"hidden": LIF((1,), dv=0.1)})
    integer, floats = integer_network(), network()
    with pytest.raises(DlmError, match="is not a IntegerProjection"):
        IntegerNetwork(integer.populations, floats.projections)
    with pytest.raises(DlmError, match="pixels->hidden: float weights in an integer projection; quantize"):
        integer_network(weight=WEIGHT)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([[1.0, np.nan], [np.inf, 0.0]], r"2 NaN or infinite values, first at \(0, 1\)"),
        ([1.0, 2.0], r"weight of shape \(2,\)"),
        (np.zeros((0, 3)), r"weight of shape \(0, 3\)"),
        ([["a"]], "weight is of <U1; give numbers"),
    ],
)
def test_wrong_weights_are_named(weight, message):
    with pytest.raises(DlmError, match=message):
        Dense(weight)


@pytest.mark.parametrize(
    ("delay", "message"),
    [
        (0, "delay = 0 is not an integer >= 1"),
        (1.5, "delay = 1.5 is not an integer"),
        (np.array([1, 0, 1]), "is not an integer >= 1"),
        (np.ones(4, int), r"delay of shape \(4,\) is neither one number, nor \(3,\)"),
        (np.ones((4, 3), int), r"nor \(3, 4\) one a synapse"),
    ],
)
def test_wrong_delays_are_named(delay, message):
    with pytest.raises(DlmError, match=message):
        Projection("a", "b", Dense(WEIGHT), delay=delay)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"graded_bits": 0}, r"graded_bits = 0 is not in 1\.\.24"),
        ({"graded_bits": 25}, "graded_bits = 25 is not"),
        ({"graded_bits": 8, "scale": 0.0}, "scale = "),
        ({"signed": True}, "signed and scale belong to a graded Input"),
        ({"scale": 255}, "signed and scale belong to a graded Input"),
    ],
)
def test_wrong_inputs_are_named(parameters, message):
    with pytest.raises(DlmError, match=message):
        Input((4,), **parameters)


def test_bounds_of_inputs():
    assert Input((1,)).bounds == (0, 1)
    assert Input((1,), graded_bits=8).bounds == (0, 255)
    assert Input((1,), graded_bits=8, signed=True).bounds == (-128, 127)
    assert Input((2, 3, 4)).n == 24


@pytest.mark.parametrize(
    ("projection", "message"),
    [
        ({"weight": INTEGER_WEIGHT + 1}, r"weights -11\.\.11 are not multiples of 2 in -256\.\.254 \(mixed, 8 bits\)"),
        ({"weight": 100 * INTEGER_WEIGHT}, "not multiples of 2"),
        ({"num_weight_bits": 4}, r"not multiples of 32 in -256\.\.224"),
        ({"sign_mode": "excitatory"}, r"in 0\.\.255 \(excitatory"),
        ({"sign_mode": "inhibitory"}, r"in -255\.\.0 \(inhibitory"),
        ({"sign_mode": "mixd"}, "did you mean 'mixed'"),
        ({"weight_exp": -9}, r"pixels->hidden: weight_exp = .* outside \[-8, 7\]"),
        ({"weight_exp": 0.5}, "weight_exp = 0.5 must be whole"),
        ({"num_weight_bits": 9}, r"num_weight_bits = .* outside \[1, 8\]"),
        ({"delay": 64}, "delay 64 exceeds 63"),
    ],
)
def test_what_a_fixed_point_target_cannot_hold_is_named(projection, message):
    with pytest.raises(DlmError, match=message):
        integer_network(**projection)


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("mode", ["mixed", "excitatory", "inhibitory"])
def test_weight_grid_is_what_lava_leaves_of_weights(mode, bits):
    """Clip, then drop the low bits: 8 - bits, and one more if mixed."""
    clip = {"mixed": (-256, 255), "excitatory": (0, 255), "inhibitory": (-255, 0)}[mode]
    dropped = 8 - bits + (mode == "mixed")
    magnitudes = np.arange(clip[0], clip[1] + 1)
    kept = np.unique((magnitudes >> dropped) << dropped)
    low, high, grain = weight_grid(mode, bits)
    grid = np.arange(low, high + 1, grain)
    assert np.isin(grid, kept).all()
    assert grain == 2**dropped
    assert high == kept.max()


def test_whole_numbers_given_as_floats_become_integers():
    projection = IntegerProjection("a", "b", Dense(INTEGER_WEIGHT), weight_exp=-2.0, num_weight_bits=8.0)
    assert (type(projection.weight_exp), type(projection.num_weight_bits)) == (int, int)
    assert projection.sums(projection.connection, np.ones((1, 4), int)).tolist() == [[-9, -1, 7]]


def test_networks_are_values_that_cannot_be_changed():
    net = network(v_threshold=[1.0, 2.0, 3.0], delay=np.ones((3, 4), int))
    for array in (net.projections[0].connection.weight, net.projections[0].delay, net.neurons["hidden"].v_threshold):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    weight = WEIGHT.copy()
    kept = network(weight)
    weight[:] = 0
    assert kept.digest() == network().digest()


def test_order_is_by_depth():
    net = Network(
        {"c": LIF((1,), dv=0.1), "b": LIF((1,), dv=0.1), "one": Input((1,), aligned=True), "a": Input((1,))},
        [
            Projection("a", "b", Dense([[1.0]])),
            Projection("b", "c", Dense([[1.0]])),
            Projection("one", "c", Dense([[1.0]])),
        ],
    )
    assert net.order == ("one", "a", "b", "c")
    assert list(net.neurons) == ["b", "c"]
    assert list(net.inputs) == ["one", "a"]
    assert [p.name for p in net.into("c")] == ["b->c", "one->c"]
    assert net.unbalanced == []


CHANGES = {
    "weight": {"weight": WEIGHT + np.eye(3, 4) / 2**40},
    "delay": {"delay": 2},
    "delay array": {"delay": np.array([1, 1, 2])},
    "dv": {"dv": np.nextafter(0.25, 1)},
    "du": {"du": 0.5},
    "v_threshold": {"v_threshold": 1.5},
    "v_threshold of one neuron": {"v_threshold": [1.0, 1.0, 1.5]},
    "bias": {"bias": 0.5},
    "reset": {"reset": "subtract"},
    "winners": {"winners": 1},
    "groups": {"winners": 1, "groups": 3},
    "refractory": {"refractory": 1},
}


def test_digest_changes_with_every_parameter():
    digests = {network().digest(), *(network(**change).digest() for change in CHANGES.values())}
    assert len(digests) == len(CHANGES) + 1


def test_digest_changes_with_names_shapes_inputs_and_order():
    base = network()
    pixels, hidden = base.populations.values()
    others = [
        Network({"pixels": pixels, "hidden": hidden}),
        Network({"image": pixels, "hidden": hidden}, [replace(base.projections[0], pre="image")]),
        Network({"pixels": pixels, "hidden": replace(hidden, shape=(3, 1, 1))}, base.projections),
        Network({"pixels": Input((4,), graded_bits=1), "hidden": hidden}, base.projections),
        Network({"pixels": Input((4,), graded_bits=1, scale=2), "hidden": hidden}, base.projections),
        Network({"pixels": Input((4,), graded_bits=1, signed=True), "hidden": hidden}, base.projections),
        Network({"pixels": Input((4,), aligned=True), "hidden": hidden}, base.projections),
        Network({"hidden": hidden, "pixels": pixels}, base.projections),
        Network(base.populations, 2 * base.projections),
    ]
    assert len({base.digest(), *(other.digest() for other in others)}) == len(others) + 1


def test_digest_of_integers_changes_with_every_parameter():
    neuron = {"dv": 410, "v_threshold": 256}
    changed = [
        {"dv": 411},
        {"v_threshold": 257},
        {"du": 1},
        {"bias_mant": 1},
        {"bias_mant": 1, "bias_exp": 1},
        {"winners": 1},
        {"winners": 1, "groups": 3},
        {"scale": 2.0},
    ]
    nets = [integer_network(neuron=IntegerLIF((3,), **{**neuron, **change})) for change in [{}, *changed]]
    nets += [
        integer_network(weight=INTEGER_WEIGHT + 2),
        integer_network(weight_exp=1),
        integer_network(num_weight_bits=8, delay=3),
        integer_network(weight=32 * (INTEGER_WEIGHT // 4), num_weight_bits=4),
        integer_network(weight=32 * (INTEGER_WEIGHT // 4)),
        integer_network(weight=INTEGER_WEIGHT + 12, sign_mode="excitatory"),
        integer_network(weight=INTEGER_WEIGHT + 12),
    ]
    assert len({net.digest() for net in nets}) == len(nets)


def test_digest_does_not_depend_on_how_the_array_lies_in_memory():
    assert network(np.asfortranarray(WEIGHT)).digest() == network().digest()
    assert network(WEIGHT.astype(">f8")).digest() == network().digest()
    assert network(v_threshold=np.float64(1)).digest() == network(v_threshold=1).digest()


# Networks on disk and in records are known by these: a change of them is a change of format.
GOLDEN = {
    "float": "7cd96b92e014f2b0b0ecda1c24516a64cf0959f19d1d77cf7f2e571b69f81a1f",
    "integer": "0d547844c860483a5efc434fc54eab4765a2a8688d7ec44585d4255df3409e08",
}


def test_golden_digests():
    nets = {
        "float": network(delay=np.array([1, 2, 3]), v_threshold=[1.0, 1.25, 1.5], winners=2),
        "integer": integer_network(weight_exp=-2, delay=2),
    }
    assert {name: net.digest() for name, net in nets.items()} == GOLDEN


def test_digest_is_the_same_in_another_process():
    script = (
        "import numpy as np; from dlm_snn import LIF, Dense, Input, Network, Projection;"
        "print(Network({'pixels': Input((4,)), 'hidden': LIF((3,), dv=0.25)},"
        "[Projection('pixels', 'hidden', Dense(np.arange(12).reshape(3, 4) / 64))]).digest())"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == network().digest()


def test_description_is_plain_data_and_arrays():
    tree, arrays = describe(network(v_threshold=[1.0, 2.0, 3.0]))
    assert tree["type"] == "Network"
    hidden = tree["populations"][1]
    assert (hidden["name"], hidden["type"], hidden["dv"]) == ("hidden", "LIF", 0.25)
    assert hidden["v_threshold"] == {"array": "populations.hidden.v_threshold"}
    assert tree["projections"][0]["connection"] == {
        "type": "Dense",
        "weight": {"array": "projections.0.connection.weight"},
    }
    assert set(arrays) == {"populations.hidden.v_threshold", "projections.0.connection.weight"}


def test_dense_transpose_and_fans():
    dense = Dense([[1.0, 0.0, 2.0], [0.0, 0.0, 3.0]])
    np.testing.assert_array_equal(dense.apply(np.array([[1.0, 5.0, 2.0]])), [[5, 6]])
    np.testing.assert_array_equal(dense.transpose().apply(np.array([[1.0, 2.0]])), [[1, 0, 8]])
    assert (dense.n_pre, dense.n_post) == (3, 2)
    assert dense.fan_in().tolist() == [2, 1]
    assert dense.fan_out().tolist() == [1, 0, 2]


def test_integer_sums_are_exact_at_their_largest():
    """A thousand 24-bit events through the largest weights."""
    dense = Dense(np.full((1, 1001), -255))
    x = np.full((1, 1001), 2**24 - 1)
    assert dense.apply(x).item() == -255 * 1001 * (2**24 - 1)
    assert dense.apply(x).dtype == np.int64


def test_public_names_are_all_there():
    for name in dlm_snn.__all__:
        assert getattr(dlm_snn, name) is not None
    assert set(dlm_snn.__all__) <= set(dir(dlm_snn))
    assert set(dlm_snn._HOME) == set(dlm_snn.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        dlm_snn.nothing  # noqa: B018
