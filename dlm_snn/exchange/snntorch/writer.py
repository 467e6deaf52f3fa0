"""Our networks as snnTorch modules."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from dlm_snn.connections.chain import Chain
from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.connections.pool2d import Pool2d
from dlm_snn.errors import UnsupportedError
from dlm_snn.exchange.snntorch.neurons import WRITER, neuron_module
from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import Network, Projection
from dlm_snn.surrogate import Surrogate


def to_snntorch(network: Network, surrogate: Surrogate | None = None) -> nn.Sequential:
    """A chain of populations as a Sequential of Linear, Conv2d, AvgPool2d and neurons, float64, one call a step.

    The neurons keep their state (init_hidden=True): call the Sequential n_steps times with the real values of the
    Input, and ``snntorch.utils.reset`` between runs. Their spikes equal those of the network's balanced windows; where
    the last population is an LI, a call gives (spikes, mem), with du < 1 (spikes, syn, mem), and mem is its v.

    Args:
        network: one Input and populations in a chain (a delay only moves the windows), each with a loop of one step to
            itself or without; biases by LIF.bias where du = 1, or from ``one``.
        surrogate: for further training; snnTorch's default, atan, without it.

    Raises:
        UnsupportedError: loops over layers, branches, unequal delays, a bias for each neuron behind a convolution, and
            what ``neuron_module`` refuses.
    """
    check_known(network, WRITER)
    for name, neuron in network.neurons.items():
        if neuron.period is not None:
            raise UnsupportedError(WRITER, f"the period of '{name}'", "call snntorch.utils.reset in your loop")
    loops = _loops(network)
    constants = _constants(network)
    modules: list[nn.Module] = []
    chain = _chain(network)
    shape = network.inputs[chain[0].pre].shape
    for projection in chain:
        neuron = network.neurons[projection.post]
        bias = np.broadcast_to(constants.get(projection.post, 0.0) + neuron.bias, (neuron.n,))
        modules += _stateless(projection, shape, neuron.shape, bias)
        modules.append(neuron_module(projection.post, neuron, surrogate, True, loops.get(projection.post)))
        shape = neuron.shape
    return nn.Sequential(*modules)


def _constants(network: Network) -> dict[str, NDArray]:
    """The biases of each population that constant Inputs carry."""
    found: dict[str, NDArray] = {}
    for p in network.projections:
        if p.pre in network.inputs and network.inputs[p.pre].constant:
            found[p.post] = found.get(p.post, 0.0) + p.connection.sparse().dense()[:, 0]
    return found


def _loops(network: Network) -> dict[str, Connection]:
    """The connection of each population to itself."""
    loops: dict[str, Connection] = {}
    for p in network.projections:
        if p.pre != p.post:
            continue
        same = isinstance(p.connection, Conv2d) and (p.connection.spacing, p.connection.groups) != (
            ((1, 1), tuple(k // 2 for k in p.connection.weight.shape[2:]), (1, 1)),
            1,
        )
        if p.post in loops or np.any(np.asarray(p.delay) != 1) or same or isinstance(p.connection, (Pool2d, Chain)):
            raise UnsupportedError(
                WRITER, f"{p.name}, no single loop of one step by a matrix or a padded Conv2d", "use backend='snntorch'"
            )
        loops[p.post] = p.connection
    return loops


def _chain(network: Network) -> list[Projection]:
    """The projections from the data Input to the last population, one after another."""
    start = [name for name, source in network.inputs.items() if not source.constant]
    left = [p for p in network.projections if p.pre in (*start, *network.neurons) and p.pre != p.post]
    chain: list[Projection] = []
    at = start[0] if len(start) == 1 else None
    while any(p.pre == at for p in left):
        following = [p for p in left if p.pre == at]
        chain.append(following[0])
        left.remove(following[0])
        at = following[0].post
    late = [p.name for p in chain if any(network.lags(p))]
    if left or len({p.post for p in chain}) < len(chain) or not chain or late:
        names = [p.name for p in left] or late or list(network.inputs)
        raise UnsupportedError(
            WRITER, f"a Sequential with {', '.join(names)}", "run the network with backend='snntorch' instead"
        )
    return chain


def _stateless(
    projection: Projection, shape: tuple[int, ...], target: tuple[int, ...], bias: NDArray[np.float64]
) -> list[nn.Module]:
    """The modules of a connection between populations of two shapes."""
    whole = projection.connection
    modules: list[nn.Module] = []
    parts = tuple(whole.parts) if isinstance(whole, Chain) else (whole,)
    for place, part in enumerate(parts):
        own = bias if place == len(parts) - 1 else np.zeros(part.n_post)
        if isinstance(part, (Dense, Sparse)):
            if len(shape) != 1:
                modules.append(nn.Flatten())
            modules.append(_linear(part.weight if isinstance(part, Dense) else part.dense(), own))
        elif isinstance(part, Conv2d):
            modules += _convolution(projection.name, part, own)
        elif isinstance(part, Pool2d):
            modules += _pool(projection.name, part, own)
        else:
            raise UnsupportedError(
                WRITER, f"{projection.name}, a {type(part).__name__}", "use a matrix, Conv2d or Pool2d"
            )
        shape = part.post_shape
    if shape != target:
        modules.append(nn.Unflatten(1, target) if len(shape) == 1 else nn.Flatten())
    return modules


def _linear(weight: NDArray, bias: NDArray) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bool(np.any(bias)), dtype=torch.float64, device="cpu")
    return _filled(linear, weight, bias)


def _filled(module: Any, weight: NDArray, bias: NDArray) -> Any:
    with torch.no_grad():
        module.weight.copy_(torch.tensor(np.array(weight), device="cpu"))
        if module.bias is not None:
            module.bias.copy_(torch.tensor(np.array(bias), device="cpu"))
    return module


def _convolution(name: str, part: Conv2d, bias: NDArray) -> list[nn.Module]:
    outputs, inputs, *kernel = part.weight.shape
    by_channel = bias.reshape(outputs, -1)
    if np.any(by_channel != by_channel[:, :1]):
        raise UnsupportedError(WRITER, f"a bias for each neuron behind the Conv2d {name}", "give one a channel")
    stride, padding, dilation = part.spacing
    module: Any = nn.Conv2d(
        inputs * part.groups,
        outputs,
        (kernel[0], kernel[1]),
        stride,
        padding,
        dilation,
        part.groups,
        bool(np.any(bias)),
        dtype=torch.float64,
        device="cpu",
    )
    return [_filled(module, part.weight, by_channel[:, 0])]


def _pool(name: str, part: Pool2d, bias: NDArray) -> list[nn.Module]:
    """AvgPool2d for a mean or a sum, else a Conv2d of each channel by itself; a bias by one of a single place."""
    channels = part.input_shape[0]
    kernel: Any = part.kernel
    stride: Any = part.stride
    weight = float(part.weight[0])
    sum_of_all = None if weight == 1 / np.prod(kernel) else 1
    if sum_of_all is None or weight == 1:
        pool: Any = nn.AvgPool2d(kernel, stride, part.padding, divisor_override=sum_of_all)
    else:
        same = np.full((channels, 1, *kernel), weight)
        return _convolution(name, Conv2d(same, part.input_shape, stride, part.padding, 1, channels), bias)
    if not np.any(bias):
        return [pool]
    ones = Conv2d(np.ones((channels, 1, 1, 1)), part.output_shape, 1, 0, 1, channels)
    return [pool, *_convolution(name, ones, bias)]
