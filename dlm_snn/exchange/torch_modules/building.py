"""The Network that one step of the recorded loop is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dlm_snn.connections.connection import Connection
from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError, how_many
from dlm_snn.exchange.snntorch.parameters import Shape
from dlm_snn.exchange.torch_modules.grid import Grid
from dlm_snn.exchange.torch_modules.inputs import Inputs, population_shape
from dlm_snn.exchange.torch_modules.meaning import Affine, Line
from dlm_snn.exchange.torch_modules.neurons import ForeignNeuron, Table
from dlm_snn.exchange.torch_modules.paths import connected
from dlm_snn.exchange.torch_modules.pooling import HALF
from dlm_snn.exchange.torch_modules.refusals import (
    ENDLESS,
    FED_BY_READ_OUT,
    FEEDBACK,
    LAGGED,
    NETWORK,
    NO_FOREIGN,
    READER,
    RefusedError,
    told_by,
)
from dlm_snn.exchange.torch_modules.steps import edges_of
from dlm_snn.exchange.torch_modules.summing import scaling
from dlm_snn.files.names import identifiers
from dlm_snn.networks.network import Input, Network, Projection
from dlm_snn.neurons.li import LI
from dlm_snn.neurons.lif import LIF

ONE = "one"
"""The constant Input that carries biases into filtered currents."""


@dataclass(frozen=True, eq=False)
class Built:
    """A network of a run.

    Attributes:
        network: the network.
        values: of each Input, (sample, step, neuron).
        stimulus: the same as integers; (sample, neuron) where they are held constant.
        grids: of each Input.
        names: of each line.
        leaf_grids: the grid of each leaf, by its identity.
    """

    network: Network
    values: Mapping[str, NDArray[np.float64]]
    stimulus: Mapping[str, NDArray[np.int64]]
    grids: Mapping[str, Grid]
    names: Mapping[Line, str]
    leaf_grids: Mapping[int, Grid]

    def structure(self) -> str:
        """The network's digest without the grids of its inputs, which each sample has of its own."""
        plain = {
            name: Input(part.shape, aligned=part.aligned) if isinstance(part, Input) else part
            for name, part in self.network.populations.items()
        }
        return Network(plain, self.network.projections).digest()


def build(lines: Sequence[Line], tables: Mapping[Any, Table]) -> Built:
    """The network of a run.

    Args:
        lines: its populations; read-outs last.
        tables: of each neuron module.

    Raises:
        RefusedError: what no network does.
    """
    edges = {line: edges_of(line) for line in lines}
    inputs = Inputs(edge.source for own in edges.values() for edge in own if isinstance(edge.source, tuple))
    names = _names(lines, [*inputs.heads, ONE])
    foreign = {line: _foreign(line, tables) for line in lines}
    populations: dict[str, Any] = dict(inputs.heads)
    parts: list[_Part] = []
    for line in lines:
        own, bias = foreign[line], _bias(line, foreign[line])
        line.unit, line.rest = own.unit, own.rest
        filtered = bool(np.any(np.asarray(own.population.du) != 1))
        populations[names[line]] = _biased(own.population, 0.0 if filtered else bias)
        gain = () if np.all(np.asarray(own.gain) == 1) else (scaling(_each(own.gain, own.population.shape)),)
        for edge in edges[line]:
            pre = inputs.name(edge.source) if isinstance(edge.source, tuple) else names[edge.source]
            source = inputs.heads[pre] if isinstance(edge.source, tuple) else foreign[edge.source].population
            if type(source) is LI:
                raise RefusedError(FED_BY_READ_OUT, line.where, source=f"'{pre}'")
            parts.append(_Part(pre, line, connected((*edge.path, *gain), source.n), edge.lag))
        parts += [_Part(names[line], line, connection, delay) for connection, delay in own.loops]
        if filtered and np.any(bias):
            populations[ONE] = Input((1,), graded_bits=1, aligned=True)
            parts.append(_Part(ONE, line, Dense(bias.reshape(-1, 1)), 0))
    network = _joined(populations, parts, names)
    return Built(network, inputs.values, inputs.stimulus, inputs.grids, names, inputs.leaf_grids)


@dataclass(frozen=True, eq=False)
class _Part:
    """A projection, with its lag instead of its delay."""

    pre: str
    line: Line
    connection: Connection
    lag: int


def _names(lines: Sequence[Line], taken: Sequence[str]) -> dict[Line, str]:
    unique: dict[str, Line] = {}
    for line in lines:
        name, number = line.name, 2
        while name in unique:
            name, number = f"{line.name}_{number}", number + 1
        unique[name] = line
    return {unique[name]: plain for name, plain in identifiers(unique, taken).items()}


def _constant(line: Line) -> torch.Tensor:
    last = line.entries[-1]
    if not isinstance(last, Affine):
        raise TypeError(f"{line.where}: an entry is a {type(last).__name__}")
    return last.constant


def _foreign(line: Line, tables: Mapping[Any, Table]) -> ForeignNeuron:
    values = tuple(_constant(line).shape)
    shape = Shape(population_shape(values), values)
    if line.role == "pooling":
        return ForeignNeuron(LIF(shape, dv=1.0, v_threshold=HALF))
    if line.module is None:
        return ForeignNeuron(LI(shape, dv=1.0))
    kind = type(line.module)
    try:
        found = tables[line.module].readers[kind](line.module, shape, line.where)
    except RefusedError:
        raise
    except DlmError as error:
        what, remedy = told_by(error)
        raise RefusedError(NETWORK, line.where, error=what, remedy=remedy) from error
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        raise RefusedError(READER, line.where, error=told, kind=kind.__name__) from error
    if not isinstance(found, ForeignNeuron):
        raise RefusedError(
            NO_FOREIGN, line.where, found=f"something of type {type(found).__name__}", shape=tuple(shape)
        )
    if tuple(found.population.shape) != tuple(shape):
        told = f"a population of shape {tuple(found.population.shape)}"
        raise RefusedError(NO_FOREIGN, line.where, found=told, shape=tuple(shape))
    return found


def _each(values: Any, shape: tuple[int, ...]) -> torch.Tensor:
    whole = np.asarray(values, dtype=np.float64).reshape(-1)
    return torch.as_tensor(np.broadcast_to(whole, prod(shape)).reshape(shape).copy(), device="cpu")


def _bias(line: Line, own: ForeignNeuron) -> NDArray[np.float64]:
    shape = own.population.shape
    before = _constant(line).detach().double().numpy().reshape(-1)
    return before * _each(own.gain, shape).numpy().reshape(-1) + _each(own.bias, shape).numpy().reshape(-1)


def _biased(population: Any, bias: Any) -> Any:
    return replace(population, bias=population.bias + bias) if np.any(bias) else population


def _joined(populations: dict[str, Any], parts: Sequence[_Part], names: Mapping[Line, str]) -> Network:
    depth = _depths(populations, parts, names)
    projections = []
    for part in parts:
        post = names[part.line]
        delay = 1 if part.pre == ONE else part.lag + depth[post] - depth[part.pre]
        steps = len(part.line.entries)
        if part.lag >= steps - 1 and part.lag > 1:
            raise RefusedError(ENDLESS, part.line.where, source=f"'{part.pre}'", lag=part.lag, steps=steps)
        if delay < 1:
            raise RefusedError(FEEDBACK, part.line.where, source=f"'{part.pre}'")
        projections.append(Projection(part.pre, post, part.connection, delay))
    try:
        network = Network(populations, projections)
    except DlmError as error:
        what, remedy = told_by(error)
        raise RefusedError(NETWORK, "the module", error=what, remedy=remedy) from error
    for projection, part in zip(network.projections, parts, strict=True):
        (lag,) = network.lags(projection)
        if lag != part.lag:
            raise RefusedError(
                LAGGED, part.line.where, source=f"'{part.pre}'", lag=how_many(part.lag, "steps"), ours=lag
            )
    return network


def _depths(populations: Mapping[str, Any], parts: Sequence[_Part], names: Mapping[Line, str]) -> dict[str, int]:
    """Steps from the Inputs along spikes of the same step."""
    depth = {name: int(not isinstance(part, Input)) for name, part in populations.items()}
    same = [(part.pre, names[part.line]) for part in parts if part.lag == 0 and part.pre != ONE]
    for _ in populations:
        for pre, post in same:
            depth[post] = max(depth[post], depth[pre] + 1)
    return depth
