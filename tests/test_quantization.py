"""Float to integers: the recipe, the ranges, the loss budget."""

from __future__ import annotations

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.conversion.quantization import HEADROOM


def two_layers(rng: np.random.Generator, **hidden) -> dlm.Network:
    return dlm.Network(
        {
            "pixels": dlm.Input((20,), graded_bits=8, scale=255),
            "hidden": dlm.LIF((12,), **{"dv": 410 / 4096, **hidden}),
            "output": dlm.LIF((4,), dv=410 / 4096),
        },
        (
            dlm.Projection("pixels", "hidden", dlm.Dense(rng.normal(0, 0.3, (12, 20)))),
            dlm.Projection("hidden", "output", dlm.Dense(rng.normal(0, 0.5, (4, 12)))),
        ),
    )


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def pixels(rng) -> dict[str, np.ndarray]:
    return {"pixels": rng.integers(0, 256, (30, 20))}


def test_the_recipe_of_a_spiking_projection(rng):
    network = dlm.Network(
        {"x": dlm.Input((9,)), "y": dlm.LIF((5,), du=0.25, dv=0.125, v_threshold=1.5, bias=0.01)},
        (dlm.Projection("x", "y", dlm.Dense(rng.normal(0, 1, (5, 9))), delay=3),),
    )
    integer, _ = dlm.quantize(network)
    weight = network.projections[0].connection.weight
    scale = 254 / np.abs(weight).max()
    projection, neuron = integer.projections[0], integer.populations["y"]
    assert projection.weight_exp == 0
    assert projection.delay == 3
    assert np.array_equal(projection.connection.weight, np.clip(2 * np.round(weight * scale / 2), -256, 254))
    assert neuron.v_threshold == round(scale * 1.5)
    assert (neuron.du, neuron.dv) == (1023, 512)
    assert neuron.bias == pytest.approx(64 * scale * 0.01, abs=0.5)
    assert neuron.scale == pytest.approx(scale)


def test_a_graded_projection_carries_the_scale_of_its_input(rng, pixels):
    network = two_layers(rng)
    integer, _ = dlm.quantize(network, calibration=pixels)
    projection, neuron = integer.projections[0], integer.populations["hidden"]
    assert projection.weight_exp < 0
    back = projection.connection.weight * 2.0**projection.weight_exp * 255 / neuron.scale
    grain = 2 * 2.0**projection.weight_exp * 255 / neuron.scale
    assert np.abs(back - network.projections[0].connection.weight).max() <= grain / 2 * 1.0001


def test_two_projections_into_one_population_stay_in_proportion(rng):
    large, small = rng.normal(0, 1, (6, 8)), rng.normal(0, 1 / 40, (6, 7))
    network = dlm.Network(
        {"a": dlm.Input((8,)), "b": dlm.Input((7,)), "y": dlm.LIF((6,), dv=0.1)},
        (dlm.Projection("a", "y", dlm.Dense(large)), dlm.Projection("b", "y", dlm.Dense(small))),
    )
    integer, report = dlm.quantize(network)
    scale = integer.populations["y"].scale
    for projection, weight in zip(integer.projections, (large, small), strict=True):
        back = projection.connection.weight * 2.0**projection.weight_exp / scale
        assert np.abs(back - weight).max() <= 2.0**projection.weight_exp / scale * 1.0001
    exponents = [p.weight_exp for p in integer.projections]
    assert exponents[1] < exponents[0]
    assert all(loss.rounding_rms < 0.02 for loss in report.projections)


@pytest.mark.parametrize("bits", range(3, 9))
@pytest.mark.parametrize(("low", "high"), [(-1, 1), (0, 1), (-1, 0)])
def test_weights_lie_on_the_grid_of_their_bits(rng, bits, low, high):
    network = dlm.Network(
        {"x": dlm.Input((30,)), "y": dlm.LIF((10,), dv=0.1)},
        (dlm.Projection("x", "y", dlm.Dense(rng.uniform(low, high, (10, 30)))),),
    )
    integer, report = dlm.quantize(network, bits)
    weight = integer.projections[0].connection.weight
    mixed = low < 0 < high
    assert np.all(weight % 2 ** ((9 if mixed else 8) - bits) == 0)
    assert len(np.unique(weight)) <= 2**bits
    assert integer.projections[0].num_weight_bits == report.bits == bits
    assert report.projections[0].sign_mode == ("mixed" if mixed else "excitatory" if low == 0 else "inhibitory")


def test_fewer_bits_lose_more(rng, pixels):
    network = two_layers(rng)
    losses = [dlm.quantize(network, bits, pixels)[1].projections[0].rounding_rms for bits in range(8, 2, -1)]
    assert losses == sorted(losses)
    assert losses[0] < 0.02 < losses[-1]


def test_with_few_bits_clipping_beats_filling_the_range(rng):
    weight = rng.standard_t(4, (40, 60))
    network = dlm.Network(
        {"x": dlm.Input((60,)), "y": dlm.LIF((40,), dv=0.1)}, (dlm.Projection("x", "y", dlm.Dense(weight)),)
    )
    loss = dlm.quantize(network, 3)[1].projections[0]
    unclipped = 64 * np.clip(np.round(weight * 192 / np.abs(weight).max() / 64), -4, 3)
    naive = np.sqrt(np.mean((unclipped * np.abs(weight).max() / 192 - weight) ** 2) / np.mean(weight**2))
    assert loss.clipped > 0
    assert loss.rounding_rms < naive


@pytest.mark.parametrize("seed", range(40))
def test_no_input_makes_u_wrap(seed):
    """Each neuron gets the input that is worst for it, all window long, in both signs."""
    rng = np.random.default_rng(seed)
    n, m, k = (int(rng.integers(2, high)) for high in (20, 300, 30))
    network = dlm.Network(
        {
            "x": dlm.Input((m,), graded_bits=8, scale=255),
            "y": dlm.Input((k,)),
            "h": dlm.LIF((n,), du=float(rng.choice([1, 0.5, 0.05])), dv=0.1, v_threshold=2.0),
        },
        (
            dlm.Projection(
                "x", "h", dlm.Dense(rng.normal(rng.choice([-1, 0, 1]), 1, (n, m)) * 10 ** rng.uniform(-2, 1))
            ),
            dlm.Projection("y", "h", dlm.Dense(np.abs(rng.normal(0, 1, (n, k)))), delay=rng.integers(1, 4, n)),
        ),
    )
    integer, report = dlm.quantize(network, int(rng.integers(3, 9)))
    assert report.populations[0].u_bound < 1
    peak = 0
    for sign in (1, -1):
        worst = [
            np.where(sign * p.connection.weight > 0, v, 0) for p, v in zip(integer.projections, (255, 1), strict=True)
        ]
        stimulus = {name: np.repeat(w[:, None], 30, axis=1) for name, w in zip("xy", worst, strict=True)}
        recording = dlm.run(integer, stimulus, 30, ("s", "u"))
        assert recording.overflow["h"].wraps == 0
        peak = max(peak, np.abs(recording.u["h"]).max())
    assert peak / 64 <= report.populations[0].u_bound * HEADROOM


def test_without_the_negative_exponent_the_same_net_would_wrap(rng, pixels):
    integer, _ = dlm.quantize(two_layers(rng), calibration=pixels)
    first, second = integer.projections
    raised = dlm.IntegerProjection(first.pre, first.post, first.connection, weight_exp=7)
    careless = dlm.IntegerNetwork(integer.populations, (raised, second))
    assert dlm.run(integer, pixels, 20).overflow["hidden"].wraps == 0
    assert dlm.run(careless, pixels, 20).overflow["hidden"].wraps > 0


def test_the_budget_counts_what_was_measured(rng, pixels):
    network = two_layers(rng, winners=4)
    integer, report = dlm.quantize(network, 5, pixels, n_steps=15)
    a, b = (dlm.run(net, pixels, 15, ("s", "u", "v")) for net in (network, integer))
    for row in report.populations:
        first, second = (r.rasters[row.name].dense() for r in (a, b))
        assert row.spikes_float == pytest.approx(first.sum() / 30)
        assert row.spikes_integer == pytest.approx(second.sum() / 30)
        assert row.lost == pytest.approx((first & ~second).sum() / 30)
        assert row.won == pytest.approx((second & ~first).sum() / 30)
        assert row.equal == pytest.approx((first == second).mean())
        assert row.v_peak == pytest.approx(np.abs(b.v[row.name]).max() / 2**23)
        assert (row.wraps, row.saturations) == b.overflow[row.name][:2]
    exponent = integer.projections[0].weight_exp
    sums = pixels["pixels"] @ integer.projections[0].connection.weight.T
    floored = (sums * 2.0**exponent - (sums >> -exponent)).mean() / integer.populations["hidden"].v_threshold
    assert report.projections[0].floor_loss == pytest.approx(floored)
    assert report.samples == 30
    assert report.to_dict()["populations"][0]["name"] == "hidden"


def test_the_scale_leads_back_to_float_units(rng, pixels):
    network = two_layers(rng, v_threshold=1e3)
    integer, _ = dlm.quantize(network, calibration=pixels)
    a, b = (dlm.run(net, pixels, 10, ("v",)) for net in (network, integer))
    back = b.v["hidden"] / (64 * integer.populations["hidden"].scale)
    assert np.abs(back - a.v["hidden"]).max() < 0.02 * np.abs(a.v["hidden"]).max()


def test_without_calibration_the_budget_says_what_it_does_not_know(rng):
    _, report = dlm.quantize(two_layers(rng))
    assert report.samples == 0
    assert report.populations[0].v_peak is None
    assert any("no calibration" in line for line in report.warnings)
    assert "no calibration" in str(report)


def test_refusals_are_by_name(rng, pixels):
    with pytest.raises(dlm.UnsupportedError, match="reset by subtraction \\('hidden'\\)"):
        dlm.quantize(two_layers(rng, reset="subtract"))
    with pytest.raises(dlm.UnsupportedError, match="refractory period"):
        dlm.quantize(two_layers(rng, refractory=2))
    for bits in (2, 9):
        with pytest.raises(dlm.DlmError, match=f"weight_bits = {bits}"):
            dlm.quantize(two_layers(rng), bits)
    with pytest.raises(dlm.DlmError, match="is of floats"):
        dlm.quantize(two_layers(rng), 8, {"pixels": pixels["pixels"] / 255})
    with pytest.raises(dlm.DlmError, match="population 'hidden' needs more than the 24 bits"):
        dlm.quantize(two_layers(rng, bias=1e6), 8, pixels)


def test_a_population_without_weights_keeps_its_threshold_and_bias():
    network = dlm.Network({"pace": dlm.LIF((3,), dv=0.0, v_threshold=1.0, bias=np.array([0.1, 0.25, 0.5]))})
    integer, _ = dlm.quantize(network)
    first, second = (dlm.run(net, {}, 40).rasters["pace"].counts() for net in (network, integer))
    assert np.abs(first - second).max() <= 1
    assert first.sum() > 20


def test_every_connection_is_quantized_in_its_form(rng):
    """Chains are multiplied out; the scale of a population is the one that its weights fill."""
    conv = dlm.Conv2d(rng.normal(size=(3, 2, 2, 2)), (2, 5, 5), padding=1)
    pool = dlm.Pool2d(conv.output_shape, 2)
    listed = dlm.Sparse.from_dense(rng.normal(size=(6, pool.n_post)) * (rng.random((6, pool.n_post)) < 0.3))
    chain = dlm.Chain((pool, dlm.Dense(rng.normal(size=(4, pool.n_post)))))
    network = dlm.Network(
        {
            "pixels": dlm.Input((2, 5, 5), graded_bits=4, scale=16),
            "hidden": dlm.LIF(conv.output_shape, dv=0.1, period=6),
            "pooled": dlm.LIF(pool.output_shape, dv=0.1, v_threshold=0.4),
            "listed": dlm.LIF((6,), dv=0.1),
            "output": dlm.LIF((4,), dv=0.1),
        },
        [
            dlm.Projection("pixels", "hidden", conv),
            dlm.Projection("hidden", "pooled", pool),
            dlm.Projection("pooled", "listed", listed, delay=np.arange(6) % 2 + 1),
            dlm.Projection("hidden", "output", chain),
        ],
    )
    images = {"pixels": rng.integers(0, 16, (3, 2, 5, 5))}
    integer, report = dlm.quantize(network, 8, images, n_steps=12)
    forms = [type(p.connection) for p in integer.projections]
    assert forms == [dlm.Conv2d, dlm.Pool2d, dlm.Sparse, type(chain.merged())]
    assert integer.neurons["hidden"].period == 6
    for before, after, row in zip(network.projections, integer.projections, report.projections, strict=True):
        # The grid is 2 wide where signs are mixed, so no entry is off by more than 1 unit.
        exact = before.connection.sparse().dense() * row.scale
        assert np.abs(after.connection.sparse().dense() - exact).max() <= 1
        assert row.clipped == 0
    a, b = (dlm.run(net, images, 12).rasters["hidden"].dense() for net in (network, integer))
    assert (a == b).mean() > 0.97


def one_neuron(n_inputs: int = 4, weight: float = 0.01, **neuron) -> dlm.Network:
    return dlm.Network(
        {"x": dlm.Input((n_inputs,)), "a": dlm.LIF((1,), **{"dv": 0.1, **neuron})},
        [dlm.Projection("x", "a", dlm.Dense(np.full((1, n_inputs), weight)))],
    )


DECAYS = {
    "lost dv": ({"dv": 1e-4}, "dv_error", 1.0, "dv of 1 neuron of 'a' became 0: v leaks nothing"),
    "lost du": ({"du": 1e-4}, "du_error", 1.0, "du of 1 neuron of 'a' became -1: u holds what it has"),
    "coarse du": ({"du": 3e-4}, "du_error", 1 / (3e-4 * 4096) - 1, "du of 'a' is off by 18.6% of itself"),
    "coarse dv": ({"dv": 1.4 / 4096}, "dv_error", 0.4 / 1.4, "dv of 'a' is off by 28.6% of itself"),
    "fine dv": ({"dv": 10.4 / 4096}, "dv_error", 0.4 / 10.4, None),
    "no decay": ({"dv": 0.0, "du": 0.0}, "dv_error", 0.0, None),
    "whole du": ({"dv": 1.0}, "dv_error", 1 / 4096, None),
}


@pytest.mark.parametrize("name", DECAYS)
def test_decays_are_judged_by_their_own_size(name):
    neuron, field, error, told = DECAYS[name]
    _, report = dlm.quantize(one_neuron(**neuron))
    row = report.populations[0]
    assert getattr(row, field) == pytest.approx(abs(error), rel=1e-6)
    warned = [line for line in report.warnings if line.startswith(("du", "dv"))]
    assert len(warned) == (told is not None)
    assert told is None or warned[0].startswith(told)
    assert f"du {row.du} (off {row.du_error:.2%}), dv {row.dv} (off {row.dv_error:.2%})" in str(report)


def test_neurons_that_lose_their_decay_are_counted():
    network = dlm.Network(
        {"x": dlm.Input((4,)), "a": dlm.LIF((3,), dv=np.array([0.1, 1e-4, 5e-5]))},
        [dlm.Projection("x", "a", dlm.Dense(np.full((3, 4), 0.01)))],
    )
    integer, report = dlm.quantize(network)
    assert integer.populations["a"].dv.tolist() == [410, 0, 0]
    assert (report.populations[0].dv_lost, report.populations[0].du_lost) == (2, 0)
    assert any(line.startswith("dv of 2 neurons of 'a' became 0") for line in report.warnings)


def test_a_bias_that_loses_is_told():
    """The scale is 254 / 0.5 = 508, so that a bias of 1 is 32512."""
    bias = np.array([0.0, 1e-5, 1.4 / 32512, 100.4 / 32512])
    network = dlm.Network(
        {"x": dlm.Input((2,)), "a": dlm.LIF((4,), dv=0.1, bias=bias)},
        [dlm.Projection("x", "a", dlm.Dense(np.array([[0.5, -0.5]] * 4)))],
    )
    integer, report = dlm.quantize(network)
    assert integer.populations["a"].bias.tolist() == [0, 0, 1, 100]
    row = report.populations[0]
    assert (row.bias_lost, row.bias_off, row.bias) == (1, 1, 100)
    assert row.bias_error == pytest.approx(0.4 / 32512)
    told = "the bias of 'a' became 0 in 1 neuron and is off by more than 5% of itself in 1 neuron"
    assert any(line.startswith(told) for line in report.warnings)
    assert "bias 100 (off 0.00% of the threshold)" in str(report)
    _, fine = dlm.quantize(one_neuron(bias=0.25))
    assert not any("bias" in line for line in fine.warnings)


@pytest.mark.parametrize(("bias", "scale"), [(0.5, 508.0), (50.0, 127.0), (500.0, 508 / 32), (-50.0, 127.0)])
def test_the_bias_decides_the_scale_where_it_would_leave_its_range(bias, scale):
    """Weights of 0.5 fill 254 at 508; 64 scale bias must stay within 4095 2^7, and at twice the scale it does not."""
    network = dlm.Network(
        {"x": dlm.Input((2,)), "a": dlm.LIF((1,), dv=0.1, bias=bias)},
        [dlm.Projection("x", "a", dlm.Dense(np.array([[0.5, -0.25]])))],
    )
    integer, report = dlm.quantize(network)
    neuron = integer.populations["a"]
    assert neuron.scale == scale
    assert abs(64 * scale * bias) <= 4095 * 2**7
    assert scale == 508 or abs(64 * 2 * scale * bias) > 4095 * 2**7
    assert abs(neuron.bias - 64 * scale * bias) <= 2**neuron.bias_exp / 2
    assert abs(neuron.bias_mant) <= 4095
    assert report.populations[0].bias_error == pytest.approx(abs(neuron.bias - 64 * scale * bias) / (64 * scale))


@pytest.mark.parametrize(
    ("n", "largest", "scale", "clipped", "clip_loss"),
    [
        (8, 0.9, 192 / 0.9, 0, 0.0),
        (100, 0.4, 624.0, 1, 1 - 192 / 249.6),
        (100, -0.4, 624.0, 0, 0.0),
        (100, 0.9, 192 / 0.9 * 2.6, 1, 1 - 1 / 2.6),
        (100, -0.9, 192 / 0.9 * 2.6, 1, 1 - 256 / (192 * 2.6)),
    ],
)
def test_what_clipping_takes_of_the_largest_weight(n, largest, scale, clipped, clip_loss):
    """3 bits: -256, -192, ... 192. Weights of 0.1 want a grain of 64 for them; the largest is cut for that."""
    weight = np.full((1, n), 0.1)
    weight[0, 1::2] = -0.1
    weight[0, -1] = largest
    network = dlm.Network(
        {"x": dlm.Input((n,)), "a": dlm.LIF((1,), dv=0.1)}, [dlm.Projection("x", "a", dlm.Dense(weight))]
    )
    _, report = dlm.quantize(network, 3)
    row = report.projections[0]
    assert row.scale == pytest.approx(scale)
    assert row.clipped == clipped
    assert row.clip_loss == pytest.approx(clip_loss)


def test_labels_give_both_accuracies(rng, pixels):
    network = two_layers(rng)
    labels = rng.integers(0, 4, 30)
    integer, report = dlm.quantize(network, 4, pixels, n_steps=15, labels=labels)
    for kind, net in (("float", network), ("integer", integer)):
        raster = dlm.run(net, pixels, 15).rasters["output"]
        assert report.accuracy[kind] == dlm.accuracy(raster, labels)
        assert report.unanswered[kind] == np.mean(raster.counts().sum(axis=1) == 0)
        assert f"  {kind} accuracy {report.accuracy[kind]:.2%}" in str(report)
    assert report.to_dict()["accuracy"] == dict(report.accuracy)
    with pytest.raises(dlm.DlmError, match=r"labels\[2\] = 4 is not in 0..3"):
        dlm.quantize(network, 8, pixels, labels=[0, 1, 4] + [0] * 27)
    with pytest.raises(dlm.DlmError, match=r"labels of shape \(3,\) for 30 samples"):
        dlm.quantize(network, 8, pixels, labels=[0, 1, 2])
    with pytest.raises(dlm.DlmError, match="labels are of the calibration samples; give calibration too"):
        dlm.quantize(network, labels=labels)


def test_a_layer_that_falls_silent_is_named():
    """A weight of 0.001 rounds to 0 beside one of 1."""
    network = dlm.Network(
        {"x": dlm.Input((2,)), "a": dlm.LIF((1,), dv=0.0, v_threshold=0.008)},
        [dlm.Projection("x", "a", dlm.Dense(np.array([[0.001, 1.0]])))],
    )
    only_weak = {"x": np.tile([1, 0], (1, 20, 1))}
    _, report = dlm.quantize(network, 8, only_weak, n_steps=20)
    assert report.populations[0].spikes_float > 0
    assert report.populations[0].spikes_integer == 0
    assert any("'a' never spikes on the calibration data in integers: of 2 spikes" in line for line in report.warnings)
    _, quiet = dlm.quantize(one_neuron(v_threshold=1e3), 8, {"x": np.zeros((1, 5, 4), int)}, n_steps=5)
    assert "'a' never spikes on the calibration data" in quiet.warnings
