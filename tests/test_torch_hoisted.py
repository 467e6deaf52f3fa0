"""Layers that are applied to all steps at once: the network of the same layer within the loop, or refused."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import snntorch as snn
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import dlm_snn as dlm
from dlm_snn.exchange.torch_modules import refusals as why
from dlm_snn.exchange.torch_modules.refusals import Refusal, RefusedError

STEPS, BATCH = 7, 4


class Layers(nn.Module):
    """Layers to be used in one of many ways."""

    def __init__(self, way: Way) -> None:
        super().__init__()
        self.way = way
        self.fc1, self.lif1, self.norm1 = nn.Linear(12, 10), snn.Leaky(beta=0.75, threshold=0.5), nn.BatchNorm1d(10)
        self.fc2, self.lif2 = nn.Linear(10, 5), snn.Leaky(beta=0.75, threshold=0.25)
        self.conv, self.norm = nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2)
        self.flat, self.over_time = nn.Linear(24, 10), nn.Conv1d(10, 10, 3, padding=1)

    def forward(self, x: Tensor) -> Any:
        return self.way(self, x)

    def one(self, currents: Any) -> list[Tensor]:
        """The first neuron over all steps."""
        mem, found = self.lif1.init_leaky(), []
        for current in currents:
            spikes, mem = self.lif1(current, mem)
            found.append(spikes)
        return found

    def two(self, currents: Any) -> list[Tensor]:
        mem, found = self.lif2.init_leaky(), []
        for current in currents:
            spikes, mem = self.lif2(current, mem)
            found.append(spikes)
        return found

    def images(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x.view(-1, 1, 3, 4)))


Way = Callable[[Layers, Tensor], Any]


def steps(currents: Tensor, axis: int = 0) -> list[Tensor]:
    return [currents[t] if axis == 0 else currents[:, t] for t in range(currents.shape[axis])]


def sample(seed: int, samples_first: bool = False, real: bool = False) -> Tensor:
    x = torch.rand(STEPS, BATCH, 12, generator=torch.Generator().manual_seed(seed))
    x = torch.round(x * 1000) / 7 / 100 if real else (x < 0.5).float()
    return x.transpose(0, 1).contiguous() if samples_first else x


def made(way: Way) -> Layers:
    torch.manual_seed(0)
    module = Layers(way)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.round(torch.randn_like(parameter) * 3) / 4)
        for norm in (module.norm, module.norm1):
            norm.running_mean.fill_(0.125)  # type: ignore[union-attr]
            norm.running_var.fill_(0.25 - norm.eps)  # type: ignore[union-attr]
    return module.eval()


def within(m: Layers, x: Tensor) -> Tensor:
    return torch.stack(m.one([m.fc1(frame) for frame in x]))


def convolved(m: Layers, x: Tensor) -> Tensor:
    return torch.stack(m.one([m.flat(m.images(frame).flatten(1)) for frame in x]))


def both(m: Layers, x: Tensor) -> Tensor:
    mem1, mem2, found = m.lif1.init_leaky(), m.lif2.init_leaky(), []
    for frame in x:
        spikes, mem1 = m.lif1(m.fc1(frame), mem1)
        spikes, mem2 = m.lif2(m.fc2(spikes), mem2)
        found.append(spikes)
    return torch.stack(found)


def twice(m: Layers, x: Tensor) -> list[Tensor]:
    """The same currents for two neurons: the second takes them apart again."""
    currents = m.fc1(x)
    return [*m.one(steps(currents)), *m.two(steps(currents))]


def twice_within(m: Layers, x: Tensor) -> list[Tensor]:
    return [*m.one([m.fc1(frame) for frame in x]), *m.two([m.fc1(frame) for frame in x])]


TIME_FIRST: Mapping[str, tuple[Way, Way]] = {
    "a Linear": (lambda m, x: torch.stack(m.one(steps(m.fc1(x)))), within),
    "iterated": (lambda m, x: torch.stack(m.one(m.fc1(x))), within),
    "transposed": (lambda m, x: torch.stack(m.one(steps(m.fc1(x).transpose(0, 1), 1))), within),
    "merged axes": (lambda m, x: torch.stack(m.one(m.fc1(x.flatten(0, 1)).view(STEPS, len(x[0]), -1))), within),
    "a convolution": (
        lambda m, x: torch.stack(m.one(m.flat(m.images(x).flatten(1)).unflatten(0, (STEPS, -1)))),
        convolved,
    ),
    "BatchNorm of channels": (
        lambda m, x: torch.stack(m.one(m.norm1(m.fc1(x).permute(1, 2, 0)).permute(2, 0, 1))),
        lambda m, x: torch.stack(m.one([m.norm1(m.fc1(frame)) for frame in x])),
    ),
    "a list of currents": (lambda m, x: torch.stack(m.one(torch.stack([m.fc1(frame) for frame in x]))), within),
    "layer by layer, lists": (lambda m, x: torch.stack(m.two([m.fc2(s) for s in m.one([m.fc1(f) for f in x])])), both),
    "layer by layer": (lambda m, x: torch.stack(m.two(m.fc2(torch.stack(m.one(m.fc1(x)))))), both),
    "layer by layer, merged": (
        lambda m, x: torch.stack(m.two(m.fc2(torch.cat(m.one(m.fc1(x)))).view(STEPS, -1, 5))),
        both,
    ),
    "two neurons": (twice, twice_within),
    "in place": (
        lambda m, x: torch.stack(m.one(m.fc1(x).mul_(2).add_(0.25))),
        lambda m, x: torch.stack(m.one([m.fc1(frame) * 2 + 0.25 for frame in x])),
    ),
    "a sum of three": (
        lambda m, x: m.one(torch.stack([m.fc1(x.flatten(0, 1)) for _ in range(3)], 1).sum(1).unflatten(0, (STEPS, -1))),
        lambda m, x: m.one([torch.stack([m.fc1(f) for _ in range(3)], 1).sum(1) for f in x]),
    ),
    "images, layer by layer": (
        lambda m, x: m.two(m.fc2(torch.stack(m.one(m.fc1(x))).unflatten(2, (2, 5)).flip(2).flatten(2))),
        lambda m, x: m.two([m.fc2(s.unflatten(1, (2, 5)).flip(1).flatten(1)) for s in m.one([m.fc1(f) for f in x])]),
    ),
    "a read-out": (
        lambda m, x: m.fc2(torch.stack(m.one(m.fc1(x)))),
        lambda m, x: [m.fc2(s) for s in m.one([m.fc1(frame) for frame in x])],
    ),
    "the mean of a read-out": (
        lambda m, x: F.log_softmax(m.fc2(torch.stack(m.one(m.fc1(x)))).mean(0), dim=1),
        lambda m, x: torch.stack([m.fc2(s) for s in m.one([m.fc1(frame) for frame in x])]).mean(0),
    ),
}
SAMPLES_FIRST: Mapping[str, tuple[Way, Way]] = {
    "a Linear": (lambda m, x: torch.stack(m.one(steps(m.fc1(x), 1))), lambda m, x: within(m, x.transpose(0, 1))),
    "merged axes": (
        lambda m, x: torch.stack(m.one(steps(m.fc1(x.reshape(-1, 12)).view(-1, STEPS, 10), 1))),
        lambda m, x: within(m, x.transpose(0, 1)),
    ),
    "layer by layer": (
        lambda m, x: torch.stack(m.two(steps(m.fc2(torch.stack(m.one(steps(m.fc1(x), 1)), 1)), 1))),
        lambda m, x: both(m, x.transpose(0, 1)),
    ),
}
WAYS = [
    *(pytest.param(*ways, False, id=name) for name, ways in TIME_FIRST.items()),
    *(pytest.param(*ways, True, id=f"{name}, samples first") for name, ways in SAMPLES_FIRST.items()),
]


@pytest.mark.parametrize(("hoisted", "within", "samples_first"), WAYS)
def test_a_layer_before_the_loop_is_the_same_layer_within(hoisted: Way, within: Way, samples_first: bool) -> None:
    given, check = sample(0, samples_first), sample(1, samples_first)
    one, other = (dlm.from_torch(made(way), given, check=check) for way in (hoisted, within))
    assert one.network.digest() == other.network.digest()
    assert all(layer.spikes or layer.v_difference is not None for layer in one.proof.layers), str(one.proof)


def test_real_values_are_rounded_to_the_grid_as_within_the_loop() -> None:
    one, other = (dlm.from_torch(made(way), sample(0, real=True)) for way in (twice, twice_within))
    assert not one.proof.inputs["input"].exact
    assert one.network.digest() == other.network.digest()
    np.testing.assert_array_equal(one.input["input"], other.input["input"])


def test_another_sample_runs_as_the_module_does() -> None:
    module = made(TIME_FIRST["layer by layer"][0])
    imported = dlm.from_torch(module, sample(0))
    theirs = copy.deepcopy(module)(sample(2)).detach().transpose(0, 1).numpy() > 0
    spikes = dlm.run(imported.network, imported.encode(sample(2)), n_steps=STEPS).rasters["lif2"].dense()
    np.testing.assert_array_equal(spikes, theirs)


def _overwritten(m: Layers, x: Tensor) -> list[Tensor]:
    currents = m.fc1(x)
    found, mem = [], m.lif1.init_leaky()
    for t in range(STEPS):
        currents[t].mul_(2)
        spikes, mem = m.lif1(currents[t], mem)
        found.append(spikes)
    return found


def _sample_overwritten(m: Layers, x: Tensor) -> list[Tensor]:
    currents = m.fc1(x)
    x[3] = 0
    return m.one(steps(currents))


def _weights_overwritten(m: Layers, x: Tensor) -> list[Tensor]:
    currents = m.fc1(x)
    m.fc1.weight.mul_(2)
    return m.one(steps(currents))


def _spikes_overwritten(m: Layers, x: Tensor) -> list[Tensor]:
    spikes = m.one(steps(m.fc1(x)))
    whole = torch.stack(spikes)
    spikes[3].zero_()
    return m.two(steps(m.fc2(whole)))


def _detached_overwritten(m: Layers, x: Tensor) -> list[Tensor]:
    currents = m.fc1(x)
    currents.detach()[2].mul_(2)
    return m.one(steps(currents))


def _seldom(m: Layers, x: Tensor) -> list[Tensor]:
    """Of other steps something where a value is below 0."""
    spikes = torch.stack(m.one(steps(m.fc1(x))))
    return m.two(steps(m.fc2(spikes + F.relu(-spikes).sum(0))))


REFUSED: Mapping[str, tuple[Way, Refusal]] = {
    "differences over time": (lambda m, x: m.one(steps(m.fc1(x)[1:] - m.fc1(x)[:-1])), why.ALL_AT_ONCE),
    "sums over time": (lambda m, x: m.one(steps(m.fc1(x).cumsum(0))), why.OVER_SAMPLES),
    "the mean over time": (lambda m, x: m.one(steps(m.fc1(x) - m.fc1(x).mean(0))), why.OVER_SAMPLES),
    "a convolution over time": (
        lambda m, x: m.one(steps(m.over_time(m.fc1(x).permute(1, 2, 0)).permute(2, 0, 1))),
        why.MIXED,
    ),
    "backward in time": (lambda m, x: m.two(steps(m.fc2(torch.stack(m.one(m.fc1(x))).flip(0)))), why.ALL_AT_ONCE),
    "both ways in time": (lambda m, x: m.two(steps(m.fc2(torch.stack(m.one(m.fc1(x))[::-1])))), why.ALL_AT_ONCE),
    "ReLU": (lambda m, x: m.one(steps(F.relu(m.fc1(x)))), why.FRONT_END),
    "written into a step": (_overwritten, why.STALE),
    "written into the sample": (_sample_overwritten, why.ALL_AT_ONCE),
    "written into the weights": (_weights_overwritten, why.ALL_AT_ONCE),
    "written into the spikes": (_spikes_overwritten, why.ALL_AT_ONCE),
    "written into a detached tensor": (_detached_overwritten, why.STALE),
    "of other steps where it seldom matters": (_seldom, why.ALL_AT_ONCE),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_made_of_other_steps_is_refused(name: str) -> None:
    way, refusal = REFUSED[name]
    with pytest.raises(RefusedError) as error:
        dlm.from_torch(made(way), sample(0))
    assert error.value.refusal is refusal, str(error.value)
