"""``as_stock``, for use as a library: a network of populations that have one value each, as stock Lava declares them.

A population whose neurons differ in du, dv or v_threshold becomes several, and its projections are cut to fit. The
spikes stay what they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.dense import Dense
from dlm_snn.errors import UnsupportedError
from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import Input, IntegerNetwork, IntegerProjection
from dlm_snn.networks.signs import weight_grid
from dlm_snn.neurons.integer_lif import IntegerLIF
from dlm_snn.neurons.li import IntegerLI
from dlm_snn.runs.raster import SpikeRaster
from hardware.subset import PER_NEURON

TARGET = "stock Lava"
BIAS = "bias_mant"
"""The one parameter that stock Lava has neuron by neuron."""


class Part(NamedTuple):
    """Where the neurons of a stock population are in the network that it comes from.

    Attributes:
        population: name there.
        neurons: their indices there, increasing.
    """

    population: str
    neurons: NDArray[np.int64]


def stock_parts(network: IntegerNetwork) -> dict[str, Part]:
    """The populations of ``as_stock(network)``: name -> Part.

    One whose neurons are alike keeps its name; of others the parts are NAME_0, NAME_1, ... in the order of their first
    neurons.
    """
    found: dict[str, Part] = {}
    for name, population in network.populations.items():
        groups = _alike(population)
        for number, neurons in enumerate(groups):
            own = name if len(groups) == 1 else f"{name}_{number}"
            while own != name and (own in network.populations or own in found):
                own += "_"
            found[own] = Part(name, neurons)
    return found


def as_stock(network: IntegerNetwork) -> IntegerNetwork:
    """The same network of populations with one du, dv and v_threshold each.

    Args:
        network: of integers.

    Returns:
        A network whose spikes, ``joined``, are those of ``network``, step by step.

    Raises:
        UnsupportedError: a competition, by the population's name; a projection that floors its sums and would be cut
            into several sums; a convolution with odd weights that would be cut.
    """
    check_known(network, TARGET, (IntegerLIF, IntegerLI))
    for name, neuron in network.neurons.items():
        if neuron.winners is not None:
            raise UnsupportedError(
                TARGET,
                f"the competition of '{name}' ({neuron.winners} of {neuron.n // neuron.groups} may spike)",
                "train with inhibition between the neurons in its place",
            )
    parts = stock_parts(network)
    populations = {name: _part_of(network.populations[p.population], p.neurons) for name, p in parts.items()}
    projections = [cut for p in network.projections for cut in _cuts(p, parts, network)]
    return _as_deep(network, IntegerNetwork(populations, projections), parts)


def joined(rasters: Mapping[str, SpikeRaster], parts: Mapping[str, Part]) -> dict[str, SpikeRaster]:
    """Rasters of stock populations as those of the populations that they come from; of those that are there in full.

    Args:
        rasters: population of ``as_stock(network)`` -> raster.
        parts: ``stock_parts(network)``.
    """
    found: dict[str, SpikeRaster] = {}
    for name in dict.fromkeys(part.population for part in parts.values()):
        own = {key: part.neurons for key, part in parts.items() if part.population == name}
        if not own.keys() <= rasters.keys():
            continue
        pieces = [(rasters[key], neurons) for key, neurons in own.items()]
        sample, step = (np.concatenate([getattr(r, axis) for r, _ in pieces]) for axis in ("sample", "step"))
        neuron = np.concatenate([neurons[r.neuron] for r, neurons in pieces]).astype(np.uint32)
        n = sum(len(neurons) for neurons in own.values())
        found[name] = replace(pieces[0][0], sample=sample, step=step, neuron=neuron, n_neurons=n)
    return found


def _alike(population: Any) -> list[NDArray[np.int64]]:
    """Groups of neurons that are alike, by their first neurons."""
    if isinstance(population, Input):
        return [np.arange(population.n)]
    values = [np.broadcast_to(np.asarray(getattr(population, field)), population.n) for field in PER_NEURON]
    _, first, group = np.unique(np.stack(values), axis=1, return_index=True, return_inverse=True)
    group = group.reshape(-1)
    return [np.flatnonzero(group == number) for number in np.argsort(first)]


def _part_of(population: Any, neurons: NDArray[np.int64]) -> Any:
    """These neurons as a population, with one number where they are alike."""
    if isinstance(population, Input):
        return population
    changes: dict[str, Any] = {}
    for field in (*PER_NEURON, BIAS):
        own = np.asarray(getattr(population, field))
        own = own if own.ndim == 0 else own.reshape(-1)[neurons]
        if field != "v_threshold" or isinstance(population, IntegerLIF):
            changes[field] = own.flat[0].item() if np.all(own == own.flat[0]) else own
    shape = population.shape if len(neurons) == population.n else (len(neurons),)
    return replace(population, shape=shape, **changes)


def _cuts(p: IntegerProjection, parts: Mapping[str, Part], network: IntegerNetwork) -> Iterator[IntegerProjection]:
    """A projection from every part of its pre to every part of its post; those without a weight are left out."""
    pres, posts = ({k: v for k, v in parts.items() if v.population == name} for name in (p.pre, p.post))
    if len(pres) == len(posts) == 1:
        yield replace(p, pre=next(iter(pres)), post=next(iter(posts)))
        return
    if np.any(p.connection.weight % weight_grid(p.sign_mode, p.num_weight_bits)[2]):
        ends = {p.pre: len(pres), p.post: len(posts)}
        where = " and ".join(f"'{name}' in {number} parts" for name, number in ends.items() if number > 1)
        raise UnsupportedError(
            TARGET,
            f"the odd weights of the convolution '{p.name}', with {where}: its synapses are listed, and take even ones",
            "even weights",
        )
    if len(pres) > 1 and _floors(p, [part.neurons for part in pres.values()]):
        raise UnsupportedError(
            TARGET,
            f"'{p.name}', which floors its sums (weight_exp = {p.weight_exp}), from '{p.pre}' in {len(pres)} parts",
            f"{p.weight_exp} -> 0, or one v_threshold, du and dv for '{p.pre}'",
        )
    for post, into in posts.items():
        for pre, out_of in pres.items():
            connection, delay = _cut(p, into.neurons, out_of.neurons)
            if np.any(connection.weight):
                yield replace(p, pre=pre, post=post, connection=connection, delay=delay)


def _floors(p: IntegerProjection, groups: list[NDArray[np.int64]]) -> bool:
    """Whether some neuron's sum is shifted down, has several parts, and is no multiple of what is shifted out."""
    if p.weight_exp >= 0:
        return False
    synapses = p.connection.sparse()
    group = np.zeros(synapses.n_pre, np.int64)
    for number, neurons in enumerate(groups):
        group[neurons] = number
    uneven = synapses.weight % (1 << -p.weight_exp) != 0
    reached = {number: set(synapses.post[uneven & (group[synapses.pre] == number)]) for number in range(len(groups))}
    return sum(map(len, reached.values())) > len(set().union(*reached.values()))


def _cut(p: IntegerProjection, post: NDArray[np.int64], pre: NDArray[np.int64]) -> tuple[Connection, Any]:
    """The synapses between some neurons, and their delays."""
    if isinstance(p.connection, Dense):
        block = np.ix_(post, pre)
        return Dense(p.connection.weight[block]), p.delay if isinstance(p.delay, int) else p.delay[block]
    synapses = p.connection.sparse()
    places = [np.full(n, -1) for n in synapses.shape]
    for place, neurons in zip(places, (post, pre), strict=True):
        place[neurons] = np.arange(len(neurons))
    new_post, new_pre = places[0][synapses.post], places[1][synapses.pre]
    kept = (new_post >= 0) & (new_pre >= 0)
    cut = Sparse((len(post), len(pre)), new_post[kept], new_pre[kept], synapses.weight[kept])
    return cut, p.delay if isinstance(p.delay, int) else p.delay[kept]


def _as_deep(network: IntegerNetwork, made: IntegerNetwork, parts: Mapping[str, Part]) -> IntegerNetwork:
    """With synapses of weight 0 where a part would else begin its window in another step than its population."""
    if all(made.depth[name] == network.depth[part.population] for name, part in parts.items()):
        return made
    links = [
        IntegerProjection(pre, post, Dense(np.zeros((len(into.neurons), len(out.neurons)), int)), int(np.min(p.delay)))
        for p in network.projections
        for pre, out in parts.items()
        for post, into in parts.items()
        if (out.population, into.population) == (p.pre, p.post)
    ]
    return IntegerNetwork(made.populations, [*made.projections, *links])
