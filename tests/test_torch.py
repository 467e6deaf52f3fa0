"""The torch simulator and the module that trains: exact forward values, and gradients against written-out formulas.

What every backend owes (agreement, states, refusals) is held by test_conformance.py.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from dlm_snn import (
    LIF,
    Chain,
    Conv2d,
    Dense,
    DlmError,
    Input,
    IntegerLIF,
    IntegerNetwork,
    IntegerProjection,
    Network,
    Pool2d,
    Projection,
    Sparse,
    run,
)
from dlm_snn.backends._torch_connections import product
from dlm_snn.backends.torch import SpikingModule
from dlm_snn.neurons import competition, models
from dlm_snn.surrogate import SoftSpikes, spiking, surrogate, winning
from tests.nets import FLOAT, INTEGER, make

SLOPE = 5.0
FAST = surrogate("fast_sigmoid", SLOPE)


def derivative(x):
    return 1 / (1 + SLOPE * np.abs(x)) ** 2


def tensors(network, stimulus, n_steps):
    """Stimuli in the module's axes, (sample, neuron) or (step, sample, neuron), as integers or real values."""
    from dlm_snn.runs.stimulus import prepare

    prepared, _ = prepare(network, stimulus, n_steps)
    kind = torch.int64 if isinstance(network, IntegerNetwork) else torch.float64
    return {name: torch.tensor(s.whole().swapaxes(0, 1).copy(), dtype=kind) for name, s in prepared.items()}


def merged(projection):
    if not isinstance(projection.connection, Chain):
        return projection
    return replace(projection, connection=projection.connection.merged())


def test_a_chain_is_trained_multiplied_out():
    network, _, _ = make("convolution")
    with pytest.raises(DlmError, match=r"hidden->output: a Chain cannot be trained as a whole; give chain.merged\(\)"):
        SpikingModule(network, FAST)


def test_gradients_of_every_connection_are_those_of_its_matrix():
    """Into the pre population, and into each weight: the sum over the matrix entries that it makes."""
    rng = np.random.default_rng(3)
    for connection in (
        Sparse.from_dense(rng.random((4, 6)) * (rng.random((4, 6)) < 0.5)),
        Conv2d(rng.random((4, 1, 2, 2)), (2, 3, 4), (1, 2), 1, groups=2),
        Pool2d((2, 3, 4), 2, weight=0.5),
    ):
        weight = torch.tensor(connection.weight, requires_grad=True)
        x = torch.tensor(rng.random((3, connection.n_pre)), requires_grad=True)
        outward = torch.tensor(rng.random((3, connection.n_post)))
        (product(connection, weight, x) * outward).sum().backward()
        np.testing.assert_allclose(x.grad, outward.numpy() @ connection.sparse().dense(), rtol=1e-12)
        entries = outward.numpy().T @ x.detach().numpy()
        for place in np.ndindex(connection.weight.shape):
            one = np.zeros(connection.weight.shape)
            one[place] = 1
            matrix = connection.with_weight(one).sparse().dense()
            assert weight.grad[place] == pytest.approx((entries * matrix).sum())


def test_pooling_stays_as_it_is():
    network, _, _ = make("convolution")
    module = SpikingModule(replace(network, projections=network.projections[:2]), FAST)
    assert [weight.requires_grad for weight in module.weights] == [True, False]


@pytest.mark.parametrize("case", [case for case in [*FLOAT, *INTEGER] if make(case)[1]])
def test_module_spikes_as_the_reference_does(case):
    network, stimulus, n_steps = make(case)
    network = replace(network, projections=[merged(p) for p in network.projections])
    given = SpikingModule(network, FAST, dtype=torch.float64)(tensors(network, stimulus, n_steps), n_steps)
    recording = run(network, stimulus, n_steps, record=("s", "v"))
    for name, neuron in network.neurons.items():
        unit = 64 * neuron.scale if models.is_integer(neuron) else 1.0
        told = recording.rasters[name].dense() if models.spikes(neuron) else recording.v[name] / unit
        np.testing.assert_array_equal(given[name].transpose(0, 1).detach().numpy(), told)


@pytest.mark.parametrize("function", [FAST, SoftSpikes(5.0)])
def test_v_of_a_read_out_has_a_gradient(function):
    """Of its own weights dv/dw is exact: what the spikes of layer0 leave in v."""
    network, stimulus, n_steps = make("read_out")
    module = SpikingModule(network, function, dtype=torch.float64)
    given = module(tensors(network, stimulus, n_steps), n_steps)
    assert all(torch.isfinite(values).all() for values in given.values())
    given["layer1"][-1, 0, 2].backward()
    sent, keep = given["layer0"][:, 0].detach().numpy(), 1 - network.neurons["layer1"].dv[2]
    expected = (keep ** np.arange(n_steps)[::-1, None] * sent).sum(axis=0)
    np.testing.assert_allclose(module.weights[1].grad[2].numpy(), expected, rtol=1e-12)
    assert not module.weights[1].grad[0].any()
    assert module.weights[0].grad.abs().max() > 0
    assert all(torch.isfinite(weight.grad).all() for weight in module.weights if weight.grad is not None)


@pytest.mark.parametrize("case", ["delay_per_synapse", "bias_per_neuron", "int_bias", "int_delays", "int_one_sign"])
@pytest.mark.parametrize("biases", [False, True])
def test_module_gives_back_the_network_it_was_built_from(case, biases):
    network, stimulus, n_steps = make(case)
    again = SpikingModule(network, FAST, biases=biases, dtype=torch.float64).network()
    assert type(again) is type(network)
    for before, after in zip(network.projections, again.projections, strict=True):
        np.testing.assert_array_equal(after.connection.weight, before.connection.weight)
    for name, neuron in network.neurons.items():
        np.testing.assert_array_equal(
            again.neurons[name].bias, np.broadcast_to(neuron.bias, np.shape(again.neurons[name].bias))
        )
    assert biases or again.digest() == network.digest()
    assert all(
        a == b for a, b in zip(*(run(n, stimulus, n_steps).rasters.values() for n in (network, again)), strict=True)
    )


@pytest.mark.parametrize("seed", range(8))
def test_competition_breaks_ties_by_the_lower_index(seed):
    rng = np.random.default_rng(seed)
    groups = [1, 2, 4][seed % 3]
    for winners in (None, 1, 2, 12 // groups):
        overshoot = rng.integers(-2, 4, (40, 12)).astype(float)
        ours = winning(torch.tensor(overshoot), winners, groups if winners else 1)
        np.testing.assert_array_equal(
            ours.bool().numpy(), competition.winning(overshoot, winners, groups if winners else 1)
        )


def test_float32_runs_as_an_option_and_integers_refuse_it():
    network, stimulus, n_steps = make("plain")
    single = run(network, stimulus, n_steps, record=("s", "v"), backend="torch", dtype=torch.float32)
    double = run(network, stimulus, n_steps, record=("s", "v"))
    assert single.v["layer0"].dtype == np.float64
    assert not np.array_equal(single.v["layer0"], double.v["layer0"])
    for name, raster in double.rasters.items():
        assert np.mean(raster.dense() != single.rasters[name].dense()) < 0.01
    with pytest.raises(DlmError, match=r"neither torch\.float64 nor"):
        run(network, stimulus, n_steps, backend="torch", dtype=torch.float16)
    network, stimulus, n_steps = make("int_plain")
    with pytest.raises(DlmError, match=r"exact in torch\.float64 only"):
        run(network, stimulus, n_steps, backend="torch", dtype=torch.float32)


def test_many_samples_are_computed_in_blocks_that_join():
    network, _, _ = make("recurrent")
    pixels = np.random.default_rng(0).random((600, 12, 10)) < 0.2
    whole = run(network, {"pixels": pixels}, 12, record=("s", "u", "v"))
    blocks = run(network, {"pixels": pixels}, 12, record=("s", "u", "v"), backend="torch")
    assert blocks.rasters["hidden"] == whole.rasters["hidden"]
    np.testing.assert_array_equal(blocks.v["hidden"], whole.v["hidden"])
    np.testing.assert_array_equal(blocks.state.neurons["hidden"].v, whole.state.neurons["hidden"].v)
    np.testing.assert_array_equal(blocks.state.flight["hidden"], whole.state.flight["hidden"])


def center(v, threshold, winners, groups):
    """The competition's own threshold of each neuron: max(v_threshold, mean of the k-th and (k+1)-th v)."""
    overshoot = (v - threshold).reshape(groups, -1)
    if winners is None or winners == overshoot.shape[1]:
        return threshold * np.ones(v.shape)
    ranked = -np.sort(-overshoot, axis=1)
    middle = np.maximum((ranked[:, winners - 1] + ranked[:, winners]) / 2, 0)
    return threshold + np.repeat(middle, overshoot.shape[1])


def rolled_out(weights, neurons, x):
    """Forward pass of a chain of du = 1 neurons, written out: (inputs, distance to the center, spikes) a layer."""
    layers = []
    for weight, neuron in zip(weights, neurons, strict=True):
        v, distances, spikes = np.zeros(neuron.n), [], []
        for a in x @ weight.T:
            v = (1 - neuron.dv) * v + a
            distances.append(v - center(v, neuron.v_threshold, neuron.winners, neuron.groups))
            spikes.append(competition.winning(v - neuron.v_threshold, neuron.winners, neuron.groups))
            v = np.where(spikes[-1], 0, v)
        layers.append((x, np.array(distances), np.array(spikes)))
        x = layers[-1][2].astype(float)
    return layers


def rolled_back(weights, neurons, layers, cost):
    """Gradients of sum(cost * output spikes): gv(t) = gs(t) surrogate'(t) + (1 - dv)(1 - s(t)) gv(t+1)."""
    gradients = []
    for weight, neuron, (x, distances, spikes) in reversed(list(zip(weights, neurons, layers, strict=True))):
        later, per_step = np.zeros(neuron.n), []
        for gs, distance, s in reversed(list(zip(cost, distances, spikes, strict=True))):
            later = gs * derivative(distance) + (1 - neuron.dv) * (1 - s) * later
            per_step.insert(0, later)
        gradients.insert(0, np.array(per_step).T @ x)
        cost = np.array(per_step) @ weight
    return gradients


def close(gradient, expected):
    """snnTorch's surrogates take and give float32, whatever the dtype around them."""
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


NEURONS = {
    "threshold": (LIF((6,), dv=0.125), LIF((3,), dv=0.25)),
    "competition": (LIF((6,), dv=0.125, winners=2), LIF((3,), dv=0.25)),
    "columns": (
        LIF((6,), dv=0.125, winners=1, groups=2, v_threshold=np.arange(3, 9) / 4),
        LIF((3,), dv=0.25, winners=3),
    ),
}


@pytest.mark.parametrize("kind", NEURONS)
def test_gradients_follow_the_written_out_formula(kind):
    rng = np.random.default_rng(3)
    hidden, output = NEURONS[kind]
    weights = [rng.normal(0.1, 0.4, (6, 5)), rng.normal(0.3, 0.5, (3, 6))]
    network = Network(
        {"pixels": Input((5,), graded_bits=8), "hidden": hidden, "output": output},
        [Projection("pixels", "hidden", Dense(weights[0])), Projection("hidden", "output", Dense(weights[1]))],
    )
    x, cost = rng.random((2, 12, 5)), rng.normal(size=(2, 12, 3))
    module = SpikingModule(network, FAST, dtype=torch.float64)
    spikes = module({"pixels": torch.tensor(x.swapaxes(0, 1))}, 12)["output"]
    (spikes * torch.tensor(cost.swapaxes(0, 1))).sum().backward()
    expected = [np.zeros_like(w) for w in weights]
    for sample in range(2):
        layers = rolled_out(weights, (hidden, output), x[sample])
        np.testing.assert_array_equal(spikes[:, sample].detach().numpy(), layers[1][2])
        assert 0 < layers[0][2].mean() < 0.6
        for total, part in zip(expected, rolled_back(weights, (hidden, output), layers, cost[sample]), strict=True):
            total += part
    for parameter, gradient in zip(module.weights, expected, strict=True):
        close(parameter.grad.numpy(), gradient)


def test_float32_gradients_equal_float64_ones():
    network, stimulus, n_steps = make("kwta_recurrent")
    gradients = []
    for dtype in (torch.float32, torch.float64):
        module = SpikingModule(network, FAST, biases=True, dtype=dtype)
        spikes = module(tensors(network, stimulus, n_steps), n_steps)
        torch.stack([s.sum() for s in spikes.values()]).sum().backward()
        gradients.append([p.grad.double() for p in module.parameters()])
    for single, double in zip(*gradients, strict=True):
        assert double.abs().max() > 0
        assert (single - double).abs().max() <= 1e-5 * double.abs().max()


def integer_net(winners):
    """Integer twins of a float net, with negative and positive exponents of the weights."""
    rng = np.random.default_rng(5)
    scale = 60.0
    return IntegerNetwork(
        {
            "pixels": Input((5,), graded_bits=8, scale=255),
            "hidden": IntegerLIF((6,), dv=512, v_threshold=60, winners=winners, scale=scale),
            "output": IntegerLIF((3,), dv=1024, v_threshold=50, scale=50.0),
        },
        [
            IntegerProjection("pixels", "hidden", Dense(2 * rng.integers(-40, 60, (6, 5))), weight_exp=-8),
            IntegerProjection("hidden", "output", Dense(2 * rng.integers(-10, 30, (3, 6)))),
        ],
    )


@pytest.mark.parametrize("winners", [None, 2])
def test_integer_gradients_are_those_of_the_float_formula(winners):
    """Straight through rounding, floor and truncation, at the integers' own voltages, in float units."""
    network = integer_net(winners)
    rng = np.random.default_rng(6)
    x, cost = rng.integers(0, 256, (12, 5)), rng.normal(size=(12, 3))
    recording = run(network, {"pixels": x[None]}, 12, record=("s", "u", "v"))
    module = SpikingModule(network, FAST)
    spikes = module({"pixels": torch.tensor(x[:, None])}, 12)["output"]
    (spikes[:, 0] * torch.tensor(cost)).sum().backward()

    floats = [
        LIF((n.n,), dv=n.dv / 4096, v_threshold=n.v_threshold / n.scale, winners=n.winners)
        for n in network.neurons.values()
    ]
    layers = []
    for neuron, (name, integer) in zip(floats, network.neurons.items(), strict=True):
        u, v = recording.u[name][0], recording.v[name][0]
        before = np.vstack([np.zeros(neuron.n), v[:-1]])
        reached = (np.trunc(before * (4096 - integer.dv) / 4096) + u) / (64 * integer.scale)
        distances = [w - center(w, neuron.v_threshold, neuron.winners, 1) for w in reached]
        layers.append((layers[-1][2] if layers else x / 255, np.array(distances), recording.rasters[name].dense()[0]))
    weights = [p.detach().numpy() for p in module.weights]
    for parameter, gradient in zip(module.weights, rolled_back(weights, floats, layers, cost), strict=True):
        close(parameter.grad.numpy(), gradient)


def test_integer_parameters_are_float_weights_on_the_grid_of_their_bits():
    network = integer_net(2)
    module = SpikingModule(network, FAST)
    unit = 60.0 * 2**8 / 255
    np.testing.assert_allclose(module.weights[0].detach().numpy() * unit, network.projections[0].connection.weight)
    with torch.no_grad():
        module.weights[0] += 0.9 / unit
        module.weights[1] += 1000.0
    moved = module.network()
    np.testing.assert_array_equal(moved.projections[0].connection.weight, network.projections[0].connection.weight)
    np.testing.assert_array_equal(moved.projections[1].connection.weight, 254)


def test_trained_biases_go_back_into_the_network():
    module = SpikingModule(Network({"pace": LIF((3,), dv=0.125, bias=0.25)}), FAST, biases=True)
    module({}, 8)["pace"].sum().backward()
    assert (module.biases["pace"].grad > 0).all()
    with torch.no_grad():
        module.biases["pace"] += torch.tensor([0.0, 0.5, 1.0])
    np.testing.assert_allclose(module.network().neurons["pace"].bias, [0.25, 0.75, 1.25])


def test_surrogate_is_centered_between_the_last_winner_and_the_first_loser():
    overshoot = torch.tensor([[3.0, 2.0, 1.0, -1.0]], requires_grad=True)
    s = spiking(FAST)(overshoot, 2, 1)
    assert s.tolist() == [[1, 1, 0, 0]]
    s.sum().backward()
    np.testing.assert_allclose(overshoot.grad.numpy()[0], derivative(np.array([1.5, 0.5, -0.5, -2.5])), rtol=1e-6)


def test_constant_input_costs_one_product_and_equals_the_repeated_one():
    network, stimulus, _ = make("image")
    pixels = torch.tensor(np.asarray(stimulus["pixels"]).reshape(3, -1))
    module = SpikingModule(network, FAST)
    once = module({"pixels": pixels}, 10, ["output"])
    repeated = module({"pixels": pixels.expand(10, 3, 24)}, 10)
    assert list(once) == ["output"]
    assert torch.equal(once["output"], repeated["output"])


def test_inputs_that_do_not_fit_are_refused_by_name():
    network, _, _ = make("int_pixels")
    module = SpikingModule(network, FAST)
    with pytest.raises(DlmError, match="no values for Input 'pixels'"):
        module({}, 5)
    n = network.inputs["pixels"].n
    with pytest.raises(DlmError, match="an integer network takes integers"):
        module({"pixels": torch.zeros(2, n)}, 5)
    with pytest.raises(DlmError, match=r"have shape \(2, 1\)"):
        module({"pixels": torch.zeros(2, 1, dtype=torch.int64)}, 5)
    with pytest.raises(DlmError, match=r"input 'pixels' holds 0\.\.256, not whole 0\.\.255 .8-bit events."):
        module({"pixels": 256 * torch.eye(n, dtype=torch.int64)}, 5)
    image = Network({"pixels": Input((n,), graded_bits=8, scale=255)})
    with pytest.raises(DlmError, match="divide by 255, or give integers"):
        SpikingModule(image, FAST)({"pixels": torch.full((2, n), 200.0)}, 5)
    with pytest.raises(DlmError, match=r"no surrogate 'atann'; did you mean 'atan'\?"):
        surrogate("atann", 2.0)


def test_state_of_other_samples_is_refused():
    network, stimulus, n_steps = make("plain")
    state = run(network, stimulus, n_steps, backend="torch").state
    one = {"pixels": np.asarray(stimulus["pixels"])[:1]}
    with pytest.raises(DlmError, match="does not fit population 'layer0' of 1 sample"):
        run(network, one, n_steps, state=state, backend="torch")
    with pytest.raises(DlmError, match="does not fit population 'layer0'"):
        run(network, stimulus, n_steps, state=replace(state, neurons={}), backend="torch")
