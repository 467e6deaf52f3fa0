"""Twelve networks as people write them in snnTorch: in, and out again, with the same spikes of every layer."""

from __future__ import annotations

import numpy as np
import pytest
import snntorch as snn
import torch
from torch import nn

import dlm_snn as dlm
from dlm_snn.exchange.snntorch.neurons import KNOWN
from dlm_snn.exchange.snntorch.reader import read_stack
from dlm_snn.exchange.snntorch.writer import to_snntorch
from dlm_snn.runs.stimulus import prepare

N_STEPS, N_SAMPLES = 40, 4
IMAGE = (2, 9, 8)
ATAN, FAST = snn.surrogate.atan(), snn.surrogate.fast_sigmoid(slope=5)


@pytest.fixture(autouse=True)
def _no_neurons_left_behind():
    before = len(snn.SpikingNeuron.instances)
    yield
    del snn.SpikingNeuron.instances[before:]


def exact(overshoot):
    """snnTorch's spikes are float32: cast, so that a float64 layer takes them."""
    return FAST(overshoot).to(overshoot.dtype)


def neuron(kind, reset="zero", **more):
    delay = {"reset_delay": reset == "subtract"} if kind is not snn.Leaky and kind is not snn.RSynaptic else {}
    return kind(**{"beta": 0.8, "spike_grad": exact, "init_hidden": True, "reset_mechanism": reset, **delay, **more})


def draw(*shape, low=0.6, high=0.95):
    return torch.empty(*shape).uniform_(low, high)


NETS = {
    "dense": lambda: [nn.Flatten(), nn.Linear(144, 30), neuron(snn.Leaky), nn.Linear(30, 10), neuron(snn.Leaky)],
    "dense, subtract": lambda: [
        *(nn.Linear(20, 30), neuron(snn.Leaky, "subtract", beta=0.9)),
        *(nn.Linear(30, 10), neuron(snn.Leaky, "subtract", beta=0.9)),
    ],
    "deep, dropout, no bias": lambda: [
        *(nn.Linear(20, 40, bias=False), neuron(snn.Leaky), nn.Dropout(0.5)),
        *(nn.Linear(40, 30, bias=False), neuron(snn.Leaky, threshold=0.5), nn.Dropout(0.2)),
        *(nn.Linear(30, 20, bias=False), neuron(snn.Leaky, threshold=0.3)),
        *(nn.Linear(20, 10, bias=False), neuron(snn.Leaky)),
    ],
    "learnable beta and threshold": lambda: [
        *(
            nn.Linear(20, 30),
            neuron(snn.Leaky, beta=draw(30), learn_beta=True, threshold=draw(30), learn_threshold=True),
        ),
        *(nn.Linear(30, 10), neuron(snn.Leaky, "subtract", beta=0.7, learn_beta=True, threshold=0.6)),
    ],
    "synaptic": lambda: [
        *(nn.Linear(20, 30), neuron(snn.Synaptic, alpha=0.6, threshold=2.0)),
        *(nn.Linear(30, 10), neuron(snn.Synaptic, "subtract", alpha=draw(10), beta=draw(10), learn_alpha=True)),
    ],
    "convolution, mean, flatten": lambda: [
        *(nn.Conv2d(2, 6, 3, padding=1), nn.AvgPool2d(2), neuron(snn.Leaky, threshold=0.3)),
        *(nn.Conv2d(6, 4, 3), neuron(snn.Leaky, "subtract", threshold=0.5)),
        *(nn.Flatten(), nn.Linear(4 * 2 * 2, 10), neuron(snn.Leaky)),
    ],
    "strides, groups, dilation, same": lambda: [
        *(nn.Conv2d(2, 6, (3, 2), stride=(2, 1), groups=2, bias=False), neuron(snn.Leaky, threshold=draw(6, 1, 1))),
        *(nn.Conv2d(6, 4, 3, padding="same", dilation=2), neuron(snn.Synaptic, alpha=0.5, beta=draw(4, 4, 7))),
        *(nn.AvgPool2d(2, 1, 1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(4 * 5 * 8, 10)),
        neuron(snn.Leaky, threshold=0.3),
    ],
    "mean of the input": lambda: [
        *(nn.AvgPool2d((3, 2)), nn.Flatten(), nn.Linear(2 * 3 * 4, 20), nn.Linear(20, 16, bias=False)),
        *(neuron(snn.Leaky, threshold=0.2), nn.Linear(16, 10), neuron(snn.Leaky, "subtract")),
    ],
    "recurrent": lambda: [
        *(nn.Linear(20, 30), neuron(snn.RLeaky, "subtract", linear_features=30)),
        *(nn.Linear(30, 10), neuron(snn.RLeaky, linear_features=10, beta=draw(10), learn_beta=True)),
    ],
    "recurrent, each with itself": lambda: [
        *(nn.Linear(20, 30), neuron(snn.RLeaky, "subtract", all_to_all=False, V=draw(30, low=-0.5, high=0.5))),
        *(nn.Linear(30, 10), neuron(snn.RSynaptic, "subtract", alpha=0.5, all_to_all=False, V=0.3)),
    ],
    "recurrent and filtered": lambda: [
        *(nn.Linear(20, 30), neuron(snn.RSynaptic, "subtract", alpha=0.6, linear_features=30, threshold=2.0)),
        *(nn.Linear(30, 10), neuron(snn.Leaky)),
    ],
    "recurrent convolution": lambda: [
        *(nn.Conv2d(2, 4, 3, stride=2), neuron(snn.RLeaky, conv2d_channels=4, kernel_size=(3, 1), threshold=0.6)),
        *(nn.Flatten(), nn.Linear(4 * 4 * 3, 10), neuron(snn.Leaky)),
    ],
}


def played(modules, fed):
    """Spikes of every neuron layer, (sample, step, ...), of the Sequential called once a step."""
    neurons = [module for module in modules if type(module) in KNOWN]
    found = {id(module): [] for module in neurons}
    hooks = [m.register_forward_hook(lambda m, _, out: found[id(m)].append(out.flatten(1))) for m in neurons]
    with torch.no_grad():
        for t in range(N_STEPS):
            modules(fed[t])
    for hook in hooks:
        hook.remove()
    return [torch.stack(found[id(module)], dim=1).numpy().astype(bool) for module in neurons]


@pytest.mark.parametrize("name", NETS)
def test_in_and_out_again_the_spikes_are_the_same(name):
    torch.manual_seed(sum(map(ord, name)))
    modules = nn.Sequential(*NETS[name]()).eval()
    with torch.no_grad():
        for parameter in modules.parameters():
            if parameter.ndim > 1:
                parameter.mul_(2.5).sub_(0.01)
    modules = modules.double()
    first = next(m for m in modules if hasattr(m, "weight") or isinstance(m, nn.AvgPool2d))
    shape = IMAGE if not isinstance(first, nn.Linear) or isinstance(modules[0], nn.Flatten) else (20,)
    network = read_stack(modules, pixels=dlm.Input(shape))
    events = np.random.default_rng(7).random((N_SAMPLES, N_STEPS, int(np.prod(shape)))) < 0.3
    stimulus = {"pixels": dlm.SpikeRaster.from_dense(events)}
    if "one" in network.inputs:
        stimulus["one"] = np.ones((N_SAMPLES, 1), dtype=np.uint8)
    fed = prepare(network, stimulus, N_STEPS)[0]["pixels"]
    steps = [torch.tensor(fed.at(t), dtype=torch.float64).reshape(N_SAMPLES, *shape) for t in range(N_STEPS)]
    theirs = played(modules, steps)
    recording = dlm.run(network, stimulus, N_STEPS)
    populations = list(network.neurons)
    assert len(populations) == len(theirs)
    for population, spikes in zip(populations, theirs, strict=True):
        assert 0.01 < spikes.mean() < 0.7, (population, spikes.mean())
        np.testing.assert_array_equal(recording.rasters[population].dense(), spikes)
    out = to_snntorch(network)
    for one, other in zip(played(out, steps), theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def conv(*more, **options):
    return [nn.Conv2d(2, 4, 3, **options), *more, snn.Leaky(beta=0.5)]


REFUSED = {
    "module 1, MaxPool2d": conv(nn.MaxPool2d(2)),
    "module 1, BatchNorm2d": conv(nn.BatchNorm2d(4)),
    "module 0, Conv2d with padding_mode 'circular'": conv(padding=1, padding_mode="circular"),
    "module 0, Conv2d with padding 'same' that is not equal": [nn.Conv2d(2, 4, 2, padding="same"), snn.Leaky(beta=0.5)],
    "module 1, AvgPool2d with ceil_mode": conv(nn.AvgPool2d(2, ceil_mode=True)),
    "module 1, Flatten, of some axes": conv(nn.Flatten(2)),
    "module 1, Linear: behind the shape \\(4, 7, 6\\); put a Flatten": conv(nn.Linear(6, 3)),
    "module 2, Linear: takes 7 values, gets the shape \\(168,\\)": conv(nn.Flatten(), nn.Linear(7, 3)),
    "module 0, Conv2d: weight of shape .* takes 3 input channels": [nn.Conv2d(3, 4, 3), snn.Leaky(beta=0.5)],
    "module 3, Linear, without a neuron": [*conv(), nn.Flatten(), nn.Linear(2, 2)],
    "layer 'output' \\(Leaky\\): beta of shape \\(5,\\) does not fit neurons of the shape \\(4, 7, 6\\)": [
        nn.Conv2d(2, 4, 3),
        snn.Leaky(beta=torch.ones(5) * 0.5),
    ],
    "module 1, Lapicque": [nn.Conv2d(2, 4, 3), snn.Lapicque(R=1, C=1)],
    "module 1, SConv2dLSTM": [nn.Conv2d(2, 4, 3), snn.SConv2dLSTM(4, 4, 3)],
    "recurrence of layer 'output' \\(RLeaky\\): 9 neurons feed 9, the layer has 168": [
        nn.Conv2d(2, 4, 3),
        snn.RLeaky(beta=0.5, linear_features=9),
    ],
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_has_no_equal_is_refused_by_its_layer(message):
    with pytest.raises(dlm.DlmError, match=message) as caught:
        read_stack(REFUSED[message], pixels=dlm.Input(IMAGE))
    assert "\n" not in str(caught.value)


def test_an_image_needs_its_shape():
    with pytest.raises(dlm.DlmError, match=r"give pixels=Input\(\(channel, row, column\)\)"):
        read_stack(conv())


def test_what_snntorch_cannot_say_is_refused():
    image = dlm.Conv2d(np.ones((2, 1, 2, 2)), (1, 3, 3))
    each = dlm.Network(
        {"x": dlm.Input((1, 3, 3)), "a": dlm.LIF((2, 2, 2), dv=0.2, bias=np.arange(8.0))},
        [dlm.Projection("x", "a", image)],
    )
    with pytest.raises(dlm.UnsupportedError, match="a bias for each neuron behind the Conv2d x->a"):
        to_snntorch(each)
    loop = dlm.Projection("a", "a", dlm.Dense(np.ones((8, 8))))
    competing = dlm.Network(
        {"x": dlm.Input((1, 3, 3)), "a": dlm.LIF((2, 2, 2), dv=0.2, winners=1)}, [dlm.Projection("x", "a", image), loop]
    )
    with pytest.raises(dlm.UnsupportedError, match="'a': a recurrent layer with competition"):
        to_snntorch(competing)
    late = dlm.Network(each.populations, [*each.projections, dlm.Projection("a", "a", dlm.Dense(np.ones((8, 8))), 2)])
    with pytest.raises(dlm.UnsupportedError, match="a->a, no single loop of one step"):
        to_snntorch(late)
