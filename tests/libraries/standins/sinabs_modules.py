"""sinabs 3.1.3: i = alpha_syn (i + x);  h = alpha_mem v + (1 - alpha_mem) i;  s = h >= spike_threshold; the reset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


class SingleSpike:
    """The largest number of spikes that one step may have."""

    most: float = 1


class MultiSpike(SingleSpike):
    most = float("inf")


@dataclass
class MaxSpike:
    max_num_spikes_per_bin: int

    @property
    def most(self) -> float:
        return self.max_num_spikes_per_bin


@dataclass
class MembraneReset:
    reset_value: float = 0.0

    def __call__(self, spikes: Tensor, v: Tensor, threshold: Tensor) -> Tensor:
        return v * (spikes == 0) + self.reset_value


@dataclass
class MembraneSubtract:
    subtract_value: float | None = None

    def __call__(self, spikes: Tensor, v: Tensor, threshold: Tensor) -> Tensor:
        return v - spikes * (threshold if self.subtract_value is None else self.subtract_value)


class StatefulLayer(nn.Module):
    def __init__(self, *states: str) -> None:
        super().__init__()
        for name in states:
            self.register_buffer(name, torch.zeros(0))


class LIF(StatefulLayer):
    def __init__(
        self,
        tau_mem: Any,
        tau_syn: Any = None,
        spike_threshold: Any = 1.0,
        spike_fn: Any = MultiSpike,
        reset_fn: Any = MembraneSubtract(),  # noqa: B008
        min_v_mem: float | None = None,
        train_alphas: bool = False,
        norm_input: bool = True,
    ) -> None:
        super().__init__("v_mem", *(() if tau_syn is None else ("i_syn",)))
        self.trained = train_alphas
        taus = {"mem": tau_mem, "syn": tau_syn}
        for name, tau in taus.items():
            stored = None if tau is None else torch.as_tensor(tau, dtype=torch.float32)
            if stored is not None:
                stored = nn.Parameter(torch.exp(-1 / stored) if train_alphas else stored)
            setattr(self, f"alpha_{name}" if train_alphas else f"tau_{name}", stored)
        self.spike_threshold = nn.Parameter(torch.as_tensor(spike_threshold, dtype=torch.float32), requires_grad=False)
        self.spike_fn, self.reset_fn, self.min_v_mem, self.norm_input = spike_fn, reset_fn, min_v_mem, norm_input

    @property
    def alpha_mem_calculated(self) -> Tensor:
        return self.alpha_mem if self.trained else torch.exp(-1 / self.tau_mem)

    @property
    def alpha_syn_calculated(self) -> Tensor | None:
        if self.trained:
            return self.alpha_syn
        return None if self.tau_syn is None else torch.exp(-1 / self.tau_syn)

    def forward(self, x: Tensor) -> Tensor:
        outputs = [self.one(current) for current in x.unbind(1)]
        return torch.stack(outputs, 1)

    def one(self, x: Tensor) -> Tensor:
        synaptic = self.alpha_syn_calculated
        if synaptic is not None:
            x = self.i_syn = synaptic * ((self.i_syn if self.i_syn.numel() else 0) + x)
        alpha = self.alpha_mem_calculated
        v = self.v_mem if self.v_mem.numel() else torch.zeros_like(x)
        return self.fired(alpha * v + ((1 - alpha) * x if self.norm_input else x))

    def fired(self, h: Tensor) -> Tensor:
        spikes = (h > 0) * torch.trunc(h / self.spike_threshold).clamp(max=self.spike_fn.most)
        self.v_mem = self.reset_fn(spikes, h, self.spike_threshold)
        return spikes.float()


class IAF(LIF):
    def __init__(self, spike_threshold: Any = 1.0, **options: Any) -> None:
        super().__init__(tau_mem=float("inf"), spike_threshold=spike_threshold, norm_input=False, **options)


class ExpLeak(LIF):
    def __init__(self, tau_mem: Any, norm_input: bool = False, **options: Any) -> None:
        super().__init__(tau_mem=tau_mem, norm_input=norm_input, **options)

    def fired(self, h: Tensor) -> Tensor:
        self.v_mem = h
        return h.clone()


class ALIF(StatefulLayer):
    def __init__(self, tau_mem: float, tau_adapt: float) -> None:
        super().__init__("v_mem")

    def forward(self, x: Tensor) -> Tensor:
        return (x > 0).to(x)


class SqueezeMixin:
    def forward(self, x: Tensor) -> Tensor:
        given: Any = x.reshape(self.batch_size, self.num_timesteps, *x.shape[1:])
        return super().forward(given).flatten(0, 1)  # type: ignore[misc]


class LIFSqueeze(SqueezeMixin, LIF):
    def __init__(self, batch_size: int = -1, num_timesteps: int = -1, **options: Any) -> None:
        super().__init__(**options)
        self.batch_size, self.num_timesteps = batch_size, num_timesteps


class IAFSqueeze(SqueezeMixin, IAF):
    def __init__(self, batch_size: int = -1, num_timesteps: int = -1, **options: Any) -> None:
        super().__init__(**options)
        self.batch_size, self.num_timesteps = batch_size, num_timesteps


class ExpLeakSqueeze(SqueezeMixin, ExpLeak):
    def __init__(self, batch_size: int = -1, num_timesteps: int = -1, **options: Any) -> None:
        super().__init__(**options)
        self.batch_size, self.num_timesteps = batch_size, num_timesteps


MODULES = {
    "sinabs.activation": (SingleSpike, MultiSpike, MaxSpike, MembraneReset, MembraneSubtract),
    "sinabs.layers": (StatefulLayer, SqueezeMixin, LIF, IAF, ExpLeak, ALIF, LIFSqueeze, IAFSqueeze, ExpLeakSqueeze),
}
