"""spikingjelly 2.0.0: h = charge(v, x);  s = h >= v_threshold;  v = v_reset, or h - v_threshold s without one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Sigmoid(nn.Module):
    def __init__(self, spiking: bool = True) -> None:
        super().__init__()
        self.spiking = spiking

    def forward(self, x: Tensor) -> Tensor:
        return (x >= 0).to(x) if self.spiking else torch.sigmoid(4 * x)


class ATan(Sigmoid):
    pass


class MemoryModule(nn.Module):
    v: Any = 0.0

    def reset(self) -> None:
        del self.v


class BaseNode(MemoryModule):
    def __init__(
        self,
        v_threshold: float = 1.0,
        v_reset: float | None = 0.0,
        surrogate_function: Callable[[Tensor], Tensor] | None = None,
        step_mode: str = "s",
    ) -> None:
        super().__init__()
        self.v_threshold, self.v_reset, self.step_mode = v_threshold, v_reset, step_mode
        self.surrogate_function = surrogate_function or Sigmoid()
        self.reset()

    def reset(self) -> None:
        self.v = 0.0 if self.v_reset is None else self.v_reset

    def charge(self, v: Tensor, x: Tensor) -> Tensor:
        return v + x

    def forward(self, x: Tensor) -> Tensor:
        h = self.charge(torch.as_tensor(self.v, dtype=x.dtype).expand(x.shape), x)
        spikes = self.surrogate_function(h - self.v_threshold)
        self.v = h - spikes * self.v_threshold if self.v_reset is None else (1 - spikes) * h + spikes * self.v_reset
        return spikes


class IFNode(BaseNode):
    pass


class QIFNode(BaseNode):
    pass


class LIFNode(BaseNode):
    def __init__(self, tau: float = 2.0, decay_input: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self.tau, self.decay_input = tau, decay_input

    def charge(self, v: Tensor, x: Tensor) -> Tensor:
        above = v - (self.v_reset or 0.0)
        return v + (x - above) / self.tau if self.decay_input else v - above / self.tau + x


class ParametricLIFNode(BaseNode):
    def __init__(self, init_tau: float = 2.0, decay_input: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self.decay_input = decay_input
        self.w = nn.Parameter(torch.tensor(-math.log(init_tau - 1)))

    def charge(self, v: Tensor, x: Tensor) -> Tensor:
        share = self.w.sigmoid()
        above = v - (self.v_reset or 0.0)
        return v + (x - above) * share if self.decay_input else v - above * share + x


class CUBALIFNode(BaseNode):
    def __init__(self, c_decay: float = 0.5, v_decay: float = 0.75, v_threshold: float = 0.5, **options: Any) -> None:
        super().__init__(v_threshold, **options)
        self.c_decay, self.v_decay = c_decay, v_decay

    def reset(self) -> None:
        super().reset()
        self.c: Any = 0.0

    def charge(self, v: Tensor, x: Tensor) -> Tensor:
        self.c = self.c * self.c_decay + x
        return v * self.v_decay + self.c


MODULES = {
    "spikingjelly.activation_based.base": (MemoryModule,),
    "spikingjelly.activation_based.surrogate": (Sigmoid, ATan),
    "spikingjelly.activation_based.neuron": (BaseNode, IFNode, LIFNode, ParametricLIFNode, CUBALIFNode, QIFNode),
}
