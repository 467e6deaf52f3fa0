"""Networks as users of each library write them, with its layers and containers: module, sample, call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Style = tuple[nn.Module, Tensor, Callable[[nn.Module, Tensor], Any] | None]
STEPS, SAMPLES = 8, 5


def _drawn(*shape: int, top: float = 1.0) -> Tensor:
    return torch.rand(STEPS, SAMPLES, *shape) * top


def _images() -> Tensor:
    return _drawn(2, 8, 8, top=2.0)


class OverTime(nn.Module):
    """A module that passes its states on, and gives all steps."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        state, outputs = None, []
        for current in x:
            output, state = self.inner(current, state)
            outputs.append(output)
        return torch.stack(outputs)


class Rate(nn.Module):
    """The mean of what a network gives to one image that stays."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, image: Tensor) -> Any:
        total: Any = 0
        for _ in range(STEPS):
            total = total + self.inner(image)
        return total / STEPS


def _spikingjelly_network() -> nn.Sequential:
    from spikingjelly.activation_based import layer, neuron

    net = nn.Sequential(
        layer.Conv2d(2, 4, 3, padding=1, bias=False),
        layer.BatchNorm2d(4),
        neuron.IFNode(),
        layer.MaxPool2d(2, 2),
        layer.Conv2d(4, 4, 3, padding=1),
        neuron.LIFNode(tau=2.0, v_threshold=0.1, v_reset=None),
        layer.AvgPool2d(2),
        layer.Flatten(),
        layer.Dropout(0.5),
        layer.Linear(16, 5),
        neuron.ParametricLIFNode(v_threshold=0.01),
    )
    normed: Any = net[1]
    normed.running_mean.normal_()
    normed.running_var.uniform_(0.5, 2)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(3)
    return net


def _loop(module: nn.Module, x: Tensor) -> list[Any]:
    return [module(current) for current in x]


def _spikingjelly_recurrent() -> nn.Module:
    from spikingjelly.activation_based import layer, neuron

    loop = layer.LinearRecurrentContainer(neuron.LIFNode(), 8, 8)
    return nn.Sequential(layer.Linear(6, 8), loop, layer.Linear(8, 4), neuron.IFNode())


def _norse_image() -> nn.Module:
    from norse import torch as norse

    box = norse.LIFBoxCell(norse.LIFBoxParameters(v_th=torch.tensor(0.05)))
    low = norse.LIFParameters(v_th=torch.tensor(0.05))
    layers = (nn.Conv2d(2, 4, 3), box, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 8), norse.LIFCell(low))
    return OverTime(norse.SequentialState(*layers, nn.Linear(8, 3), norse.LICell()))


def _norse_recurrent() -> nn.Module:
    from norse import torch as norse

    return OverTime(norse.SequentialState(norse.LIFRecurrentCell(6, 8), norse.LILinearCell(8, 3)))


def _sinabs_converted() -> nn.Module:
    from sinabs.activation import MembraneReset, SingleSpike
    from sinabs.from_torch import from_model

    ann = nn.Sequential(
        nn.Conv2d(2, 4, 3, bias=False), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(36, 8), nn.ReLU()
    )
    options: dict[str, Any] = {"spike_fn": SingleSpike, "reset_fn": MembraneReset(), "min_v_mem": None}
    with torch.no_grad():
        for parameter in ann.parameters():
            parameter.mul_(3)
    return from_model(ann, input_shape=(2, 8, 8), num_timesteps=1, **options)


def _sinabs_pooled() -> nn.Module:
    from sinabs import layers
    from sinabs.activation import SingleSpike

    first, last = (layers.IAFSqueeze(num_timesteps=1, spike_fn=SingleSpike) for _ in range(2))
    return nn.Sequential(nn.Conv2d(2, 4, 3), first, layers.SumPool2d(2), nn.Flatten(), nn.Linear(36, 3), last)


def _sinabs_sequence() -> nn.Module:
    from sinabs import layers
    from sinabs.activation import SingleSpike

    firing = layers.LIF(5.0, tau_syn=3.0, spike_fn=SingleSpike, spike_threshold=torch.tensor(0.2))
    return nn.Sequential(nn.Linear(6, 8), firing, nn.Linear(8, 3), layers.ExpLeak(10.0))


class Images(nn.Module):
    """sinabs' own axes: (sample, step, channel, row, column) for neurons, steps among the samples for weights."""

    def __init__(self) -> None:
        super().__init__()
        from sinabs import layers
        from sinabs.activation import SingleSpike

        by_channel = torch.tensor([0.1, 0.2, 0.3]).reshape(3, 1, 1)
        self.first, self.second = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 3, 3)
        self.hidden = layers.LIF(5.0, spike_fn=SingleSpike, spike_threshold=torch.tensor(0.1))
        self.out = layers.IAF(spike_fn=SingleSpike, spike_threshold=by_channel)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.hidden(self.first(x.flatten(0, 1)).unflatten(0, x.shape[:2]))
        return self.out(self.second(hidden.flatten(0, 1)).unflatten(0, x.shape[:2]))


def _by_step(module: nn.Module, x: Tensor) -> Tensor:
    return torch.cat([module(x[:, step : step + 1]) for step in range(x.shape[1])], 1)


STYLES: dict[str, Callable[[], Style]] = {
    "spikingjelly, layers": lambda: (_spikingjelly_network(), _images(), None),
    "spikingjelly, layers in a loop of one's own": lambda: (_spikingjelly_network(), _images(), _loop),
    "spikingjelly, rate": lambda: (Rate(_spikingjelly_network()), _images()[0], None),
    "spikingjelly, LinearRecurrentContainer": lambda: (_spikingjelly_recurrent(), _drawn(6, top=4.0), None),
    "norse, SequentialState": lambda: (_norse_image(), _images(), None),
    "norse, LIFRecurrentCell": lambda: (_norse_recurrent(), _drawn(6, top=4.0), None),
    "sinabs, from_model": lambda: (_sinabs_converted(), _images(), None),
    "sinabs, SumPool2d": lambda: (_sinabs_pooled(), _images(), None),
    "sinabs, images": lambda: (Images(), _images().transpose(0, 1), _by_step),
    "sinabs, a sequence": lambda: (_sinabs_sequence(), _drawn(6, top=4.0).transpose(0, 1), _by_step),
}
