"""Networks in the forms of snnTorch's tutorials, with the loops over time that these write around them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import snntorch as snn
import torch
from snntorch import spikegen, surrogate, utils
from torch import Tensor, nn
from torch.nn import functional as F

import dlm_snn as dlm
from dlm_snn.exchange.torch_modules import refusals as why
from dlm_snn.exchange.torch_modules.refusals import RefusedError
from tests.torch_styles import made

STEPS, BATCH = 10, 4


def images(seed: int = 0) -> Tensor:
    return torch.rand((BATCH, 1, 12, 12), generator=torch.Generator().manual_seed(seed))


def events(seed: int = 0) -> Tensor:
    """(step, sample, polarity, row, column)"""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand((STEPS, BATCH, 2, 12, 12), generator=generator) < 0.3).float()


def spiking(imported: dlm.Imported) -> dlm.Imported:
    assert all(layer.spikes or layer.v_difference is not None for layer in imported.proof.layers), str(imported.proof)
    return imported


def forward_pass(net: nn.Module, data: Tensor) -> Tensor:
    """The loop of tutorial 7."""
    utils.reset(net)
    found = []
    for step in range(data.size(0)):
        spk_out, _ = net(data[step])  # the last neuron has output=True
        found.append(spk_out)
    return torch.stack(found)


def convolutional(pooled_spikes: bool) -> nn.Module:
    """Tutorial 7, Conv2d, MaxPool2d, Leaky; or the same with the pooling behind the neuron."""
    gradient = surrogate.atan()

    def block(before: int, after: int) -> list[nn.Module]:
        neuron, pool = snn.Leaky(beta=0.5, spike_grad=gradient, init_hidden=True), nn.MaxPool2d(2)
        return [nn.Conv2d(before, after, 5), *((neuron, pool) if pooled_spikes else (pool, neuron))]

    head = snn.Leaky(beta=0.5, spike_grad=gradient, init_hidden=True, output=True)
    return nn.Sequential(*block(2, 6), nn.Conv2d(6, 8, 3), *block(2, 6)[1:], nn.Flatten(), nn.Linear(8, 5), head)


@pytest.mark.parametrize("call", [None, forward_pass])
def test_a_sequential_with_hidden_states_and_pooling_behind_neurons(call: Any) -> None:
    imported = spiking(dlm.from_torch(made(lambda: convolutional(True)), events(), call=call, check=events(1)))
    assert list(imported.network.neurons) == ["n1", "n1_max", "n4", "n4_max", "n8"]


def test_the_same_with_pooling_of_currents_says_what_to_change() -> None:
    with pytest.raises(RefusedError, match="pool behind the neuron") as error:
        dlm.from_torch(made(lambda: convolutional(False)), events(), call=forward_pass)
    assert error.value.refusal is why.POOLED_CURRENT


class Regression(nn.Module):
    """Regression by the membrane of a last layer that never resets."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(n, m) for n, m in ((144, 32), (32, 32), (32, 1)))
        self.lif1 = snn.Leaky(beta=torch.rand(32), learn_beta=True, threshold=torch.rand(32), learn_threshold=True)
        self.lif2 = snn.Leaky(beta=torch.rand(32), learn_beta=True, threshold=torch.rand(32), learn_threshold=True)
        self.lif3 = snn.Leaky(beta=torch.rand(1), learn_beta=True, reset_mechanism="none")

    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2, mem3 = self.lif1.init_leaky(), self.lif2.init_leaky(), self.lif3.init_leaky()
        found = []
        for _ in range(STEPS):
            spk1, mem1 = self.lif1(self.layers[0](x.flatten(1)), mem1)
            spk2, mem2 = self.lif2(self.layers[1](spk1), mem2)
            _, mem3 = self.lif3(self.layers[2](spk2), mem3)
            found.append(mem3)
        return torch.stack(found)


def test_regression_by_a_membrane() -> None:
    module = made(Regression)
    imported = spiking(dlm.from_torch(module, images(), check=images(1)))
    v = dlm.run(imported.network, imported.encode(images(2)), n_steps=STEPS, record=("v",)).v["lif3"]
    theirs = module(images(2)).detach().transpose(0, 1).numpy()
    assert np.mean(np.abs(v - theirs) < 1e-3) > 0.9  # float32 against float64: now and then a spike more


class RateCoded(nn.Module):
    """Spikes are drawn inside forward."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.lif = nn.Linear(144, 8), snn.Leaky(beta=0.75)

    def forward(self, x: Tensor) -> Tensor:
        mem, found = self.lif.init_leaky(), []
        for frame in spikegen.rate(x.flatten(1), num_steps=STEPS):
            spk, mem = self.lif(self.fc(frame), mem)
            found.append(spk)
        return torch.stack(found)


def test_rate_coding_inside_forward_is_the_input_where_that_is_allowed() -> None:
    with pytest.raises(RefusedError, match="outside=True"):
        dlm.from_torch(made(RateCoded), images())
    imported = spiking(dlm.from_torch(made(RateCoded), images(), outside=True))
    assert imported.network.inputs["input"].graded_bits is None
    assert set(np.unique(imported.input["input"])) == {0, 1}


class Population(nn.Module):
    """Two thresholds and decays for one layer's currents, counted class by class."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.fast, self.slow = nn.Linear(144, 10), snn.Leaky(beta=0.5), snn.Leaky(beta=0.95, threshold=2.0)
        self.out, self.lif = nn.Linear(20, 6), snn.Leaky(beta=0.75)

    def forward(self, x: Tensor) -> Tensor:
        mem = [neuron.init_leaky() for neuron in (self.fast, self.slow, self.lif)]
        counts: Any = 0
        for _ in range(STEPS):
            current = self.fc(x.view(BATCH, -1))
            one, mem[0] = self.fast(current, mem[0])
            other, mem[1] = self.slow(current, mem[1])
            spikes, mem[2] = self.lif(self.out(torch.cat((one, other), dim=1)), mem[2])
            counts = counts + spikes.view(BATCH, 2, 3).sum(1)
        return F.softmax(counts, dim=1)


def test_one_current_for_two_layers() -> None:
    imported = spiking(dlm.from_torch(made(Population), images(), check=images(1)))
    assert list(imported.network.neurons) == ["fast", "slow", "lif"]
