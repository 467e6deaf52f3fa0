"""``place``, for use as a library: which neurons lie on which core, what memory that takes, and whether it fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, UnsupportedError, nearest
from dlm_snn.networks.network import IntegerNetwork
from dlm_snn.values import is_whole
from hardware.chips import Chip, Figure, Packing, value_of
from hardware.incoming import Incoming, Kernel, is_shared, listed, written
from hardware.layers import Excess, Layer, Room
from hardware.spreading import chunks, load_of, spread
from hardware.tiles import Tile, best_tile

ALL_CORES = "cores together with the others"


@dataclass(frozen=True, eq=False)
class Placement:
    """A network on the cores of a chip.

    Attributes:
        chip, packing: what for.
        layers: in the network's order, one for each population of neurons.
        excesses: limits that are broken; none where it fits.
    """

    chip: Chip
    packing: Packing
    layers: tuple[Layer, ...]
    excesses: tuple[Excess, ...]

    @property
    def cores(self) -> int:
        """Cores in all."""
        return sum(layer.cores for layer in self.layers)

    @property
    def fits(self) -> bool:
        """Whether one chip takes it."""
        return not self.excesses

    @property
    def chips(self) -> int | None:
        """Chips that its cores fill; None where a core breaks a limit, or where a chip's cores are not known."""
        if self.chip.cores is None or any(excess.limit != ALL_CORES for excess in self.excesses):
            return None
        return -(-self.cores // self.chip.cores.value)

    def table(self, each_core: bool = False) -> list[dict[str, str]]:
        """The columns of the compiler's utilization table: a line for each population, of its fullest core.

        Args:
            each_core: a line for each core instead.
        """
        if not each_core:
            return [_line(layer, self.chip, self.packing) for layer in self.layers]
        cores = [(layer, core) for layer in self.layers for core in range(layer.cores)]
        return [
            {"core": str(number), **_line(layer.core(core), self.chip, self.packing)}
            for number, (layer, core) in enumerate(cores)
        ]

    def __str__(self) -> str:
        cores = "" if self.chip.cores is None else f" of {self.chip.cores.value}"
        if self.fits:
            verdict = f"fits on one {self.chip.title}: {self.cores}{cores} cores"
        else:
            needed = "" if self.chips is None else f" (cores of {self.chips} chips)"
            verdict = f"does not fit on one {self.chip.title}{needed}: " + "; ".join(map(str, self.excesses))
        unchecked = [f"'{layer.population}' ({', '.join(layer.unchecked)})" for layer in self.layers if layer.unchecked]
        notes = [f"not checked against a print-out: {', '.join(unchecked)}"] if unchecked else []
        return "\n".join([verdict, *as_columns(self.table()), *notes])


def place(
    network: IntegerNetwork,
    chip: Chip,
    packing: str | None = None,
    neurons_per_core: Mapping[str, int] | None = None,
) -> Placement:
    """Lay the neurons of a network out on cores, population by population, as the chip's compiler does.

    Args:
        network: of integers.
        chip: whose compiler is known.
        packing: name of one of the chip's; None: the newest.
        neurons_per_core: population -> how many of its neurons go on a core, instead of what the compiler would choose.

    Raises:
        DlmError: a float network, or one without neurons; a packing or population that is not there; a number of
            neurons that a core or the population cannot have.
        UnsupportedError: a chip whose packing is not known.
    """
    if not isinstance(network, IntegerNetwork):
        raise DlmError("a chip takes integers: give an IntegerNetwork, as dlm.quantize makes it")
    if not network.neurons:
        raise DlmError("the network has no neurons to place, only Inputs")
    if not isinstance(chip, Chip):
        raise DlmError(f"{chip!r} is no Chip; give hardware.chip('loihi2')")
    if neurons_per_core is not None and not isinstance(neurons_per_core, Mapping):
        raise DlmError(f"neurons_per_core = {neurons_per_core!r}; give population: number")
    if not chip.packings:
        raise UnsupportedError(f"placement on {chip.title}", "an unknown compiler", "give a chip with packings: loihi2")
    rules = {rule.name: rule for rule in chip.packings}
    if packing is not None and packing not in rules:
        raise DlmError(f"{chip.title} has no packing '{packing}'; {nearest(packing, rules)}")
    rule = chip.packings[0] if packing is None else rules[packing]
    asked = dict(neurons_per_core or {})
    for name, number in asked.items():
        if name not in network.neurons:
            raise DlmError(f"neurons_per_core names '{name}'; {nearest(name, network.neurons)}")
        if not is_whole(number) or number < 1:
            raise DlmError(f"neurons_per_core['{name}'] = {number!r} is not a positive integer")
        if number > network.neurons[name].n:
            raise DlmError(f"neurons_per_core['{name}'] = {number}, of {network.neurons[name].n} neurons")
    layers = tuple(_layer(network, name, chip, rule, asked.get(name)) for name in network.neurons)
    excesses = [excess for layer in layers for excess in _broken(layer, chip, rule)]
    cores = sum(layer.cores for layer in layers)
    if chip.cores is not None and cores > chip.cores.value:
        largest = max(layers, key=lambda layer: layer.cores).population
        change = f"spread it over {-(-cores // chip.cores.value)} chips"
        excesses.append(Excess(largest, ALL_CORES, cores, chip.cores.value, change))
    return Placement(chip, rule, layers, tuple(excesses))


def _layer(network: IntegerNetwork, name: str, chip: Chip, rule: Packing, asked: int | None) -> Layer:
    """One population."""
    incoming = [p for p in network.projections if p.post == name and not written(p, network)]
    shape = network.neurons[name].shape
    room = Room(value_of(chip.neurons), rule.synapse_words.value, value_of(chip.axon_words), value_of(chip.total_words))
    if len(shape) == 3 and asked is None and all(map(is_shared, incoming)):
        kernels = [Kernel(projection) for projection in incoming]
        tile = best_tile(shape, kernels, room.neurons or prod(shape), room.synapses)
        if tile is not None:
            return _tiled(name, shape, tile, kernels)
    loads = [listed(projection) for projection in incoming]
    n = prod(shape)
    return _listed(name, shape, spread(n, loads, rule, room) if asked is None else chunks(n, asked), loads)


def _tiled(name: str, shape: tuple[int, ...], tile: Tile, kernels: Sequence[Kernel]) -> Layer:
    """An image in tiles; those at its edges have fewer neurons."""
    channels, rows, columns = shape
    parts = [
        [min(size, whole - begin) for begin in range(0, whole, size)]
        for whole, size in ((channels, tile.channels), (rows, tile.y), (columns, tile.x))
    ]
    neurons = np.multiply.outer(np.multiply.outer(*map(np.array, parts[:2])), np.array(parts[2])).reshape(-1)
    words = sum(kernel.words(tile.channels) for kernel in kernels)
    unchecked = tuple(dict.fromkeys(kernel.unchecked for kernel in kernels if kernel.unchecked))
    return Layer(name, neurons, np.full(neurons.size, words), None, tile, unchecked, shape)


def _listed(name: str, shape: tuple[int, ...], sizes: NDArray[np.int64], loads: Sequence[Incoming]) -> Layer:
    edges = np.concatenate([[0], np.cumsum(sizes)]).tolist()
    found = [load_of(loads, first, last) for first, last in pairwise(edges)]
    unchecked = tuple(dict.fromkeys(load.unchecked for load in loads if load.unchecked))
    synapses, axons = (np.array(column) for column in zip(*found, strict=True))
    return Layer(name, sizes, synapses, axons, None, unchecked, shape)


def _broken(layer: Layer, chip: Chip, rule: Packing) -> list[Excess]:
    """Limits of one core that a population breaks."""
    asked = {
        "neurons on a core": (layer.neurons, chip.neurons),
        "synapse words on a core": (layer.synapses, rule.synapse_words),
        "axons on a core": (layer.axons, chip.axon_words),
        "words on a core": (layer.total, chip.total_words),
    }
    return [
        Excess(layer.population, limit, int(used.max()), figure.value, _change(layer, int(used.max()), figure.value))
        for limit, (used, figure) in asked.items()
        if used is not None and figure is not None and used.max() > figure.value
    ]


def _change(layer: Layer, needs: int, has: int) -> str:
    """What would bring the fullest core below a limit."""
    most = int(layer.neurons.max())
    if most > 1:
        return f"{most} neurons a core -> about {max(1, most * has // needs)}"
    if layer.axons is None:
        return "a smaller kernel, or fewer channels"
    axons = int(layer.axons.max())
    return f"{axons:,} presynaptic neurons of one neuron -> about {axons * has // needs:,}"


def _line(layer: Layer, chip: Chip, rule: Packing) -> dict[str, str]:
    """Of a population's fullest core, in percent of what there is; "-" where the rule is not known."""

    def share(used: NDArray[np.int64] | None, figure: Figure | None) -> str:
        return "-" if used is None or figure is None else f"{100 * used.max() / figure.value:.2f}"

    tile = layer.tile
    return {
        "population": layer.population,
        "cores": str(layer.cores),
        "neurons a core": str(int(layer.neurons.max())) + (f" ({tile.x} x {tile.y} x {tile.channels})" if tile else ""),
        "axons %": share(layer.axons, chip.axon_words),
        "groups %": "-" if chip.groups is None else f"{100 / chip.groups.value:.2f}",
        "neurons %": share(layer.neurons, chip.neurons),
        "synapses %": share(layer.synapses, rule.synapse_words),
        "axon map %": share(layer.axon_map, chip.axon_map_words),
        "total %": share(layer.total, chip.total_words),
    }


def as_columns(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """A table in plain text, names to the left and figures to the right."""
    if not rows:
        return []
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]}
    first = next(iter(widths))
    lines = [dict(zip(widths, widths, strict=True)), *rows]
    return [
        "  ".join(line[name].ljust(w) if name == first else line[name].rjust(w) for name, w in widths.items()).rstrip()
        for line in lines
    ]
