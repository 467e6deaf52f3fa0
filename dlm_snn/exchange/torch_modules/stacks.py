"""Stacks of snnTorch layers as networks: Sequentials and lists, with a sample as their proof."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dlm_snn.backends import run
from dlm_snn.errors import DlmError, LossWarning
from dlm_snn.exchange.snntorch.neurons import KNOWN, RECURRENT, reset_of
from dlm_snn.exchange.snntorch.reader import in_order, read_stack
from dlm_snn.exchange.torch_modules.copying import copied, running
from dlm_snn.exchange.torch_modules.neurons import tables_for, tensors
from dlm_snn.exchange.torch_modules.refusals import TOLD_APART, RefusedError
from dlm_snn.exchange.torch_modules.snntorch_table import put_to_rest
from dlm_snn.networks.network import Input, Network
from dlm_snn.neurons.li import LI

LOST = (
    "a list of modules tells nothing of the forward that it was taken from: what that adds between its modules (sums, "
    "skips, inhibition) is not in the network; prove it by sample=(input, spikes), or give the module to from_torch"
)
NEAR, NEAR_IN_FLOAT32 = 1e-9, 1e-5
"""Largest difference of membranes, as a share of the largest: of ours in float64, of the user's own."""
ADVICE = "the forward does more than its modules in a row: give the module itself to from_torch"


def from_snntorch(
    modules: nn.Module | Iterable[Any],
    pixels: Input | None = None,
    names: Sequence[str] | None = None,
    sample: Any = None,
) -> Network:
    """A Network that spikes as a stack of snnTorch layers does.

    Decays, thresholds and weights are taken as stored: beta = .9 in float32 is .89999998. Stateless modules between two
    neurons become one Projection, a Chain where there are several. Biases become LIF.bias where the current is not
    filtered, else synapses from a constant aligned Input ``one``. Modules with a forward of their own: ``from_torch``.

    Args:
        modules: a Sequential, a list, or a list of lists, in the order of computation. Neurons: Leaky, Synaptic,
            RLeaky, RSynaptic with reset "zero" or "subtract", parameters learnable or not, one or one a neuron. Between
            them Linear, Conv2d, AvgPool2d, Flatten, Dropout. Only a Sequential, which says its order, may have two
            weight layers or two neurons in a row: a list of ``module.children()`` has them as they were declared.
        pixels: the Input; of binary spikes and the size of the first Linear by default. A network that begins with a
            Conv2d or AvgPool2d needs it, with the shape (channel, row, column).
        names: of the Input and of each neuron layer; default pixels, hidden (hidden1, hidden2, ...), output.
        sample: what the stack gets, (step, sample, ...), in real values: its last layer's spikes are compared with
            those of the modules in a row. (input, spikes) compares with spikes of one's own instead,
            (step, sample, ...): with those of the forward that a list was taken from. A list without that is
            taken with a LossWarning. Of a last layer that never resets the membrane stands for the spikes.

    Raises:
        UnsupportedError: a module or an option that has no equal, by the name of its layer; a sample whose spikes
            differ.
        DlmError: names or sizes that do not fit; a list that is hardly in the order of computation; a sample that the
            Input does not hold.
    """
    modules = modules if isinstance(modules, nn.Module) else _held(modules)
    network = read_stack(modules, pixels, names)
    if sample is not None:
        _prove(network, modules, sample)
    if not isinstance(modules, nn.Sequential) and not isinstance(sample, tuple):
        warnings.warn(LOST, LossWarning, stacklevel=2)
    return network


def _held(modules: Iterable[Any]) -> list[Any]:
    """Iterables of any depth as lists."""
    return [_held(part) if isinstance(part, Iterable) and not isinstance(part, nn.Module) else part for part in modules]


def _prove(network: Network, modules: Any, sample: Any) -> None:
    given, told = sample if isinstance(sample, tuple) else (sample, None)
    values = np.asarray(given.detach().double() if isinstance(given, Tensor) else given, dtype=np.float64)
    if values.ndim < 3 or (told is not None and np.shape(told)[:2] != values.shape[:2]):
        raise DlmError(f"sample of shape {values.shape} is not (step, sample, ...), with spikes of the same two axes")
    (name, source) = next((name, part) for name, part in network.inputs.items() if not part.aligned)
    integers = np.rint(values * source.scale)
    if np.abs(integers - values * source.scale).max() > 1e-6 * source.scale:
        raise DlmError(f"the sample is not in multiples of 1/{source.scale:g}, which '{name}' holds; give pixels=")
    stimulus = integers.astype(np.int64).reshape(*values.shape[:2], -1).transpose(1, 0, 2)
    last = list(network.neurons)[-1]
    recording = run(network, {name: stimulus}, n_steps=len(values), record=("s", "v"))
    theirs = _outputs(modules, integers / source.scale) if told is None else _array(told)
    theirs = theirs.reshape(*values.shape[:2], -1).transpose(1, 0, 2)
    near = NEAR if told is None else NEAR_IN_FLOAT32
    silent = type(network.populations[last]) is LI
    ours = recording.v[last] if silent else recording.rasters[last].dense()
    apart = np.argwhere(np.abs(ours - theirs) > (near * max(1.0, np.abs(theirs).max()) if silent else 0))
    if len(apart):
        which = dict(zip(("sample", "step", "neuron"), apart[0], strict=True))
        told_apart = f"module {theirs[tuple(apart[0])]:g}, network {ours[tuple(apart[0])]:g}"
        raise RefusedError(TOLD_APART, f"layer '{last}'", values=told_apart, advice=ADVICE, **which)


def _array(spikes: Any) -> NDArray[np.float64]:
    return np.asarray(spikes.detach().cpu() if isinstance(spikes, Tensor) else spikes, dtype=np.float64)


def _outputs(modules: Any, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the modules make, one after another, (step, sample, ...)."""
    own = copied(_InARow(modules))
    with running(own, tables_for(own), seed=0):
        return own(torch.as_tensor(values, device="cpu")).numpy()


class _InARow(nn.Module):
    """The modules of a stack, one after another, in every step."""

    def __init__(self, modules: Any) -> None:
        super().__init__()
        self.stack = nn.ModuleList(module for _, module in in_order(modules))

    def forward(self, frames: Tensor) -> Tensor:
        """The spikes of the last neuron, or its membrane where that never resets, (step, sample, ...)."""
        states: dict[int, list[Tensor]] = {}
        found: list[Any] = []
        for x in frames:
            for place, module in enumerate(self.stack):
                if type(module) not in KNOWN:
                    x = module(x)
                    continue
                if place not in states and not module.init_hidden:
                    put_to_rest(module)
                x, *others = tensors(module(x, *states.get(place, ())))
                if not module.init_hidden:
                    states[place] = [x, *others] if type(module) in RECURRENT else others
            found.append(module.mem if reset_of(module) == "none" else x)
        return torch.stack(found)
