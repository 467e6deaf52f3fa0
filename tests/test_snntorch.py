"""snnTorch as a simulator and as a format: what maps is equal spike for spike, what does not is refused by name.

Every mapping is held against loops over genuine snnTorch modules that are written here, in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import snntorch as snn
import torch
from snntorch import utils
from torch import nn

from dlm_snn import LI, LIF, Dense, DlmError, Input, Network, Projection, UnsupportedError, compare, run
from dlm_snn.exchange.snntorch.neurons import Firing
from dlm_snn.exchange.snntorch.reader import read_stack
from dlm_snn.exchange.snntorch.writer import to_snntorch
from dlm_snn.surrogate import surrogate
from tests.nets import make

N_STEPS, N_SAMPLES = 30, 4
ATAN = snn.surrogate.atan()


def exact(overshoot):
    """snnTorch's spikes are float32: cast, so that a float64 Linear takes them."""
    return ATAN(overshoot).to(overshoot.dtype)


@pytest.fixture(autouse=True)
def _no_neurons_left_behind():
    before = len(snn.SpikingNeuron.instances)
    yield
    del snn.SpikingNeuron.instances[before:]


def linear(rng, post, pre, bias=False):
    """Weights in 1/64: no sum depends on its order."""
    layer = nn.Linear(pre, post, bias=bias, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(rng.integers(-16, 36, (post, pre)) / 64))
        if bias:
            layer.bias.copy_(torch.tensor(rng.integers(-4, 8, post) / 64))
    return layer


def recurrent(module, rng, bias=True):
    """A recurrent module whose weights are in 1/64 too."""
    module = module.double()
    with torch.no_grad():
        n = module.linear_features
        module.recurrent.weight.copy_(torch.tensor(rng.integers(-24, 16, (n, n)) / 64))
        module.recurrent.bias.copy_(torch.tensor(bias * rng.integers(-4, 4, n) / 64))
    return module


def events(rng, n=10, rate=0.2):
    return rng.random((N_SAMPLES, N_STEPS, n)) < rate


def played(layers, pixels):
    """Spikes of every layer, (sample, step, neuron), in snnTorch's own zero-delay loop."""
    states = [None] * len(layers)
    spikes = [[] for _ in layers]
    with torch.no_grad():
        for t in range(pixels.shape[1]):
            x = torch.tensor(pixels[:, t], dtype=torch.float64)
            for i, (layer, neuron) in enumerate(layers):
                current = layer(x)
                state = states[i] if states[i] is not None else start(neuron, current)
                x, *after = neuron(current, *state)
                states[i] = (x, *after) if isinstance(neuron, (snn.RLeaky, snn.RSynaptic)) else tuple(after)
                spikes[i].append(x)
    return [torch.stack(steps, dim=1).numpy().astype(bool) for steps in spikes]


def start(neuron, like):
    counts = {snn.Leaky: 1, snn.Synaptic: 2, snn.RLeaky: 2, snn.RSynaptic: 3}
    return tuple(torch.zeros_like(like) for _ in range(counts[type(neuron)]))


def tensor(value):
    return torch.tensor(value, dtype=torch.float64)


def options(**given):
    return {"beta": tensor(0.875), "threshold": tensor(1.0), "spike_grad": exact} | given


MAPPED = {
    "leaky zero": lambda rng: snn.Leaky(**options(reset_mechanism="zero")),
    "leaky zero, immediate": lambda rng: snn.Leaky(**options(reset_mechanism="zero", reset_delay=False)),
    "leaky subtract": lambda rng: snn.Leaky(**options()),
    "leaky per neuron": lambda rng: snn.Leaky(
        **options(beta=tensor(rng.integers(4, 9, 8) / 8), threshold=tensor(rng.integers(3, 7, 8) / 4))
    ),
    "leaky, float32 decay": lambda rng: snn.Leaky(beta=0.9, spike_grad=exact, reset_mechanism="zero"),
    "leaky with competition": lambda rng: snn.Leaky(**options(reset_mechanism="zero", spike_grad=Firing(ATAN, 2))),
    "leaky subtract with columns": lambda rng: snn.Leaky(**options(spike_grad=Firing(ATAN, 1, 4))),
    "synaptic zero": lambda rng: snn.Synaptic(alpha=tensor(0.5), **options(reset_mechanism="zero", reset_delay=False)),
    "synaptic subtract": lambda rng: snn.Synaptic(alpha=tensor(0.25), **options()),
    "rleaky subtract": lambda rng: recurrent(snn.RLeaky(linear_features=8, **options()), rng),
    "rleaky zero": lambda rng: recurrent(
        snn.RLeaky(linear_features=8, **options(reset_mechanism="zero", reset_delay=False)), rng
    ),
    "rleaky one to one": lambda rng: snn.RLeaky(V=tensor(-0.25), all_to_all=False, **options()),
    "rsynaptic subtract": lambda rng: recurrent(snn.RSynaptic(alpha=tensor(0.5), linear_features=8, **options()), rng),
    "synaptic zero, a step late": lambda rng: snn.Synaptic(alpha=tensor(0.5), **options(reset_mechanism="zero")),
    "rleaky zero, a step late": lambda rng: recurrent(
        snn.RLeaky(linear_features=8, **options(reset_mechanism="zero")), rng
    ),
    "rsynaptic zero": lambda rng: recurrent(
        snn.RSynaptic(alpha=tensor(0.5), linear_features=8, **options(reset_mechanism="zero")), rng
    ),
    "rsynaptic zero, no delay": lambda rng: recurrent(
        snn.RSynaptic(alpha=tensor(0.5), linear_features=8, **options(reset_mechanism="zero", reset_delay=False)), rng
    ),
    "rsynaptic subtract, no delay": lambda rng: recurrent(
        snn.RSynaptic(alpha=tensor(0.5), linear_features=8, **options(reset_delay=False)), rng
    ),
}


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kind", MAPPED)
def test_a_stack_becomes_a_network_with_equal_spikes(kind, bias):
    rng = np.random.default_rng(1)
    layers = [
        (linear(rng, 8, 10, bias), MAPPED[kind](rng)),
        (linear(rng, 5, 8, bias), snn.Leaky(**options(reset_mechanism="zero"))),
    ]
    pixels = events(rng)
    network = read_stack(layers)
    stimulus = {"pixels": pixels} | ({"one": np.ones((N_SAMPLES, 1), dtype=int)} if "one" in network.inputs else {})
    assert ("one" in network.inputs) == ("synaptic" in kind and (bias or kind.startswith("rs")))
    recording = run(network, stimulus, N_STEPS)
    for name, spikes in zip(("hidden", "output"), played(layers, pixels), strict=True):
        np.testing.assert_array_equal(recording.rasters[name].dense(), spikes)
        assert 0.02 <= spikes.mean() <= 0.5, name


def test_decays_and_weights_are_taken_as_stored():
    layer = nn.Linear(3, 2)
    network = read_stack([layer, snn.Leaky(beta=0.9)], pixels=Input((3,), graded_bits=8, scale=255), names=["x", "y"])
    assert network.populations["y"].dv == 1 - float(np.float32(0.9))
    assert network.inputs["x"].scale == 255
    np.testing.assert_array_equal(network.projections[0].connection.weight, layer.weight.detach().double().numpy())
    np.testing.assert_array_equal(network.populations["y"].bias, layer.bias.detach().double().numpy())


def test_sequential_pairs_and_flatten_are_read_alike():
    rng = np.random.default_rng(0)
    layers = [linear(rng, 4, 6), snn.Leaky(**options()), linear(rng, 3, 4), snn.Leaky(**options())]
    digests = {
        read_stack(stack).digest()
        for stack in (layers, nn.Sequential(nn.Flatten(), *layers), [layers[:2], layers[2:]], nn.ModuleList(layers))
    }
    assert len(digests) == 1
    assert list(read_stack([*layers, *layers[2:3], layers[1]][:4]).populations) == ["pixels", "hidden", "output"]


ZERO = {"beta": 0.5, "reset_mechanism": "zero"}
REFUSED = {
    "reset_mechanism='none', whose spikes come back": lambda: snn.RLeaky(
        beta=0.5, linear_features=4, reset_mechanism="none"
    ),
    "subtracts before the decay": lambda: snn.Leaky(beta=0.5, reset_delay=False),
    "resets the losers": lambda: snn.Leaky(spike_grad=Firing(ATAN, 2), reset_delay=False, **ZERO),
    "graded_spikes_factor": lambda: snn.Leaky(beta=0.5, graded_spikes_factor=2.0),
    "state_quant": lambda: snn.Leaky(beta=0.5, state_quant=lambda x: x),
    "not a step": lambda: snn.Leaky(beta=0.5, spike_grad=torch.sigmoid),
    "a spike_grad that is not": lambda: snn.Leaky(beta=0.5, spike_grad=lambda v: ((v > 0) & (v < 5)).to(v)),
    "a spike_grad that is not a step": lambda: snn.Leaky(beta=0.5, spike_grad=lambda v: ((v > 0) ^ (v < -7e5)).to(v)),
    "spike_grad that is not": lambda: snn.Leaky(beta=0.5, spike_grad=snn.surrogate.LSO()),
    "not a step at 0": lambda: snn.Leaky(beta=0.5, spike_grad=lambda v: "spikes"),
    "module 1, Alpha": lambda: snn.Alpha(alpha=0.9, beta=0.5),
    "module 1, ReLU": nn.ReLU,
}


READ_BY_MEM: dict[str, Any] = {
    "leaky": lambda: snn.Leaky(**options(reset_mechanism="none")),
    "synaptic": lambda: snn.Synaptic(alpha=tensor(0.5), **options(reset_mechanism="none")),
    "one beta a neuron": lambda: snn.Leaky(**options(reset_mechanism="none", beta=torch.linspace(0, 1, 5).double())),
}


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kind", READ_BY_MEM)
def test_a_last_layer_without_reset_is_read_by_its_mem(kind, bias):
    """In, with the mem that snnTorch's own neuron has; and out again, without the spikes that it makes."""
    rng = np.random.default_rng(1)
    layers = [
        (linear(rng, 8, 10, bias), snn.Leaky(**options(reset_mechanism="zero"))),
        (linear(rng, 5, 8, bias), READ_BY_MEM[kind]()),
    ]
    pixels = events(rng)
    network = read_stack(layers)
    assert type(network.populations["output"]) is LI
    theirs = []
    layers[1][1].register_forward_hook(lambda module, given, out: theirs.append(out[-1]))
    played(layers, pixels)
    recording = run(network, {"pixels": pixels}, N_STEPS, record=("s", "v"))
    mem = torch.stack(theirs, dim=1).detach().numpy()
    np.testing.assert_allclose(recording.v["output"], mem, rtol=0, atol=1e-12)
    assert (mem > 1).any()
    assert len(recording.rasters["output"]) == 0
    modules = to_snntorch(network)
    with torch.no_grad():
        again = [modules(x) for x in torch.tensor(pixels, dtype=torch.float64).unbind(dim=1)]
    np.testing.assert_allclose(torch.stack([out[-1] for out in again], dim=1).numpy(), mem, rtol=0, atol=1e-12)
    assert not any(out[0].any() for out in again)
    assert read_stack(modules, names=[n for n in network.populations if n != "one"]).digest() == network.digest()


def test_a_layer_without_reset_whose_spikes_go_on_is_refused():
    layers = [nn.Linear(3, 4), snn.Leaky(beta=0.5, reset_mechanism="none"), nn.Linear(4, 2), snn.Leaky(beta=0.5)]
    with pytest.raises(UnsupportedError, match=r"layer 1 \(Leaky\) with reset_mechanism='none', whose spikes go"):
        read_stack(layers)


@pytest.mark.parametrize("words", REFUSED)
def test_what_has_no_equal_is_refused_by_name(words):
    with pytest.raises(UnsupportedError, match=words.replace("(", r"\(")):
        read_stack([nn.Linear(3, 4), REFUSED[words]()])


def test_inhibition_is_refused():
    with pytest.warns(UserWarning, match="Inhibition is an unstable feature"):
        neuron = snn.Leaky(beta=0.5, inhibition=True)
    with pytest.raises(UnsupportedError, match="inhibition=True"):
        read_stack([nn.Linear(3, 4), neuron])


def test_stacks_that_do_not_fit_are_refused():
    with pytest.raises(DlmError, match="hides its order"):
        read_stack(snn.Leaky(beta=0.5))
    with pytest.raises(UnsupportedError, match="module 0, Linear, without a neuron behind it"):
        read_stack([nn.Linear(2, 2)])
    with pytest.raises(UnsupportedError, match="a stack without a neuron"):
        read_stack([])
    with pytest.raises(DlmError, match=r"the recurrence of layer 'output' \(RLeaky\): input_shape = \(4,\)"):
        read_stack([nn.Linear(2, 4), snn.RLeaky(beta=0.5, conv2d_channels=2, kernel_size=3)])
    with pytest.raises(DlmError, match="3 names"):
        read_stack([nn.Linear(2, 2), snn.Leaky(beta=0.5)], names=["a", "b", "c"])


TRAPS = {
    "leaky subtract, immediate": (
        lambda rng: snn.Leaky(**options(reset_delay=False)),
        LIF((8,), dv=0.125, reset="subtract"),
    ),
    "competition, immediate": (
        lambda rng: snn.Leaky(**options(reset_mechanism="zero", reset_delay=False, spike_grad=Firing(ATAN, 1))),
        LIF((8,), dv=0.125, winners=1),
    ),
}


@pytest.mark.parametrize("kind", TRAPS)
def test_what_is_refused_would_indeed_spike_differently(kind):
    rng = np.random.default_rng(2)
    build, neuron = TRAPS[kind]
    layer = linear(rng, 8, 10)
    pixels = events(rng)
    network = Network(
        {"pixels": Input((10,)), "cells": neuron},
        [Projection("pixels", "cells", Dense(layer.weight.detach().numpy()))],
    )
    ours = run(network, {"pixels": pixels}, N_STEPS).rasters["cells"].dense()
    assert np.count_nonzero(ours != played([(layer, build(rng))], pixels)[0]) > 10


WRITTEN = [
    "plain",
    "kwta",
    "kwta_columns",
    "subtract",
    "subtract_kwta",
    "filtered",
    "subtract_filtered",
    "bias",
    "image",
]


@pytest.mark.parametrize(
    "case", [*WRITTEN, "threshold_per_neuron", "decay_per_neuron", "recurrent", "subtract_recurrent"]
)
def test_a_network_becomes_a_sequential_with_equal_spikes(case):
    network, stimulus, n_steps = make(case)
    modules = to_snntorch(network)
    assert all(p.dtype == torch.float64 for p in modules.parameters())
    from dlm_snn.runs.stimulus import prepare

    fed = prepare(network, stimulus, n_steps)[0]["pixels"]
    with torch.no_grad():
        steps = [modules(torch.tensor(fed.at(t))) for t in range(n_steps)]
    spikes = torch.stack(steps, dim=1).numpy().astype(bool)
    last = list(network.neurons)[-1]
    np.testing.assert_array_equal(spikes, run(network, stimulus, n_steps).rasters[last].dense())
    assert spikes.any()


@pytest.mark.parametrize("case", ["plain", "kwta_columns", "subtract_filtered", "decay_per_neuron"])
def test_there_and_back_is_the_same_network(case):
    network, _, _ = make(case)
    again = read_stack(to_snntorch(network), pixels=network.inputs["pixels"], names=list(network.populations))
    assert again.digest() == network.digest()


def test_the_constant_input_becomes_a_bias():
    rng = np.random.default_rng(4)
    network = Network(
        {
            "pixels": Input((6,)),
            "one": Input((1,), graded_bits=1, aligned=True),
            "cells": LIF((5,), dv=0.125, du=0.5),
        },
        [
            Projection("pixels", "cells", Dense(rng.integers(-8, 20, (5, 6)) / 64)),
            Projection("one", "cells", Dense(rng.integers(0, 4, (5, 1)) / 64)),
        ],
    )
    modules = to_snntorch(network)
    np.testing.assert_array_equal(modules[0].bias.detach().numpy(), network.projections[1].connection.weight[:, 0])
    assert {p.name for p in read_stack(modules).projections} == {"pixels->output", "one->output"}


@pytest.mark.parametrize("case", ["skip", "delay_per_post", "noise", "loop", "parallel", "alone"])
def test_what_is_no_chain_is_not_written_as_one(case):
    with pytest.raises(UnsupportedError, match=r"a Sequential with|no single loop of one step"):
        to_snntorch(make(case)[0])


def test_a_written_stack_is_reset_by_snntorchs_own_means():
    modules = to_snntorch(make("kwta")[0])
    steps = torch.tensor(make("kwta")[1]["pixels"], dtype=torch.float64).unbind(dim=1)
    with torch.no_grad():
        first = [modules(x) for x in steps]
        utils.reset(modules)
        assert all(torch.equal(modules(x), spikes) for x, spikes in zip(steps, first, strict=True))


NOT_HERE = {
    "refractory period of 'cells'": LIF((3,), dv=0.5, refractory=2),
    "competition with a zero reset": LIF((3,), dv=0.5, du=0.5, winners=1),
    "beside a filtered current": LIF((3,), dv=0.5, du=0.5, bias=0.25),
}


@pytest.mark.parametrize("words", NOT_HERE)
def test_neurons_that_snntorch_lacks_are_refused(words):
    network = Network(
        {"pixels": Input((2,)), "cells": NOT_HERE[words]}, [Projection("pixels", "cells", Dense(np.ones((3, 2))))]
    )
    with pytest.raises(UnsupportedError, match=words):
        to_snntorch(network)
    with pytest.raises(UnsupportedError, match=words):
        run(network, {"pixels": np.ones((1, 2), dtype=int)}, 3, backend="snntorch")


def test_integer_networks_are_refused():
    network, stimulus, n_steps = make("int_plain")
    with pytest.raises(UnsupportedError, match="integer networks"):
        run(network, stimulus, n_steps, backend="snntorch")


def test_runs_leave_no_neurons_in_snntorchs_list():
    network, stimulus, n_steps = make("kwta")
    before = list(snn.SpikingNeuron.instances)
    assert compare(run(network, stimulus, n_steps), run(network, stimulus, n_steps, backend="snntorch")).equal
    assert snn.SpikingNeuron.instances == before


def test_competition_trains_inside_snntorch():
    """Firing has the gradient of ours: centered on the competition's threshold."""
    neuron = snn.Leaky(beta=tensor(0.5), spike_grad=Firing(surrogate("fast_sigmoid", 5.0), 1), reset_mechanism="zero")
    current = torch.tensor([[3.0, 2.0]], dtype=torch.float64, requires_grad=True)
    spikes, _ = neuron(current, torch.zeros(1, 2, dtype=torch.float64))
    assert spikes.tolist() == [[1.0, 0.0]]
    spikes.sum().backward()
    np.testing.assert_allclose(current.grad.numpy(), 1 / (1 + 5 * 0.5) ** 2, rtol=1e-6)


class Declared(torch.nn.Module):
    """Layers first, neurons behind, as forward() does not compute them."""

    def __init__(self, shared):
        super().__init__()
        self.fc1, self.fc2 = torch.nn.Linear(20, 10), torch.nn.Linear(10, 10)
        self.lif1 = snn.Leaky(beta=0.9)
        if not shared:
            self.lif2 = snn.Leaky(beta=0.8)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("form", [list, tuple, iter, torch.nn.ModuleList])
def test_a_list_in_the_order_of_declaration_is_refused(shared, form):
    module = Declared(shared)
    with pytest.raises(DlmError, match=r"module 1, Linear, follows module 0, Linear, without a neuron between"):
        read_stack(form(list(module.children())))
    right = [module.fc1, module.lif1, module.fc2, module.lif1 if shared else module.lif2]
    for given_form in (right, torch.nn.Sequential(*right)):
        assert len(read_stack(given_form).neurons) == 2


def test_neurons_in_a_row_are_refused_but_not_behind_a_pool():
    neuron = snn.Leaky(beta=0.9)
    row = [torch.nn.Linear(8, 8), neuron, torch.nn.Dropout(), neuron]
    with pytest.raises(DlmError, match=r"module 3, Leaky, follows module 1, Leaky, without a layer between"):
        read_stack(row)
    with pytest.raises(DlmError, match=r"module 0.2, Linear, follows module 0.0, Linear, without a neuron between"):
        read_stack([[torch.nn.Linear(8, 8), torch.nn.Dropout(), torch.nn.Linear(8, 8)], [neuron]])
    assert len(read_stack(torch.nn.Sequential(*row)).neurons) == 2
    image = Input((1, 4, 4))
    pooled = [torch.nn.Conv2d(1, 2, 1), neuron, torch.nn.AvgPool2d(2), neuron]
    assert len(read_stack(pooled, image).neurons) == 2


def test_a_neuron_that_comes_again_is_a_layer_of_its_own():
    """torch's named_children() has it once: the third layer would be a product of two."""
    lif, other = snn.Leaky(beta=0.9), snn.Leaky(beta=0.5)
    layers = [torch.nn.Linear(4, 4), lif, torch.nn.Linear(4, 4), lif, torch.nn.Linear(4, 4), other]
    network = read_stack(torch.nn.Sequential(*layers))
    assert [population.dv for population in network.neurons.values()] == pytest.approx([0.1, 0.1, 0.5])
    assert {p.connection.weight.shape for p in network.projections} == {(4, 4)}
    assert network.digest() == read_stack(layers).digest()
    lif.init_hidden = True
    for form in (torch.nn.Sequential(*layers), layers):
        with pytest.raises(
            UnsupportedError, match="module 3, module 1 again, with one hidden state for both; give each"
        ):
            read_stack(form)


class Inhibited(torch.nn.Sequential):
    """What forward adds to its layers, they do not show."""

    def forward(self, x):
        return 0.5 * super().forward(x)


def test_a_sequential_with_a_forward_of_its_own_is_refused():
    own = Inhibited(torch.nn.Linear(4, 4), snn.Leaky(beta=0.9))
    for form in (own, torch.nn.Sequential(own), [own]):
        with pytest.raises(
            DlmError, match="Inhibited has a forward of its own; give a Sequential or a list of its layers"
        ):
            read_stack(form)
