"""Shapes that a NIR graph leaves open: axes of samples and steps before an Input's own, one value for all neurons."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from math import prod
from typing import Any

import nir
import numpy as np

from dlm_snn.connections.connection import Connection
from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError
from dlm_snn.exchange.nir import nodes as nir_nodes
from dlm_snn.exchange.nir.neurons import axes_of

Shape = tuple[int, ...]
VALUES_LIMIT = 2**26
"""Values of one node, beyond which a graph is taken for a mistake."""
_DENSE = (nir.Affine, nir.Linear)


class Shapes:
    """What leaves every node of a flat graph.

    An Input's own shape is what the nodes behind it take: as stored, or without leading axes of 1, which exporters
    leave of a batch or of steps. Neurons whose parameters have one value, or leading axes of 1, have the shape that
    reaches them.

    Args:
        nodes: name -> node.
        pre: name -> the nodes before it.
        inputs, neurons: names.
        given: the shape of the one Input, whatever is stored.

    Attributes:
        sent: name -> the shape that leaves it; without nodes that no shape reaches.
        told: what was not taken as it is stored, a line each.

    Raises:
        DlmError: an Input without a shape, or one that nothing behind it takes; a shape given for several Inputs.
    """

    def __init__(
        self,
        nodes: Mapping[str, Any],
        pre: Mapping[str, Sequence[str]],
        inputs: Collection[str],
        neurons: Collection[str],
        given: Shape | None = None,
    ) -> None:
        self.nodes, self.neurons = nodes, frozenset(neurons)
        self.told: list[str] = []
        self.post: dict[str, list[str]] = {name: [] for name in nodes}
        for name, before in pre.items():
            for one in before:
                self.post[one].append(name)
        if given is not None and len(inputs) != 1:
            raise DlmError(f"input_shape is for one Input, it has {', '.join(inputs) or 'none'}; leave input_shape out")
        self.sent: dict[str, Shape] = {}
        for name in inputs:
            stored = _stored(name, nodes[name])
            shape = self._input(name, stored) if given is None else nir_nodes.shape_of(given)
            self.sent[name] = _not_too_large(name, nodes[name], shape)
            if shape != nir_nodes.shape_of(stored):
                why = "without its leading axes of 1" if given is None else "as given"
                self.told.append(f"{name}: shape {shape}, {why}; the file says {stored}")
        self._spread()

    def _input(self, name: str, stored: Shape) -> Shape:
        leading = next((i for i, n in enumerate(stored) if n > 1), len(stored) - 1)
        for axes in (stored[i:] for i in range(leading + 1)):
            if self._taken(name, nir_nodes.shape_of(axes)):
                return nir_nodes.shape_of(axes)
        for axes in (stored[i:] for i in range(leading + 1, len(stored))):
            if self._taken(name, nir_nodes.shape_of(axes)):
                raise DlmError(
                    f"node '{name}' (Input) has the shape {stored}, what follows takes {axes}; where the axes before "
                    f"are samples or steps, give input_shape={axes} (--input-shape {','.join(map(str, axes))})"
                )
        return nir_nodes.shape_of(stored)

    def _taken(self, name: str, shape: Shape) -> bool:
        """Whether every node that a shape reaches takes it."""
        waiting, seen = [(name, shape)], set()
        while waiting:
            at, shape = waiting.pop()
            for post in self.post[at]:
                if (post, shape) in seen:
                    continue
                seen.add((post, shape))
                node = self.nodes[post]
                if post in self.neurons:
                    if prod(axes_of(node)) not in (1, prod(shape)):
                        return False
                    waiting += [(post, shape)] if _is_open(node) else []
                elif isinstance(node, _DENSE):
                    if shape != (np.shape(node.weight)[-1],):
                        return False
                else:
                    try:
                        waiting.append((post, self.passed(post, node, shape)[0]))
                    except DlmError:
                        return False
        return True

    def _spread(self) -> None:
        """From what is known onwards: each node once, by the first shape that reaches it."""
        for name, node in self.nodes.items():
            if name in self.neurons:
                if not _is_open(node):
                    self.sent[name] = nir_nodes.shape_of(axes_of(node))
            elif isinstance(node, _DENSE):
                self.sent[name] = (len(node.weight),)
        waiting = deque(self.sent)
        while waiting:
            name = waiting.popleft()
            for post in self.post[name]:
                if post not in self.sent:
                    self.sent[post] = self._open(post, self.sent[name])
                    waiting.append(post)
        for name in self.neurons - self.sent.keys():
            self.sent[name] = nir_nodes.shape_of(axes_of(self.nodes[name]))

    def _open(self, name: str, shape: Shape) -> Shape:
        """The shape of a node that another one reaches."""
        node = self.nodes[name]
        if name not in self.neurons:
            return self.passed(name, node, shape)[0]
        own = axes_of(node)
        if prod(own) not in (1, prod(shape)):
            return nir_nodes.shape_of(own)
        if prod(own) < prod(shape):
            self.told.append(f"{name}: one value of each parameter, for all {prod(shape)} neurons")
        return shape

    def before(self, name: str, pre: Mapping[str, Sequence[str]]) -> Shape:
        """The shape that reaches a stateless node: along any way, since they must agree."""
        known = [self.sent[one] for one in pre[name] if one in self.sent]
        if not known:
            raise DlmError(f"node '{name}' has no input")
        return known[0]

    def passed(self, name: str, node: Any, shape: Shape) -> tuple[Shape, Connection | None]:
        """The shape behind a stateless node, and its connection where it has one.

        Raises:
            UnsupportedError, DlmError: as ``nodes.linear``; a shape that the node does not take.
        """
        if isinstance(node, nir.Flatten):
            return (prod(shape),), None
        if isinstance(node, (*nir_nodes.PASSING, nir.Delay)):
            return shape, None
        connection = nir_nodes.linear(name, node, shape)
        kind = type(node).__name__
        if isinstance(connection, Dense) and len(shape) != 1:
            raise DlmError(f"node '{name}' ({kind}) behind the shape {shape}; put a Flatten between")
        if connection.n_pre != prod(shape):
            raise DlmError(f"node '{name}' ({kind}) takes {connection.n_pre} values, gets the shape {shape}")
        post = shape if isinstance(node, nir.Scale) else connection.post_shape
        return _not_too_large(name, node, post), connection


def _is_open(neuron: Any) -> bool:
    """Whether the parameters of neurons leave their shape to what reaches them: one value, or axes of 1 before others.

    Three axes are an image, whatever the first is.
    """
    axes = axes_of(neuron)
    return prod(axes) == 1 or (len(axes) not in (1, 3) and axes[0] == 1)


def _stored(name: str, node: nir.Input) -> Shape:
    axes = None if node.input_type is None else node.input_type.get("input")
    if axes is None or not np.size(axes) or np.min(axes) < 1:
        raise DlmError(f"node '{name}' (Input) has the shape {axes}; expected positive numbers")
    return tuple(int(n) for n in np.ravel(axes))


def _not_too_large(name: str, node: Any, shape: Shape) -> Shape:
    if prod(shape) > VALUES_LIMIT:
        raise DlmError(f"node '{name}' ({type(node).__name__}) has the shape {shape}, more than {VALUES_LIMIT} values")
    return shape
