"""A package with a torch neuron of its own, and what equals it."""

from typing import Any

import torch
from torch import Tensor, nn

import dlm_snn as dlm
from dlm_snn.exchange import ForeignNeuron, Table


class Halving(nn.Module):
    """v = v / 2 + x / 2; s = v > 1/4, then v = 0."""

    def forward(self, x: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        v = (v + x) / 2
        spikes = (v > 0.25).to(v.dtype)
        return spikes, v * (1 - spikes)


def read(module: nn.Module, shape: tuple[int, ...], where: str) -> ForeignNeuron:
    return ForeignNeuron(dlm.LIF(shape, dv=0.5, v_threshold=0.25), gain=0.5)


TABLE = Table(readers={Halving: read})


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc, self.neuron = nn.Linear(6, 5), Halving()
        with torch.no_grad():
            for parameter in self.fc.parameters():
                parameter.copy_(torch.round(4 * parameter) / 4)

    def forward(self, x: Tensor) -> Any:
        v, found = torch.zeros(x.shape[1], 5), []
        for frame in x:
            spikes, v = self.neuron(self.fc(frame), v)
            found.append(spikes)
        return found


def net() -> Any:
    return Net(), (torch.rand(9, 4, 6) < 0.5).float()
