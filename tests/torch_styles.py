"""Modules in the styles in which people write snnTorch networks: what each is, and a sample of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import snntorch as snn
import torch
from snntorch import surrogate, utils
from torch import Tensor, nn
from torch.nn import functional as F

STEPS, BATCH = 8, 5
PIXELS = (1, 6, 6)


def image(seed: int) -> Tensor:
    """Gray values of bytes, (sample, channel, row, column)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (BATCH, *PIXELS), generator=generator) / 255


def trains(seed: int) -> Tensor:
    """Spikes, (step, sample, channel, row, column)."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand((STEPS, BATCH, *PIXELS), generator=generator) < 0.5).float()


class StaticImage(nn.Module):
    """One image, held for all steps; spikes and membranes come out."""

    sample = staticmethod(image)

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.lif1 = nn.Linear(36, 24), snn.Leaky(beta=0.75)
        self.fc2, self.lif2 = nn.Linear(24, 5), snn.Leaky(beta=0.75)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        spikes, membranes = [], []
        for _ in range(STEPS):
            spk1, mem1 = self.lif1(self.fc1(x.view(x.size(0), -1)), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spikes.append(spk2)
            membranes.append(mem2)
        return torch.stack(spikes, dim=0), torch.stack(membranes, dim=0)


class SpikeTrains(nn.Module):
    """Spikes over time; declared in another order than computed; zero reset, a threshold of its own."""

    sample = staticmethod(trains)

    def __init__(self) -> None:
        super().__init__()
        self.out = snn.Leaky(beta=0.5, reset_mechanism="zero")
        self.fc2 = nn.Linear(20, 5)
        self.hidden = snn.Leaky(beta=0.875, threshold=0.5)
        self.fc1 = nn.Linear(36, 20)

    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2 = self.hidden.reset_mem(), self.out.reset_mem()
        counts: Any = 0
        for step in range(x.size(0)):
            spk1, mem1 = self.hidden(self.fc1(x[step].flatten(1)), mem1)
            spk2, mem2 = self.out(self.fc2(spk1), mem2.detach())
            counts += spk2
        return F.softmax(counts / x.size(0), dim=1)


class ConvolutionsOfATutorial(nn.Module):
    """Max pooling of currents, which no network has."""

    sample = staticmethod(image)
    refused = "maximum of currents, .*; pool behind the neuron"

    def __init__(self) -> None:
        super().__init__()
        gradient = surrogate.fast_sigmoid(slope=25)
        self.conv1, self.lif1 = nn.Conv2d(1, 4, 3, padding=1), snn.Leaky(beta=0.5, spike_grad=gradient)
        self.conv2, self.lif2 = nn.Conv2d(4, 6, 3, padding=1), snn.Leaky(beta=0.5, spike_grad=gradient)
        self.fc, self.lif3 = nn.Linear(6, 5), snn.Leaky(beta=0.5, spike_grad=gradient)

    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2, mem3 = self.lif1.init_leaky(), self.lif2.init_leaky(), self.lif3.init_leaky()
        found = []
        for _ in range(STEPS):
            spk1, mem1 = self.lif1(F.max_pool2d(self.conv1(x), 2), mem1)
            spk2, mem2 = self.lif2(F.max_pool2d(self.conv2(spk1), 3), mem2)
            spk3, mem3 = self.lif3(self.fc(spk2.view(x.shape[0], -1)), mem3)
            found.append(spk3)
        return torch.stack(found)


class PooledSpikes(nn.Module):
    """Max pooling of spikes, average pooling, dropout."""

    sample = staticmethod(trains)

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.lif1, self.pool1 = nn.Conv2d(1, 4, 3, padding=1), snn.Leaky(beta=0.5), nn.MaxPool2d(2)
        self.conv2, self.lif2, self.pool2 = nn.Conv2d(4, 6, 3, padding=1), snn.Leaky(beta=0.5), nn.AvgPool2d(3)
        self.drop, self.fc, self.lif3 = nn.Dropout(0.5), nn.Linear(6, 5), snn.Leaky(beta=0.5, threshold=0.25)

    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2, mem3 = self.lif1.init_leaky(), self.lif2.init_leaky(), self.lif3.init_leaky()
        found = []
        for frame in x:
            spk1, mem1 = self.lif1(self.conv1(frame * 2), mem1)
            spk2, mem2 = self.lif2(self.conv2(self.pool1(spk1)), mem2)
            spk3, mem3 = self.lif3(self.fc(self.drop(torch.flatten(self.pool2(spk2), 1))), mem3)
            found.append(spk3)
        return torch.stack(found)


class Normalized(nn.Module):
    """BatchNorm of two kinds, a convolution without bias, a filtered current."""

    sample = staticmethod(trains)

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm1 = nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(4)
        self.lif1 = snn.Leaky(beta=0.75)
        self.fc, self.norm2, self.lif2 = nn.Linear(36, 12), nn.BatchNorm1d(12), snn.Synaptic(alpha=0.5, beta=0.75)
        for norm in (self.norm1, self.norm2):
            nn.init.uniform_(norm.weight, 0.8, 1.5)
            nn.init.uniform_(norm.bias, -0.1, 0.4)
            nn.init.uniform_(norm.running_mean, -0.3, 0.3)
            nn.init.uniform_(norm.running_var, 0.1, 1)

    def forward(self, x: Tensor) -> Tensor:
        mem1 = self.lif1.init_leaky()
        syn2, mem2 = self.lif2.init_synaptic()
        found = []
        for frame in x:
            spk1, mem1 = self.lif1(self.norm1(self.conv(frame)), mem1)
            current = self.norm2(self.fc(F.dropout(spk1.flatten(1), 0.3, self.training)))
            spk2, syn2, mem2 = self.lif2(current, syn2, mem2)
            found.append(spk2)
        return torch.stack(found)


class OneNeuronTwice(nn.Module):
    """One neuron module for two layers, each with a membrane of its own."""

    sample = staticmethod(trains)

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2, self.lif = nn.Linear(36, 20), nn.Linear(20, 20), snn.Leaky(beta=0.875, threshold=0.5)

    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2 = self.lif.init_leaky(), self.lif.init_leaky()
        found = []
        for frame in x:
            spk1, mem1 = self.lif(self.fc1(frame.flatten(1)), mem1)
            spk2, mem2 = self.lif(self.fc2(spk1), mem2)
            found.append(spk2)
        return torch.stack(found)


class Residual(nn.Module):
    """Skips by sum, difference and concatenation; the input reaches three layers."""

    sample = staticmethod(trains)

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = (nn.Conv2d(n, 4, k, padding=k // 2) for n, k in ((1, 3), (4, 3), (4, 1)))
        self.lifs = nn.ModuleList(snn.Leaky(beta=0.5, threshold=0.5) for _ in range(3))
        self.fc, self.out = nn.Linear(9 * 36, 8), snn.Leaky(beta=0.875, threshold=0.25)

    def forward(self, x: Tensor) -> Tensor:
        mem = [lif.reset_mem() for lif in (*self.lifs, self.out)]
        found = []
        for frame in x:
            spk1, mem[0] = self.lifs[0](self.conv1(frame), mem[0])
            spk2, mem[1] = self.lifs[1](self.conv2(spk1) + 0.5 * spk1, mem[1])
            spk3, mem[2] = self.lifs[2](self.conv3(spk2) - spk1 / 4 + frame, mem[2])
            merged = torch.cat([spk1, spk3, frame], dim=1)
            spk4, mem[3] = self.out(self.fc(merged.reshape(merged.shape[0], -1)), mem[3])
            found.append(spk4)
        return torch.stack(found)


class Recurrent(nn.Module):
    """RLeaky all to all, RSynaptic one to one."""

    sample = staticmethod(trains)

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.lif1 = nn.Linear(36, 20), snn.RLeaky(beta=0.75, linear_features=20, threshold=0.5)
        self.fc2 = nn.Linear(20, 6)
        self.lif2 = snn.RSynaptic(alpha=0.5, beta=0.75, all_to_all=False, V=0.25, threshold=0.25)

    def forward(self, x: Tensor) -> Tensor:
        spk1, mem1 = self.lif1.init_rleaky()
        spk2, syn2, mem2 = self.lif2.init_rsynaptic()
        found = []
        for frame in x:
            spk1, mem1 = self.lif1(self.fc1(frame.flatten(1)), spk1, mem1)
            spk2, syn2, mem2 = self.lif2(self.fc2(spk1), spk2, syn2, mem2)
            found.append(spk2)
        return torch.stack(found)


class AlphaNeuron(nn.Module):
    """A neuron that no network has."""

    sample = staticmethod(trains)
    refused = r"layer 'lif' \(Alpha\): Alpha has no equal; use one of Leaky"

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.lif = nn.Linear(36, 20), snn.Alpha(alpha=0.85, beta=0.8)

    def forward(self, x: Tensor) -> Tensor:
        exc, inh, mem = self.lif.init_alpha()
        found = []
        for frame in x:
            spk, exc, inh, mem = self.lif(self.fc(frame.flatten(1)), exc, inh, mem)
            found.append(spk)
        return torch.stack(found)


class Learned(nn.Module):
    """A learned beta for each neuron, a learned threshold, hidden states, a membrane as the read-out."""

    sample = staticmethod(trains)

    def __init__(self) -> None:
        super().__init__()
        beta = torch.randint(1, 8, (20,)) / 8
        self.fc1 = nn.Linear(36, 20)
        self.lif1 = snn.Leaky(beta=beta, learn_beta=True, threshold=0.75, learn_threshold=True, init_hidden=True)
        self.fc2 = nn.Linear(20, 5)
        self.lif2 = snn.Leaky(beta=0.875, init_hidden=True, output=True, reset_mechanism="none")

    def forward(self, x: Tensor) -> Tensor:
        utils.reset(self)
        found = []
        for frame in x:
            _, mem = self.lif2(self.fc2(self.lif1(self.fc1(frame.flatten(1)))))
            found.append(mem)
        return torch.stack(found)


class OneStep(nn.Module):
    """One step a call, with states of its own; a Linear is the read-out."""

    sample = staticmethod(trains)

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Flatten(),
            nn.Linear(36, 20),
            snn.Leaky(beta=0.875, init_hidden=True),
            nn.Linear(20, 20),
            snn.Leaky(beta=0.875, threshold=0.25, init_hidden=True),
        )
        self.head = nn.Linear(20, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.net(x))


class HandMadeRecurrence(nn.Module):
    """Recurrence by a Linear on the last spikes, summed in place; the sample axis first."""

    @staticmethod
    def sample(seed: int) -> Tensor:
        return trains(seed).transpose(0, 1)

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.back = nn.Linear(36, 20), nn.Linear(20, 20, bias=False)
        self.lif1 = snn.Leaky(beta=0.875, threshold=0.5)
        self.fc2, self.lif2 = nn.Linear(20, 5), snn.Leaky(beta=0.875, threshold=0.25)

    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        spk1 = torch.zeros(x.shape[0], 20, device=x.device)
        found = []
        for frame in x.unbind(1):
            current = self.fc1(frame.reshape(frame.shape[0], -1))
            current += self.back(spk1)
            spk1, mem1 = self.lif1(current, mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            found.append(spk2)
        return torch.stack(found).sum(0)


STYLES: tuple[Any, ...] = (
    *(StaticImage, SpikeTrains, ConvolutionsOfATutorial, PooledSpikes, Normalized, OneNeuronTwice, Residual),
    *(Recurrent, AlphaNeuron, Learned, OneStep, HandMadeRecurrence),
)


def made(kind: Callable[[], nn.Module], quarters: bool = False, seed: int = 1) -> nn.Module:
    """A module with weights that make it spike; in steps of 1/4, so that membranes meet the threshold."""
    torch.manual_seed(seed)
    module = kind()
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, (nn.Linear, nn.Conv2d)):
                for parameter in part.parameters(recurse=False):
                    parameter.mul_(2.5)
                    if quarters:
                        parameter.copy_(torch.round(parameter * 4) / 4)
    return module
