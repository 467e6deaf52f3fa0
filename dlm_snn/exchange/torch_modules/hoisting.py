"""Functions that forward applies to all steps at once, taken apart: what step t of a result is made of step t alone.

``current = fc(x)`` before a loop that takes ``current[t]`` is ``fc(x[t])`` within it, and so is ``fc(stack(spikes))``.
Whether it is, is tried: with random values, the function of one step must give that step of the function of all. Then
it is run again on that step alone, and recorded as if forward had done so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from dlm_snn.exchange.torch_modules import functions as known
from dlm_snn.exchange.torch_modules.all_steps import (
    AS_IT_IS,
    NEAR,
    Form,
    Node,
    Pick,
    Source,
    Way,
    changes_of,
    held,
    is_step,
    nodes_of,
    picks,
    piece_of,
    sources_of,
    ways_of,
)
from dlm_snn.exchange.torch_modules.calls import mapped
from dlm_snn.exchange.torch_modules.meaning import Data
from dlm_snn.exchange.torch_modules.neurons import tensors
from dlm_snn.exchange.torch_modules.recorder import Recorder
from dlm_snn.exchange.torch_modules.signatures import by_identity
from dlm_snn.exchange.torch_modules.steps import FEWEST

SORTING = ("max", "min", "topk", "sort", "median", "mode", "kthvalue", "cummax", "cummin")
"""Functions that give values and their places."""
LARGEST = 200
"""Functions between a source and a step."""


class HoistingRecorder(Recorder):
    """A Recorder that takes functions of all steps apart."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._nodes: Any = by_identity()
        self._ways: dict[Any, Way | None] = {}
        self._trials: dict[Node | Source, tuple[dict[int, list[Tensor]], Tensor]] = {}
        self._written: dict[Any, Tensor] = {}
        """What stands in a step since it was taken apart: the values on the grid of the Input."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run a function, and say what its results mean."""
        kwargs = kwargs or {}
        name, in_place = known.name_of(func)
        if self.quiet or name in known.METADATA | known.CREATING | known.RANDOM or kwargs.get("out") is not None:
            return super().__torch_function__(func, types, args, kwargs)
        if in_place:
            return self._in_place(name, func, types, args, kwargs)
        sources = self._sources(name, args, kwargs)
        out = super().__torch_function__(func, types, args, kwargs)
        self._remember(name, func, args, kwargs, sources, out)
        return self._taken_apart(name, args, kwargs, out)

    def _in_place(self, name: str, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        found = {id(tensor): self.node(tensor) for tensor in tensors([args, kwargs])}
        out = super().__torch_function__(func, types, args, kwargs)
        if name != "setitem" and out is args[0] and found[id(out)] is not None:
            args, kwargs = mapped((args, kwargs), lambda tensor: found[id(tensor)] or tensor)
            self._nodes[out] = (Node(name, func, args, kwargs, in_place=True), out._version)
        return out

    # What is known of tensors with all steps

    def _sources(self, name: str, args: Any, kwargs: Any) -> dict[int, Source]:
        """The tensors of the sample that enter weights."""
        if name not in known.WEIGHTED:
            return {}
        given = list(tensors([args, kwargs]))
        return {id(tensor): Source((tensor,)) for tensor in given if isinstance(self.meaning(tensor), Data)}

    def _remember(self, name: str, func: Any, args: Any, kwargs: Any, sources: dict[int, Source], out: Any) -> None:
        pieces = tuple(tensors(args[0] if args else kwargs.get("tensors", ())))
        dim = args[1] if len(args) > 1 else kwargs.get("dim", 0)
        joined = "stack" if name == "stack" else "cat" if name in ("cat", "concat", "concatenate") and dim == 0 else ""
        if joined and self._of_each_step(pieces):
            self._nodes[out] = (Source(pieces, dim, joined), out._version)
            return
        found = {id(tensor): self.node(tensor) or sources.get(id(tensor)) for tensor in tensors([args, kwargs])}
        outputs = list(tensors(out))
        if (len(outputs) == 1 or name in SORTING) and any(found.values()) and id(outputs[0]) not in found:
            args, kwargs = mapped((args, kwargs), lambda tensor: found[id(tensor)] or tensor)
            for number, output in enumerate(outputs):
                own = func if len(outputs) == 1 else _one_of(func, number)
                self._nodes[output] = (Node(name, own, args, kwargs), output._version)

    def _of_each_step(self, pieces: Sequence[Tensor]) -> bool:
        """Whether tensors that are put together are the steps, and not functions of all steps each."""
        nodes = [self.node(piece) for piece in pieces]
        sources = [source for node in nodes if node is not None for source in sources_of(node)]
        found = [self.meaning(source.pieces[0]) for source in sources if not source.joined]
        origins = {meaning.origin for meaning in found if isinstance(meaning, Data)}
        return not sources or (len(pieces) >= FEWEST and len(origins) == len(sources))

    def node(self, tensor: Tensor) -> Node | Source | None:
        """How a tensor with all steps was made; None: it is none, or was changed since."""
        node, version = self._nodes.get(tensor, (None, 0))
        return node if node is not None and version == tensor._version else None

    # One step

    def _taken_apart(self, name: str, args: Any, kwargs: Any, out: Any) -> Any:
        node = self.node(args[0]) if args and isinstance(args[0], Tensor) else None
        if node is None:
            return out
        outputs = list(tensors(out))
        for number, result in enumerate(outputs):
            for pick in picks(name, args, kwargs, number):
                found = self._step(node, pick, result)
                if found is not None:
                    # Into the same memory: what is written into the step later is written into all steps.
                    result.data.copy_(found)
                    self._written[node, pick.axis, pick.step] = result.detach().clone()
                    meaning = self.meaning(found)
                    if meaning is not None:
                        self.tag(result, meaning)
                    self._nodes.pop(result, None)
                    break
        return out

    def unfolded(self, value: Any) -> Any:
        """Nested results of forward, with tensors that hold a read-out of all steps as a list of steps."""
        if isinstance(value, Tensor):
            node = self.node(value)
            return value if node is None else self._unfolded(node) or value
        if isinstance(value, Mapping):
            return {key: self.unfolded(part) for key, part in value.items()}
        return [self.unfolded(part) for part in value] if isinstance(value, (list, tuple)) else value

    def _unfolded(self, node: Any) -> list[Any] | None:
        if not isinstance(node, Node):
            return None
        whole = self._plain(node, {id(source): list(source.pieces) for source in sources_of(node)})
        for axis, count in enumerate(whole.shape[:2]):
            found = []
            for step in range(count):
                found.append(self._step(node, Pick(axis, step, count, None), whole.select(axis, step)))
                if found[-1] is None:
                    break
            if found and found[-1] is not None:
                return found
        parts = [self._unfolded(part) for part in held((node.args, node.kwargs)) if isinstance(part, Node)]
        if not parts or None in parts:
            return None
        if node.name not in known.GATHERING | known.DECIDING:
            self.note(f"{node.name} stands behind the network: its results are not in it")
        return [*parts, *tensors((node.args, node.kwargs))]

    def _step(self, node: Any, pick: Pick, result: Tensor) -> Tensor | None:
        """The step of a result, recorded; None: it is not made of that step alone."""
        sources = sources_of(node)
        if result.ndim < 1 or any(source.stale for source in sources) or len(nodes_of(node)) > LARGEST:
            return None
        key = (node, pick.axis, pick.steps, repr(pick.rest))
        if key not in self._ways:
            ways = (self._solved(node, sources, forms, pick) for forms in ways_of(sources, pick.steps))
            self._ways[key] = next((way for way in ways if way is not None), None)
        way = self._ways[key]
        if way is None or not self._holds(node, sources, way, pick):
            return None
        values = {
            id(source): [piece_of(source, source.pieces, form, pick.step)]
            for source, form in zip(sources, way[0], strict=True)
        }
        plain = self._chosen(self._plain(node, values, way[1], single=True), pick)
        before = self._written.get((node, pick.axis, pick.step))
        same = plain.shape == result.shape and torch.allclose(plain.double(), result.double(), NEAR, NEAR)
        if not same and (before is None or not torch.equal(before, result)):
            return None
        self.batch = len(result)
        recorded = {
            id(source): [self._recorded_piece(source, form, pick.step)]
            for source, form in zip(sources, way[0], strict=True)
        }
        found = self._evaluated(node, recorded, way[1], single=True, run=self._again)
        return found if pick.rest is None else self._again(Tensor.__getitem__, (found, pick.rest), {})

    def _again(self, func: Any, args: Any, kwargs: Any) -> Any:
        return super().__torch_function__(func, (), args, kwargs)

    def _recorded_piece(self, source: Source, form: Form, step: int) -> Tensor:
        if form.kind == "piece":
            return source.pieces[step]
        whole = source.pieces[0]
        return (
            whole if form.kind == "all" else self._again(Tensor.__getitem__, (whole, form.place(step, len(whole))), {})
        )

    def _holds(self, node: Any, sources: Sequence[Source], way: Way, pick: Pick) -> bool:
        """Whether a step of random values gives that step of the result, all steps the same function."""
        values, whole = self._trial(node, sources)
        one = {
            id(source): [piece_of(source, values[id(source)], form, pick.step)]
            for source, form in zip(sources, way[0], strict=True)
        }
        try:
            found = self._chosen(self._plain(node, one, way[1], single=True), pick)
        except Exception:
            # A function that takes all steps alone: this is no way.
            return False
        expected = whole.select(pick.axis, pick.step)
        expected = expected if pick.rest is None else expected[pick.rest]
        return found.shape == expected.shape and torch.allclose(found, expected, NEAR, NEAR)

    def _solved(self, node: Any, sources: Sequence[Source], forms: tuple[Form, ...], pick: Pick) -> Way | None:
        """What functions that put values to other places are for one step: each must give a step of what it gave."""
        values, _ = self._trial(node, sources)
        wholes = {id(source): source.whole(values[id(source)]) for source in sources}
        ones = {
            id(source): piece_of(source, values[id(source)], form, pick.step)
            for source, form in zip(sources, forms, strict=True)
        }
        changes: dict[int, Any] = {}
        for part in reversed(nodes_of(node)):
            if not all(id(own) in ones for own in held((part.args, part.kwargs))):
                return None
            whole = wholes[id(part)] = self._once(part, wholes)
            for change in changes_of(part, tuple(whole.shape), pick.steps):
                try:
                    one = self._once(part, ones, change)
                except Exception:
                    # A function that takes all steps alone: this is no way.
                    continue
                if isinstance(one, Tensor) and is_step(one, whole, pick.step, pick.steps):
                    ones[id(part)] = one
                    break
            else:
                return None
            if change is not AS_IT_IS:
                changes[id(part)] = change
        way = (forms, changes)
        return way if self._holds(node, sources, way, pick) else None

    @staticmethod
    def _once(node: Node, values: Mapping[int, Tensor], change: Any = AS_IT_IS) -> Tensor:
        """A node whose arguments are known."""

        def value(part: Any) -> Any:
            if isinstance(part, (Node, Source)):
                return values[id(part)]
            return type(part)(value(own) for own in part) if type(part) in (list, tuple) else part

        args, kwargs = value(node.args), {key: value(part) for key, part in node.kwargs.items()}
        return node.called(args, kwargs, _plainly, change)

    def _trial(self, node: Any, sources: Sequence[Source]) -> tuple[dict[int, list[Tensor]], Tensor]:
        """Random values, and what a node makes of them."""
        if node not in self._trials:
            generator = torch.Generator(device="cpu").manual_seed(0)
            values = {
                id(source): [
                    torch.randn(piece.shape, dtype=torch.float64, device="cpu", generator=generator)
                    for piece in source.pieces
                ]
                for source in sources
            }
            self._trials[node] = (values, self._plain(node, values))
        return self._trials[node]

    @staticmethod
    def _chosen(value: Tensor, pick: Pick) -> Tensor:
        return value if pick.rest is None else value[pick.rest]

    def _plain(
        self, node: Any, values: Mapping[int, list[Tensor]], changes: Any = MappingProxyType({}), single: bool = False
    ) -> Tensor:
        return self._evaluated(node, values, changes, single, _plainly)

    def _evaluated(self, node: Any, values: Mapping[int, list[Tensor]], changes: Any, single: bool, run: Any) -> Any:
        """A node for other values of its sources."""
        if isinstance(node, Source):
            return values[id(node)][0] if single else node.whole(values[id(node)])

        def value(part: Any) -> Any:
            if isinstance(part, (Node, Source)):
                return self._evaluated(part, values, changes, single, run)
            if isinstance(part, (list, tuple)) and not hasattr(part, "_fields"):
                return type(part)(value(own) for own in part)
            return part

        args, kwargs = value(node.args), {key: value(part) for key, part in node.kwargs.items()}
        return node.called(args, kwargs, run, changes.get(id(node), AS_IT_IS))


def _one_of(func: Any, number: int) -> Any:
    """A function of which one of several results is taken."""

    def one(*args: Any, **kwargs: Any) -> Tensor:
        return list(tensors(func(*args, **kwargs)))[number]

    one.__name__ = func.__name__
    return one


def _plainly(func: Any, args: Any, kwargs: Any) -> Any:
    return func(*args, **kwargs)
