"""``from_lava``, for use as a library: the Processes of a graph become populations and projections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from dlm_snn.connections.connection import Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError
from dlm_snn.files.names import identifiers
from dlm_snn.neurons.models import spikes
from lava_processes.graph_in.cells import Layout, cells
from lava_processes.graph_in.naming import named
from lava_processes.graph_in.sources import Feed, feed
from lava_processes.graph_in.stock import Arithmetic, Role, arithmetic_of, role_of
from lava_processes.graph_in.synapses import Synapses, synapses
from lava_processes.graph_in.taken import FromLava, Place
from lava_processes.graph_in.walk import Places, Way, called, processes_of, refuse, ways_into
from lava_processes.graph_in.windows import Edge, check_sums, settle


def from_lava(process: Any, run_cfg: Any, names: Mapping[Any, str] | None = None) -> FromLava:
    """Network or IntegerNetwork that computes what a graph of stock Lava processes computes, spike for spike.

    LIF, LIFReset and LIFRefractory become populations; Dense, DelayDense, Sparse, DelaySparse and Conv projections;
    a source RingBuffer an Input, binary or graded as ``num_message_bits`` of what stands behind it says. Sinks and
    Monitors are left out. Nothing runs, and the graph stays as it is.

    Time: the data of an Input's step k are sent in Lava's step k + 1. A population's window opens in Lava's step
    ``first[name]``, and its step k is Lava's step first[name] + k. As each connection takes a step, that is
    depth + 1 where all rest until events arrive. Where a LIF has a bias, or u or v of its own at the start, behind an
    Input, its window opens in Lava's step 1: all projections of Inputs then have one more step of delay, and a synapse
    of weight 0 from an Input gives that population the depth 1.

    Args:
        process: any Process of the graph, or several, for a graph in parts; before its first run.
        run_cfg: with which it would run: Loihi1SimCfg or Loihi2SimCfg, its select_tag "floating_pt" (a Network) or
            "fixed_pt" (an IntegerNetwork).
        names: Process -> name of its population; else the name that the Process was given, or what it is.

    Returns:
        The FromLava: network, what the RingBuffers hold as its stimulus, and what leads back to Lava's steps.

    Raises:
        UnsupportedError: what is not taken, by name, with a remedy.
        DlmError: a parameter outside the range of ours, with the Process's name.
    """
    parts = processes_of(process)
    by: dict[Role, list[Any]] = {"cells": [], "synapses": [], "line": [], "source": [], "sink": []}
    for part in parts:
        by[role_of(part)].append(part)
    if not by["cells"]:
        raise DlmError(f"the graph of {called(parts[0])} has no LIF; connect the Processes, or give all of its parts")
    computing = [part for role, several in by.items() if role != "sink" for part in several]
    return _Reader(by, arithmetic_of(computing, run_cfg), names or {}).taken()


class _Reader:
    """One graph on its way."""

    def __init__(self, by: Mapping[Role, list[Any]], arithmetic: Arithmetic, names: Mapping[Any, str]) -> None:
        self.arithmetic, self.neurons = arithmetic, by["cells"]
        self.lines = {part: part.proc_params["steps"] for part in by["line"]}
        self.connections = set(by["synapses"])
        self.reached = {part: ways_into(part.a_in) for part in self.neurons}
        used = {way.source for ways in self.reached.values() for way in ways}
        self.between = {part: synapses(part, arithmetic) for part in by["synapses"] if part in used}
        self.into = {part: self._source(part) for part in self.between}
        self.names = named([*by["source"], *self.neurons], names)
        self.layouts = {part: self._layout(part) for part in (*by["source"], *self.neurons)}
        self.feeds = self._feeds(by["source"])

    def taken(self) -> FromLava:
        """The whole."""
        read = {self.names[part]: cells(part, self.arithmetic, self.layouts[part]) for part in self.neurons}
        ways = [(way, part) for part in self.neurons for way in self.reached[part]]
        ways.sort(key=lambda pair: pair[0].source.id)
        edges = [edge for way, part in ways for edge in self._edges(way, part)]
        # A read-out sends nothing, whatever it is wired to.
        edges = [edge for edge in edges if edge.pre not in read or spikes(read[edge.pre].neuron)]
        feeds = dict(self.feeds.values())
        settled = settle({name: fed.population for name, fed in feeds.items()}, read, edges, self.arithmetic)
        places = {self.names[part]: Place(part.name, part.v.shape, self.layouts[part].order) for part in self.neurons}
        return FromLava(settled.network, settled.first, settled.state, places, feeds, settled.before)

    def _source(self, part: Any) -> Way:
        """What sends into a connection, or a line in front of one."""
        ways = ways_into(part.s_in)
        if len(ways) != 1:
            thing = f"{called(part)}, whose s_in has {len(ways) or 'no'} sources"
            refuse(thing, "give it exactly one: a connection for each source, or a RingBuffer")
        if ways[0].source in self.connections:
            refuse(f"{called(ways[0].source)} straight into {called(part)}", "put neurons between them")
        if ways[0].source not in self.lines:
            return ways[0]
        before = self._source(ways[0].source)
        steps = self.lines[ways[0].source]
        return Way(before.source, before.places[ways[0].places], before.steps + steps)

    def _layout(self, part: Any) -> Layout:
        """Channels first where a convolution is joined to it, as Lava's shape is else."""
        before = [(self.between[way.source], way) for way in self.reached.get(part, ()) if way.source in self.between]
        for found, way in before:
            if isinstance(found.connection, Conv2d):
                return Layout(found.connection.post_shape, _inverse(way.places)[found.post])
        for process, way in self.into.items():
            found = self.between[process]
            if way.source is part and isinstance(found.connection, Conv2d):
                return Layout(found.connection.pre_shape, way.places[found.pre])
        size = part.s_out.size
        return Layout((size,), np.arange(size))

    def _feeds(self, sources: list[Any]) -> dict[tuple[Any, bool], tuple[str, Feed]]:
        """(RingBuffer, whether its events are graded) -> name and Feed of an Input."""
        widths: dict[tuple[Any, bool], int] = {}
        for process, way in self.into.items():
            bits = self.between[process].message_bits
            if way.source in sources:
                widths[way.source, bits > 0] = max(bits, widths.get((way.source, bits > 0), 0))
        direct = [way.source for ways in self.reached.values() for way in ways if way.source in sources]
        widths |= {(source, True): max(1, widths.get((source, True), 0)) for source in direct}
        found = {}
        for (source, graded), bits in sorted(widths.items(), key=lambda item: (item[0][0].id, item[0][1])):
            name = self.names[source]
            if graded and (source, False) in widths:
                name = identifiers([f"{name}_graded"], self.names.values())[f"{name}_graded"]
            fed = feed(source, self.arithmetic, self.layouts[source], bits if graded else None)
            found[source, graded] = (name, fed)
        return found

    def _edges(self, way: Way, post: Any) -> list[Edge]:
        """One way into neurons, from neurons or an Input."""
        into = way.places[self.layouts[post].order]
        if way.source in self.neurons or way.source in self.lines:
            refuse(f"{called(way.source)} straight into {called(post)}", "put a connection between them")
        if way.source not in self.between:
            return [self._direct(way.source, self.names[post], into)]
        found, come = self.between[way.source], self.into[way.source]
        out_of = _inverse(come.places)[self.layouts[come.source].order]
        pre, fed = self.feeds.get((come.source, found.message_bits > 0), (self.names[come.source], None))
        edge = _placed(pre, self.names[post], found, _inverse(found.post)[into], _inverse(found.pre)[out_of])
        edge = replace(edge, delay=edge.delay + come.steps)
        if self.arithmetic == "integer":
            most = 1 if fed is None else int(np.abs(fed.values).max(initial=0))
            check_sums(edge, most, found.most, called(way.source))
            return _by_sign(edge)
        return [edge]

    def _direct(self, source: Any, post: str, into: Places) -> Edge:
        """A RingBuffer at the neurons themselves: its values are the drive of the same step."""
        n, integer = source.s_out.size, self.arithmetic == "integer"
        order = _inverse(self.layouts[source].order)[into]
        one = Sparse((n, n), np.arange(n), order, np.ones(n, np.int64 if integer else np.float64))
        return Edge(self.feeds[source, True][0], post, one, 0, {"sign_mode": "excitatory"} if integer else {})


def _placed(pre: str, post: str, found: Synapses, rows: Places, columns: Places) -> Edge:
    """A connection between populations: neuron i is value rows[i] of it, or columns[i]."""
    connection, delay = found.connection, found.delay
    if np.array_equal(rows, np.arange(len(rows))) and np.array_equal(columns, np.arange(len(columns))):
        return Edge(pre, post, connection, delay, found.form)
    if isinstance(connection, Dense):
        turned = np.ix_(rows, columns)
        delay = delay[turned] if isinstance(delay, np.ndarray) else delay
        return Edge(pre, post, Dense(connection.weight[turned]), delay, found.form)
    listed = connection.sparse()
    posts, pres = _inverse(rows)[listed.post], _inverse(columns)[listed.pre]
    order = np.lexsort((pres, posts))
    delay = delay[order] if isinstance(delay, np.ndarray) else delay
    return Edge(pre, post, Sparse(listed.shape, posts[order], pres[order], listed.weight[order]), delay, found.form)


def _by_sign(edge: Edge) -> list[Edge]:
    """A convolution that became a list of synapses has odd weights, which a list holds with one sign only."""
    listed, odd = edge.connection, isinstance(edge.connection, Sparse) and "weight_exp" not in edge.form
    if not odd or edge.form.get("sign_mode") != "mixed":
        return [edge]
    signs = (("excitatory", listed.weight > 0), ("inhibitory", listed.weight < 0))
    return [replace(edge, connection=listed.masked(keep), form={"sign_mode": mode}) for mode, keep in signs]


def _inverse(places: Places) -> Places:
    return np.argsort(places)
