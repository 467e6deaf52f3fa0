"""What every tensor of a run means: a mode that sees each torch function that a module calls."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from dlm_snn.exchange.torch_modules import functions as known
from dlm_snn.exchange.torch_modules.arranging import Arrangements, dropped
from dlm_snn.exchange.torch_modules.blending import Masks, as_stored, binary, blended, of_spikes, scaled
from dlm_snn.exchange.torch_modules.calls import Call, mapped
from dlm_snn.exchange.torch_modules.fronts import affine, into_data, origin, without_values
from dlm_snn.exchange.torch_modules.grid import Grid
from dlm_snn.exchange.torch_modules.layered import layers_of, of_opaque
from dlm_snn.exchange.torch_modules.meaning import DATA, Affine, Constant, Data, Leaf, Meaning, Opaque, Term
from dlm_snn.exchange.torch_modules.neurons import tensors
from dlm_snn.exchange.torch_modules.pooling import Pools
from dlm_snn.exchange.torch_modules.refusals import (
    BY_DATA,
    FRONT_END,
    FUNCTION,
    IN_PLACE,
    LOOKS,
    NARROWED,
    NOISE,
    ROUNDED,
    STALE,
    STRANGER,
    UNKNOWN_CALL,
    RefusedError,
)
from dlm_snn.exchange.torch_modules.signatures import Contents, by_identity, signature
from dlm_snn.exchange.torch_modules.storages import Storages
from dlm_snn.exchange.torch_modules.summing import summed
from dlm_snn.exchange.torch_modules.weighting import Weights

NARROW = (torch.float32, torch.float16, torch.bfloat16)
ENTERING = known.WEIGHTED | known.SUMS | known.DIFFERENCES | known.ARRANGING | known.MASKED | known.BLENDS
"""Functions in which what was made from the sample meets layers or weights."""


@dataclass(frozen=True)
class Allowed:
    """What the user allows.

    Attributes:
        outside: functions that are not affine before the first neuron, whose results are the input.
        branches: looks at values.
    """

    outside: bool = False
    branches: bool = False


class Recorder(TorchFunctionMode):
    """One run of a module.

    Args:
        model: the copy that runs.
        sample: what it gets.
        allowed: by the user.
        grids: of the leaves, in their order, known from a run before: values are snapped to them. None: not yet known.
    """

    def __init__(
        self, model: nn.Module, sample: Any, allowed: Allowed, grids: Sequence[Grid | None] | None = None
    ) -> None:
        super().__init__()
        self.allowed, self.grids = allowed, grids
        self.leaves: list[Leaf] = []
        self.pools = Pools()
        self.notes: list[str] = []
        self.quiet = 0
        """Above 0 inside a neuron, whose functions are its own affair."""
        self.batch: int | None = None
        self.refused: RefusedError | None = None
        self._seen = by_identity()
        self._contents = Contents()
        self._loose = by_identity()
        """What ``.data`` gave: it shares its values with a tensor, and not its version."""
        self._storages = Storages()
        self._unlike = 0
        arrange = Arrangements()
        rules: dict[frozenset[str], Callable[[Call], list[Meaning]]] = {
            known.ARRANGING: arrange,
            known.SUMS | known.DIFFERENCES: summed,
            known.PRODUCTS | known.QUOTIENTS: scaled,
            known.WEIGHTED | known.LINEAR: Weights(),
            known.MAX_POOLS: self.pools,
            known.DROPOUTS: lambda call: dropped(call, arrange),
            known.MASKED: Masks(arrange),
            known.BLENDS: blended,
            known.ELEMENTWISE: of_spikes,
        }
        self._rules = {name: rule for names, rule in rules.items() for name in names}
        for part in model.modules():
            for tensor in tensors([part._parameters, part._buffers, vars(part)]):
                self.tag(tensor, Constant())
        for number, tensor in enumerate(tensors(sample)):
            self.tag(tensor, Data(("sample", number)))

    def tag(self, tensor: Tensor, meaning: Meaning) -> None:
        """Say what a tensor means as it is now."""
        self._seen[tensor] = (meaning, tensor._version)

    def meaning(self, tensor: Tensor) -> Meaning | None:
        """What a tensor means; None: nobody has seen it."""
        meaning, version = self._seen.get(tensor, (None, 0))
        if meaning is not None and version != tensor._version:
            parts = (meaning,) if _of_layers(meaning) else self._storages.parts(tensor)
            if parts:
                return Opaque(STALE, parts=parts)
        if meaning is None and self.batch is not None and tensor.ndim > 1 and tensor.shape[0] == self.batch:
            return Opaque(STRANGER)
        return meaning

    def refuse(self, error: RefusedError) -> RefusedError:
        """Remember a refusal, which a forward may catch."""
        self.refused = self.refused or error
        return error

    def note(self, text: str) -> None:
        """Tell something in the proof."""
        if text not in self.notes:
            self.notes.append(text)

    def leaf(self, tensor: Tensor) -> tuple[Tensor, Affine]:
        """What was made from the sample alone, where it enters a layer: as an Input carries it, and its meaning."""
        data = self._seen[tensor][0]
        if data.leaf is None or data.version != tensor._version:
            if (error := without_values(tensor)) is not None:
                raise self.refuse(error)
            data.leaf, data.version = Leaf(tensor.detach().double().clone(), data.origin), tensor._version
            grids = self.grids or ()
            grid = grids[len(self.leaves)] if len(self.leaves) < len(grids) else None
            if grid is not None:
                data.leaf.snapped = torch.as_tensor(grid.snapped(data.leaf.values.numpy()), device="cpu")
            self.leaves.append(data.leaf)
        value = data.leaf.values if data.leaf.snapped is None else data.leaf.snapped
        self.batch = self.batch or len(value)
        constant = torch.zeros(value.shape[1:], dtype=torch.float64, device="cpu")
        return value.clone(), Affine((Term(data.leaf, -1, DATA),), constant)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run a function, and say what its results mean."""
        kwargs = kwargs or {}
        name, in_place = known.name_of(func)
        if self.quiet or (name in known.METADATA and not in_place):
            return func(*args, **kwargs)
        for target in tensors([args[0] if in_place and args else None, kwargs.get("out")]):
            base = target._base
            if name == "set" or target in self._loose or (base is not None and base in self._loose):
                raise self.refuse(RefusedError(BY_DATA, "the module", name=name))
        args, kwargs = self._widened(args, kwargs, in_place)
        meanings = {id(tensor): self.meaning(tensor) for tensor in tensors([args, kwargs])}
        if name in known.CASTS or (name in known.WHOLE and not isinstance(meanings[id(args[0])], Data)):
            return self._cast(name, func, args, kwargs, meanings[id(args[0])])
        if name in known.CREATING:
            return self._constant(func(*args, **kwargs))
        if name in known.RANDOM:
            return self._random(name, func(*args, **kwargs), tuple(filter(_of_layers, meanings.values())))
        if all(meaning is None or isinstance(meaning, Constant) for meaning in meanings.values()):
            return self._constant(self._called(name, func, args, kwargs))
        layers = any(map(_of_layers, meanings.values()))
        if name in ENTERING and (layers or name in known.WEIGHTED) and not into_data(in_place, args, kwargs, meanings):
            args, kwargs = self._entered(args, kwargs, meanings, name in known.BY_PLACE)
        before = self._tracked(args, kwargs, meanings)
        for _, meaning in before:
            if in_place and isinstance(meaning, Affine) and meaning.value is not None:
                meaning.value = meaning.value.clone()
        called = args
        if in_place and args and isinstance(args[0], Tensor) and all(tensor is not args[0] for tensor, _ in before):
            called = (args[0].clone(), *args[1:])
        out = self._called(name, func, args, kwargs)
        whole = name not in ("setitem", "set") and kwargs.get("out") is None
        target = kwargs.get("out", args[0] if args else None)
        if layers and (in_place or not whole):
            self._storages.write(target, tuple(meaning for _, meaning in before if _of_layers(meaning)))
        if not whole:
            parts = tuple(meaning for _, meaning in before)
            self.tag(target, Opaque(IN_PLACE, {"name": name}, parts, function=name) if layers else self._changed())
            return out
        outputs = list(tensors(out))
        if not outputs:
            # What cannot be compared, as with None, and parts of what has none tell no value.
            if out is not NotImplemented and name not in known.ARRANGING:
                self._looked(name)
            return out
        for tensor, meaning in zip(outputs, self._result(name, func, called, kwargs, before, outputs), strict=True):
            self.tag(tensor, meaning)
        return out

    def _called(self, name: str, func: Any, args: Any, kwargs: Any) -> Any:
        out = func(*args, **kwargs)
        if name == "data":
            self._loose[out] = True
        return out

    # What comes in

    def _widened(self, args: Any, kwargs: Any, in_place: bool) -> tuple[Any, Any]:
        """Float64 throughout; what an in-place function changes stays itself."""

        def widen(tensor: Tensor) -> Tensor:
            if tensor.dtype not in NARROW or (in_place and tensor is args[0]):
                return tensor
            wide, found = tensor.double(), self._seen.get(tensor)
            if found is not None:
                meaning = found[0] if found[1] == tensor._version else self.meaning(tensor)
                changed = meaning is found[0] and found[1] != tensor._version and isinstance(meaning, Data)
                self._seen[wide] = (self._changed() if changed else meaning, wide._version)
            return wide

        return mapped((args, kwargs), widen)

    def _entered(self, args: Any, kwargs: Any, meanings: dict[int, Meaning | None], by_place: bool) -> tuple[Any, Any]:
        """The sample's tensors as an Input carries them; ``by_place``: those of integers are places, and stay."""
        found: dict[int, Tensor] = {}

        def enter(tensor: Tensor) -> Tensor:
            if not isinstance(meanings[id(tensor)], Data) or (by_place and not tensor.is_floating_point()):
                return tensor
            if id(tensor) not in found:
                value, meaning = self.leaf(tensor)
                found[id(tensor)], meanings[id(value)] = value, meaning
            return found[id(tensor)]

        return mapped((args, kwargs), enter)

    @staticmethod
    def _tracked(args: Any, kwargs: Any, meanings: dict[int, Meaning | None]) -> list[tuple[Tensor, Any]]:
        """The tensors that depend on the sample, each once."""
        unique = {id(tensor): tensor for tensor in tensors([args, kwargs])}
        found = [(tensor, meanings[own]) for own, tensor in unique.items()]
        return [(tensor, meaning) for tensor, meaning in found if isinstance(meaning, (Affine, Data, Opaque))]

    # What comes out

    def _constant(self, out: Any) -> Any:
        for tensor in tensors(out):
            self.tag(tensor, Constant())
        return out

    def _random(self, name: str, out: Any, layers: tuple[Any, ...]) -> Any:
        """Numbers that are drawn: an input where the user allows it, else nothing that a network has."""
        free = self.allowed.outside and not layers
        for tensor in tensors(out):
            self.tag(tensor, self._changed() if free else Opaque(NOISE, {"name": name}, layers))
        if free:
            self.note(f"{name} draws numbers: the input has what was drawn")
        return out

    def _changed(self) -> Data:
        """Of the sample alone, by a way that is like no other."""
        self._unlike += 1
        return Data(("changed", self._unlike))

    def _cast(self, name: str, func: Any, args: Any, kwargs: Any, meaning: Meaning | None) -> Any:
        """Every float is a float64, on the CPU; less than float32 rounds all but spikes."""
        (tensor, *more) = args
        if name == "type" and not more and not kwargs:
            return func(tensor)
        out = tensor if name in ("cpu", "cuda") else func(*args, **kwargs)
        rounds = out.dtype in known.HALVES
        if out.is_floating_point():
            out = out.double() if rounds and not _of_layers(meaning) else tensor.double()
        if rounds and isinstance(meaning, Affine) and not binary(meaning):
            out, meaning = tensor.clone(), Opaque(NARROWED, {"name": name}, (meaning,), function=name)
        if meaning is None or out is tensor:
            return out
        if isinstance(meaning, Affine) and not out.is_floating_point() and not binary(meaning):
            meaning = Opaque(FUNCTION, {"name": name}, (meaning,))
        elif isinstance(meaning, Data):
            meaning = Data((name, str(out.dtype), meaning.origin))
        self.tag(out, meaning)
        return out

    def _looked(self, name: str) -> None:
        """A function that gives no tensor told a value."""
        name = name.strip("_")
        if not self.allowed.branches:
            raise self.refuse(RefusedError(LOOKS, "the module", name=name))
        self.note(f"forward looks at values ({name}): what was taken is the way of this sample")

    def _result(
        self, name: str, func: Any, args: Any, kwargs: Any, before: list[tuple[Tensor, Any]], outputs: list[Tensor]
    ) -> list[Meaning]:
        parts = tuple(meaning for _, meaning in before)
        if any(isinstance(part, Opaque) for part in parts):
            return of_opaque(name, func, args, kwargs, before, outputs, self._result)
        order = {id(tensor): number for number, (tensor, _) in enumerate(before)}

        def sign(tensor: Tensor) -> Hashable:
            if id(tensor) in order:
                return ("value", order[id(tensor)], tuple(tensor.shape))
            return self._contents.digest(tensor)

        called = signature((args, kwargs), sign)
        if all(isinstance(part, Data) for part in parts):
            if affine(name, func, args, kwargs, len(parts) > 1, self.meaning):
                return [Data(origin(name, parts, called, index)) for index in range(len(outputs))]
            return [self._in_front(name, parts, called, index, Opaque(FRONT_END)) for index in range(len(outputs))]
        rule = None if any(isinstance(part, Data) for part in parts) else self._rules.get(name)
        call = Call(name, func, args, kwargs, before, outputs, called)
        try:
            other = ROUNDED if name in known.ROUNDING else FUNCTION
            if any(out.dtype in known.HALVES for out in outputs):
                rule, other = None, NARROWED
            found = call.opaque(other) if rule is None else rule(call)
        except Exception as error:
            by_spikes = name in known.BY_PLACE and any(tensor.dtype == torch.int64 for tensor, _ in before)
            told = {} if by_spikes else {"error": f"{type(error).__name__}: {error}"}
            found = call.opaque(FUNCTION if by_spikes else UNKNOWN_CALL, **told)
        if not all(
            as_stored(name, own, out, known.COUNTING | known.ELEMENTWISE)
            for own, out in zip(found, outputs, strict=True)
        ):
            found = call.opaque(FUNCTION)
        for meaning in found:
            if isinstance(meaning, Opaque):
                meaning.function, meaning.layers = name, layers_of(name, args, kwargs, before)
        front = all(isinstance(part, Data) or part.only_data for part in parts)
        if front and any(isinstance(meaning, Opaque) for meaning in found):
            return [self._in_front(name, parts, called, index, own) for index, own in enumerate(found)]
        for tensor, meaning in zip(outputs, found, strict=True):
            if isinstance(meaning, Affine) and any(term.path for term in meaning.terms):
                meaning.value = tensor
        return found

    def _in_front(self, name: str, parts: tuple[Any, ...], called: Hashable, index: int, found: Any) -> Meaning:
        """Not affine, before the first neuron: the input, where the user allows it."""
        if self.allowed.outside:
            self.note(f"{name} stands before the network: its results are the input")
            return Data(origin(name, parts, called, index))
        if found.refusal not in (FUNCTION, ROUNDED, FRONT_END):
            return found
        return Opaque(FRONT_END, {"name": name}, parts)


def _of_layers(meaning: Meaning | None) -> bool:
    return isinstance(meaning, (Affine, Opaque))
