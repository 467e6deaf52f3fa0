"""norse 1.1.0: i' = i + x;  h = v + dt tau_mem_inv (v_leak - v + i');  i = i' - dt tau_syn_inv i';  z = h > v_th."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn


def reset_value(z: Tensor, v: Tensor, reset: Tensor, th: Tensor) -> Tensor:
    return (1 - z) * v + z * reset


def reset_subtract(z: Tensor, v: Tensor, reset: Tensor, th: Tensor) -> Tensor:
    return v - z * th


class LIFParameters(NamedTuple):
    tau_syn_inv: Tensor = torch.tensor(200.0)
    tau_mem_inv: Tensor = torch.tensor(100.0)
    v_leak: Tensor = torch.tensor(0.0)
    v_th: Tensor = torch.tensor(1.0)
    v_reset: Tensor = torch.tensor(0.0)


class LIFBoxParameters(NamedTuple):
    tau_mem_inv: Tensor = torch.tensor(100.0)
    v_leak: Tensor = torch.tensor(0.0)
    v_th: Tensor = torch.tensor(1.0)
    v_reset: Tensor = torch.tensor(0.0)
    reset_method: Callable[..., Tensor] = reset_value


class IAFParameters(NamedTuple):
    v_th: Tensor = torch.tensor(1.0)
    v_reset: Tensor = torch.tensor(0.0)


class LIParameters(NamedTuple):
    tau_syn_inv: Tensor = torch.tensor(200.0)
    tau_mem_inv: Tensor = torch.tensor(100.0)
    v_leak: Tensor = torch.tensor(0.0)


class LIBoxParameters(NamedTuple):
    tau_mem_inv: Tensor = torch.tensor(100.0)
    v_leak: Tensor = torch.tensor(0.0)


class State(NamedTuple):
    v: Tensor
    i: Tensor


class BoxState(NamedTuple):
    v: Tensor


class SNNCell(nn.Module):
    parameters_of: ClassVar[type] = LIFParameters

    def __init__(self, p: Any = None, dt: float = 0.001) -> None:
        super().__init__()
        self.p, self.dt = self.parameters_of() if p is None else p, dt

    def begin(self, x: Tensor) -> Any:
        return State(self.p.v_leak.clone(), torch.zeros(x.shape, dtype=torch.float32))

    def charged(self, v: Tensor, i: Tensor) -> Tensor:
        return v + self.dt * self.p.tau_mem_inv * ((self.p.v_leak - v) + i)

    def filtered(self, x: Tensor, state: Any) -> tuple[Tensor, Tensor]:
        """h, and the current that is left."""
        current = state.i + x
        return self.charged(state.v, current), current - self.dt * self.p.tau_syn_inv * current


class LIFCell(SNNCell):
    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, State]:
        h, i = self.filtered(x, state or self.begin(x))
        z = (h > self.p.v_th).to(h)
        return z, State(reset_value(z, h, self.p.v_reset, self.p.v_th), i)


class LIFRefracCell(LIFCell):
    pass


class RecurrentState(NamedTuple):
    z: Tensor
    v: Tensor
    i: Tensor


class SNNRecurrentCell(SNNCell):
    def __init__(self, input_size: int, hidden_size: int, p: Any = None, dt: float = 0.001) -> None:
        super().__init__(p, dt)
        self.input_weights = nn.Parameter(torch.ones(hidden_size, input_size))
        self.recurrent_weights = nn.Parameter(torch.ones(hidden_size, hidden_size))


class LIFRecurrentCell(SNNRecurrentCell):
    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, RecurrentState]:
        entering = nn.functional.linear(x, self.input_weights)
        before = entering.new_zeros(entering.shape) if state is None else state.z
        entering = entering + nn.functional.linear(before, self.recurrent_weights)
        h, i = self.filtered(entering, state or self.begin(entering))
        z = (h > self.p.v_th).to(h)
        return z, RecurrentState(z, reset_value(z, h, self.p.v_reset, self.p.v_th), i)


class LIFBoxCell(SNNCell):
    parameters_of = LIFBoxParameters

    def begin(self, x: Tensor) -> Any:
        return BoxState(self.p.v_leak.clone())

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, BoxState]:
        h = self.charged((state or self.begin(x)).v, x)
        z = (h > self.p.v_th).to(h)
        return z, BoxState(self.p.reset_method(z, h, self.p.v_reset, self.p.v_th))


class IAFCell(SNNCell):
    parameters_of = IAFParameters

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, BoxState]:
        h = (state.v if state else self.p.v_reset) + x
        z = (h > self.p.v_th).to(h)
        return z, BoxState(reset_value(z, h, self.p.v_reset, self.p.v_th))


class LICell(SNNCell):
    parameters_of = LIParameters

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, State]:
        v, i = self.filtered(x, state or self.begin(x))
        return v, State(v, i)


class LILinearCell(LICell):
    def __init__(self, input_size: int, hidden_size: int, p: Any = None, dt: float = 0.001) -> None:
        super().__init__(p, dt)
        self.input_weights = nn.Parameter(torch.ones(hidden_size, input_size))

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, State]:
        return super().forward(nn.functional.linear(x, self.input_weights), state)


class LIBoxCell(LIFBoxCell):
    parameters_of = LIBoxParameters

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, BoxState]:
        v = self.charged((state or self.begin(x)).v, x)
        return v, BoxState(v)


class CobaLIFCell(nn.Module):
    pass


class LIFCorrelation(nn.Module):
    pass


class SNN(nn.Module):
    pass


class SNNRecurrent(nn.Module):
    pass


MODULES = {
    "norse.torch.functional.reset": (reset_value, reset_subtract),
    "norse.torch.functional.lif": (LIFParameters,),
    "norse.torch.functional.lif_box": (LIFBoxParameters,),
    "norse.torch.functional.iaf": (IAFParameters,),
    "norse.torch.functional.leaky_integrator": (LIParameters,),
    "norse.torch.functional.leaky_integrator_box": (LIBoxParameters,),
    "norse.torch.module.snn": (SNNCell, SNNRecurrentCell, SNN, SNNRecurrent),
    "norse.torch.module.lif": (LIFCell, LIFRecurrentCell),
    "norse.torch.module.lif_box": (LIFBoxCell,),
    "norse.torch.module.coba_lif": (CobaLIFCell,),
    "norse.torch.module.lif_correlation": (LIFCorrelation,),
    "norse.torch.module.lif_refrac": (LIFRefracCell,),
    "norse.torch.module.iaf": (IAFCell,),
    "norse.torch.module.leaky_integrator": (LICell, LILinearCell),
    "norse.torch.module.leaky_integrator_box": (LIBoxCell,),
}
