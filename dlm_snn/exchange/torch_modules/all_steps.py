"""Tensors with all steps: what they were made of, and which part of that one step is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any, NamedTuple

import torch
from torch import Tensor

from dlm_snn.exchange.torch_modules import functions as known

NEAR = 1e-9
"""Of products that are computed for one step and for all."""
TRIED = 64
"""Ways to take a step of all sources that are tried."""
AS_IT_IS, SHIFTED, LEFT_OUT = object(), object(), object()
"""What a function of all steps is for one step: itself; itself with axes that count one less; nothing."""


@dataclass(eq=False)
class Node:
    """A call whose arguments have all steps; those that do are nodes or sources themselves.

    Attributes:
        name, func, args, kwargs: the call.
        in_place: whether it changes its first argument.
    """

    name: str
    func: Any
    args: Any
    kwargs: Any
    in_place: bool = False

    def called(self, args: Any, kwargs: Any, run: Callable[[Any, Any, Any], Any], change: Any) -> Any:
        """The call with other arguments, changed for one step: see ``changes_of``."""
        if change is LEFT_OUT:
            return args[0]
        if isinstance(change, tuple):
            return run(torch.reshape, (args[0], change), {})
        if change is SHIFTED:
            args, kwargs = (args[0], *_shifted(args[1:])), {key: _shifted(value) for key, value in kwargs.items()}
        if self.in_place:
            args = (run(torch.clone, (args[0],), {}), *args[1:])
        return run(self.func, args, kwargs)


@dataclass(eq=False)
class Source:
    """Where all steps come from.

    Attributes:
        pieces: a tensor of the sample, or a tensor for each step.
        dim: along which the tensors were put together.
        joined: "stack" or "cat"; "" for a tensor of the sample.
    """

    pieces: tuple[Tensor, ...]
    dim: int = 0
    joined: str = ""
    versions: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.versions = tuple(piece._version for piece in self.pieces)

    @property
    def stale(self) -> bool:
        """Whether somebody wrote into it since."""
        return self.versions != tuple(piece._version for piece in self.pieces)

    def whole(self, pieces: Sequence[Tensor]) -> Tensor:
        """All steps in one tensor."""
        if not self.joined:
            return pieces[0]
        return (torch.stack if self.joined == "stack" else torch.cat)(list(pieces), self.dim)


class Form(NamedTuple):
    """Where a step is in a source: along an axis ("select"), as a block of its first axis, every n-th of that, the
    source as it is ("all"), or one of its pieces ("piece")."""

    kind: str
    axis: int
    steps: int

    def place(self, step: int, size: int) -> Any:
        """Of the step in a tensor whose first axis has a size."""
        if self.kind == "block":
            n = size // self.steps
            return slice(step * n, (step + 1) * n)
        if self.kind == "every":
            return slice(step, None, self.steps)
        return step if self.axis == 0 else (*[slice(None)] * self.axis, step)


class Pick(NamedTuple):
    """One step of a result."""

    axis: int
    step: int
    steps: int
    rest: Any


Shape = tuple[int, ...]
Way = tuple[tuple[Form, ...], Mapping[int, Any]]
"""Of each source its form; and what nodes, by identity, are changed to."""


def piece_of(source: Source, pieces: Sequence[Tensor], form: Form, step: int) -> Tensor:
    """What one step is made of, of a source with other values."""
    if form.kind == "piece":
        return pieces[step]
    return pieces[0] if form.kind == "all" else pieces[0][form.place(step, len(pieces[0]))]


def picks(name: str, args: Any, kwargs: Any, number: int) -> Iterator[Pick]:
    """Which steps a result may be, of the axes that a call takes away."""
    whole = args[0]
    if name == "select":
        axis, step = args[1] if len(args) > 1 else kwargs["dim"], args[2] if len(args) > 2 else kwargs["index"]
        yield _pick(whole, axis, step)
    elif name == "unbind":
        yield _pick(whole, args[1] if len(args) > 1 else kwargs.get("dim", 0), number)
    elif name == "getitem":
        index = args[1] if isinstance(args[1], tuple) else (args[1],)
        plain = all(part is Ellipsis or type(part) in (int, slice) for part in index)
        if not plain or sum(part is Ellipsis for part in index) > 1:
            return
        if Ellipsis in index:
            place = index.index(Ellipsis)
            index = (*index[:place], *[slice(None)] * (whole.ndim - len(index) + 1), *index[place + 1 :])
        for axis, part in enumerate(index):
            rest = (*index[:axis], *index[axis + 1 :])
            if type(part) is int:
                yield _pick(whole, axis, part, rest if any(own != slice(None) for own in rest) else None)


def _pick(whole: Tensor, axis: int, step: int, rest: Any = None) -> Pick:
    count = whole.shape[axis]
    return Pick(axis % whole.ndim, step % count, count, rest)


def ways_of(sources: Sequence[Source], steps: int) -> Iterator[tuple[Form, ...]]:
    """How a step may be made of its sources."""
    for way in islice(product(*(list(_forms(source, steps)) for source in sources)), TRIED):
        if any(form.kind != "all" for form in way):
            yield way


def is_step(value: Tensor, whole: Tensor, step: int, steps: int) -> bool:
    """Whether a value is one step of another: along an axis, as a block of the first one, or every n-th of it."""
    slices = [whole.select(axis, step) for axis, size in enumerate(whole.shape) if size == steps]
    if whole.ndim and whole.shape[0] > steps and whole.shape[0] % steps == 0:
        n = whole.shape[0] // steps
        slices += [whole[step * n : (step + 1) * n], whole[step::steps]]
    return any(value.shape == own.shape and torch.allclose(value, own, NEAR, NEAR) for own in (*slices, whole))


def changes_of(node: Node, shape: Shape, steps: int) -> Iterator[Any]:
    """What a function may be for one step; one that puts values to other places may be a change of shape, too."""
    yield AS_IT_IS
    yield SHIFTED
    if node.name not in known.ARRANGING:
        return
    for axis, size in enumerate(shape[:2]):
        if size == steps:
            yield (*shape[:axis], *shape[axis + 1 :])
    yield LEFT_OUT


def _shifted(value: Any) -> Any:
    """Axes, which count from the front, without the one of the steps."""
    if isinstance(value, (list, tuple)):
        return type(value)(_shifted(part) for part in value)
    return value - 1 if type(value) is int and value > 0 else value


def _forms(source: Source, count: int) -> Iterator[Form]:
    if source.joined:
        if len(source.pieces) == count:
            yield Form("piece", 0, count)
        return
    shape = source.pieces[0].shape
    for axis, size in enumerate(shape):
        if size == count:
            yield Form("select", axis, count)
    if shape and shape[0] > count and shape[0] % count == 0:
        yield Form("block", 0, count)
        yield Form("every", 0, count)
    yield Form("all", 0, count)


def held(value: Any) -> Iterator[Any]:
    """The nodes and sources in nested arguments."""
    if isinstance(value, (Node, Source)):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from held(part)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from held(part)


def nodes_of(node: Any) -> list[Node]:
    """A node and all that it was made of, each once."""
    return [part for part in _walked(node) if isinstance(part, Node)]


def sources_of(node: Any) -> list[Source]:
    """Where all of it comes from."""
    return [part for part in _walked(node) if isinstance(part, Source)]


def _walked(node: Any) -> list[Any]:
    """A node, and behind it all that it was made of, each behind what was made of it."""
    found: dict[int, Any] = {}

    def walk(part: Any) -> None:
        if id(part) not in found:
            for own in held((part.args, part.kwargs)) if isinstance(part, Node) else ():
                walk(own)
            found[id(part)] = part

    walk(node)
    return list(found.values())[::-1]
