"""snnTorch networks as ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from dlm_snn.connections.chain import Chain
from dlm_snn.connections.connection import Connection
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.connections.pool2d import Pool2d
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.exchange.snntorch.neurons import KNOWN, ONE, READER, RECURRENT, SYNAPTIC, array, lif_of, reset_of
from dlm_snn.exchange.snntorch.recurrence import diagonal, recurrence
from dlm_snn.networks.network import Input, Network, Projection

_STATELESS = (nn.Linear, nn.Conv2d, nn.AvgPool2d, nn.Flatten, nn.Dropout, nn.Dropout2d, nn.Identity)
_WEIGHTED = (nn.Linear, nn.Conv2d)
_IDLE = (nn.Dropout, nn.Dropout2d, nn.Identity)
"""They do nothing outside training."""


def read_stack(
    modules: nn.Module | Iterable[Any], pixels: Input | None = None, names: Sequence[str] | None = None
) -> Network:
    """A Network that spikes as a stack of snnTorch layers does.

    Decays, thresholds and weights are taken as stored: beta = .9 in float32 is .89999998. Stateless modules between two
    neurons become one Projection, a Chain where there are several. Biases become LIF.bias where the current is not
    filtered, else synapses from a constant aligned Input ``one``.

    Args:
        modules: a Sequential, a list, or a list of lists, in the order of computation. Neurons: Leaky, Synaptic,
            RLeaky, RSynaptic with reset "zero" or "subtract", parameters learnable or not, one or one a neuron; at the
            end also "none": an LI, mem is its v. Between them Linear, Conv2d, AvgPool2d, Flatten, Dropout. Only a
            Sequential may have two weight layers or two neurons in a row: ``module.children()`` is as declared.
        pixels: the Input; by default of binary spikes and the size of the first Linear. Before a Conv2d or AvgPool2d
            it is needed, with the shape (channel, row, column).
        names: of the Input and of each neuron layer; default pixels, hidden (hidden1, hidden2, ...), output.

    Raises:
        UnsupportedError: a module or an option that has no equal, by the name of its layer.
        DlmError: names or sizes that do not fit; a list that is hardly in the order of computation.
    """
    modules = modules if isinstance(modules, nn.Module) else list(modules)
    layers = _checked_layers(modules)
    names = list(names) if names is not None else _default_names(len(layers))
    if len(names) != len(layers) + 1:
        raise DlmError(f"{len(names)} names for an Input and {len(layers)} layers; give {len(layers) + 1}")
    source = pixels or _source(layers[0])
    populations: dict[str, Any] = {names[0]: source}
    projections: list[Projection] = []
    shape: tuple[int, ...] = source.shape
    for index, layer in enumerate(layers):
        pre, name = names[index], names[index + 1]
        way = _way(layer, shape)
        shape, neuron, where = way.shape, layer.neuron, f"layer '{name}' ({type(layer.neuron).__name__})"
        constant, loop = way.constant, None
        if isinstance(neuron, RECURRENT):
            loop, own = recurrence(neuron, shape, where)
            constant = constant + own
        synaptic = isinstance(neuron, SYNAPTIC)
        populations[name] = lif_of(neuron, shape, 0.0 if synaptic else constant, where)
        projections.append(Projection(pre, name, way.connection(populations[pre].n)))
        if loop is not None:
            projections.append(Projection(name, name, loop))
        if synaptic and np.any(constant):
            populations[ONE] = Input((1,), graded_bits=1, aligned=True)
            projections.append(Projection(ONE, name, Dense(constant[:, None])))
    if not isinstance(modules, nn.Sequential):
        _check_order(modules)
    return Network(populations, projections)


@dataclass(frozen=True)
class _Layer:
    """Stateless modules and the neuron behind them, with the names of the modules."""

    stateless: list[tuple[str, Any]]
    neuron: Any


@dataclass(frozen=True)
class _Way:
    """What stateless modules do together: their connections, the shape behind them, what their biases add up to."""

    shape: tuple[int, ...]
    constant: NDArray[np.float64]
    parts: list[Connection] = field(default_factory=list)

    def connection(self, n: int) -> Connection:
        """One connection; none: one synapse to each neuron's own."""
        if not self.parts:
            return diagonal(np.ones(n))
        return self.parts[0] if len(self.parts) == 1 else Chain(self.parts)


def in_order(modules: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Modules in their order, nested ones taken apart, each with its name."""
    if isinstance(modules, nn.Module) and not isinstance(modules, (nn.Sequential, nn.ModuleList)):
        if prefix:
            yield prefix, modules
            return
        raise DlmError(
            f"{type(modules).__name__} hides its order of layers; give it to from_torch, or its layers in a list"
        )
    if isinstance(modules, nn.Sequential) and type(modules).forward is not nn.Sequential.forward:
        raise DlmError(f"{type(modules).__name__} has a forward of its own; give a Sequential or a list of its layers")
    # ``named_children`` would leave out a module that comes again.
    named: Any = modules._modules.items() if isinstance(modules, nn.Module) else enumerate(modules)
    for name, module in named:
        own = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(module, (tuple, list, nn.Module)):
            yield from in_order(module, own)
        else:
            raise UnsupportedError(READER, f"module {own}, {type(module).__name__}", "give torch modules")


def _check_order(modules: Any) -> None:
    """Raise where a list has the order of declaration: two weight layers, or two neurons, with nothing between."""
    last: tuple[str, Any] | None = None
    for name, module in in_order(modules):
        kinds = _WEIGHTED if type(module) in _WEIGHTED else KNOWN
        if type(module) is nn.AvgPool2d and last is not None and type(last[1]) in KNOWN:
            last = None
        if type(module) not in kinds:
            continue
        if last is not None and type(last[1]) in kinds:
            between = "a neuron" if kinds is _WEIGHTED else "a layer"
            pair = f"module {name}, {type(module).__name__}, follows module {last[0]}, {type(last[1]).__name__}"
            raise DlmError(
                f"{pair}, without {between} between, as in module.children(), which has the order of declaration; give "
                "a Sequential in the order of computation"
            )
        last = name, module


def _layers(modules: Any) -> Iterator[_Layer]:
    stateless: list[tuple[str, Any]] = []
    found = 0
    names: dict[int, str] = {}
    for name, module in in_order(modules):
        if type(module) in KNOWN:
            first = names.setdefault(id(module), name)
            if first != name and module.init_hidden:
                thing = f"module {name}, module {first} again, with one hidden state for both"
                raise UnsupportedError(READER, thing, "give each layer a neuron of its own")
            yield _Layer(stateless, module)
            stateless, found = [], found + 1
        elif type(module) in _STATELESS:
            stateless.append((name, module))
        else:
            known = ", ".join(kind.__name__ for kind in (*_STATELESS, *KNOWN))
            raise UnsupportedError(READER, f"module {name}, {type(module).__name__}", f"known: {known}")
    if any(type(module) not in _IDLE for _, module in stateless) or not found:
        name = f"module {stateless[-1][0]}, {type(stateless[-1][1]).__name__}," if stateless else "a stack"
        raise UnsupportedError(READER, f"{name} without a neuron behind it", "end with a neuron")


def _checked_layers(modules: Any) -> list[_Layer]:
    """The layers; raises where a neuron that its spikes do not reset sends them on, which the last one does not."""
    layers = list(_layers(modules))
    for place, layer in enumerate(layers[:-1], start=1):
        if reset_of(layer.neuron) == "none":
            thing = f"layer {place} ({type(layer.neuron).__name__}) with reset_mechanism='none', whose spikes go on"
            raise UnsupportedError(READER, thing, "use 'zero' or 'subtract', or end with it")
    return layers


def _source(first: _Layer) -> Input:
    """The Input of a network whose first module is a Linear."""
    for _, module in first.stateless:
        if type(module) is nn.Linear:
            return Input((module.in_features,))
        if type(module) not in (*_IDLE, nn.Flatten):
            break
    raise DlmError("the first module does not tell the shape of its input; give pixels=Input((channel, row, column))")


def _way(layer: _Layer, shape: tuple[int, ...]) -> _Way:
    parts: list[Connection] = []
    constant = np.zeros(int(np.prod(shape)))
    for name, module in layer.stateless:
        if type(module) in _IDLE:
            continue
        where = f"module {name}, {type(module).__name__}"
        if type(module) is nn.Flatten:
            if (module.start_dim, module.end_dim) != (1, -1):
                raise UnsupportedError(READER, f"{where}, of some axes", "flatten all but the samples")
            shape = (int(np.prod(shape)),)
            continue
        try:
            connection = _connection(where, module, shape)
            if connection.n_pre != int(np.prod(shape)):
                raise DlmError(f"takes {connection.n_pre} values, gets the shape {shape}")
        except UnsupportedError:
            raise
        except DlmError as error:
            raise DlmError(f"{where}: {error}") from error
        parts.append(connection)
        shape = connection.post_shape
        constant = connection.apply(constant)
        bias = getattr(module, "bias", None)
        if bias is not None:
            values = array(bias)
            constant = constant + np.repeat(values, constant.size // values.size)
    return _Way(shape, constant, parts)


def _connection(where: str, module: Any, shape: tuple[int, ...]) -> Connection:
    if type(module) is nn.Linear:
        if len(shape) != 1:
            raise DlmError(f"behind the shape {shape}; put a Flatten between")
        return Dense(array(module.weight))
    if len(shape) != 3:
        raise DlmError(f"needs an image (channel, row, column), gets the shape {shape}")
    image: Any = shape
    if type(module) is nn.AvgPool2d:
        padded = bool(np.any(np.asarray(module.padding)))
        if module.ceil_mode or (padded and not module.count_include_pad):
            raise UnsupportedError(READER, f"{where} with ceil_mode or means without the padding", "use the defaults")
        divisor: Any = None if module.divisor_override is None else 1 / module.divisor_override
        return Pool2d(image, module.kernel_size, module.stride, module.padding, divisor)
    if module.padding_mode != "zeros":
        raise UnsupportedError(READER, f"{where} with padding_mode '{module.padding_mode}'", "pad with zeros")
    return Conv2d(array(module.weight), image, module.stride, _padding(where, module), module.dilation, module.groups)


def _padding(where: str, module: nn.Conv2d) -> Any:
    if not isinstance(module.padding, str):
        return module.padding
    if module.padding == "valid":
        return 0
    around = [d * (k - 1) for d, k in zip(module.dilation, module.kernel_size, strict=True)]
    if any(n % 2 for n in around):
        raise UnsupportedError(READER, f"{where} with padding 'same' that is not equal on both sides", "give numbers")
    return around[0] // 2, around[1] // 2


def _default_names(n_layers: int) -> list[str]:
    hidden = ["hidden"] if n_layers == 2 else [f"hidden{i}" for i in range(1, n_layers)]
    return ["pixels", *hidden, "output"]
