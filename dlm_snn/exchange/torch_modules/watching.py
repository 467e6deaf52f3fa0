"""Neuron modules of a run: each with one line of states is a population."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from dlm_snn.exchange.torch_modules.calls import mapped, widened
from dlm_snn.exchange.torch_modules.meaning import SPIKES, Affine, Constant, Data, Line, Meaning, Opaque, Term
from dlm_snn.exchange.torch_modules.neurons import Table, tables_for, tensors
from dlm_snn.exchange.torch_modules.recorder import Recorder
from dlm_snn.exchange.torch_modules.refusals import (
    CHANGED,
    FOREIGN_STATE,
    GIVEN_PARAMETER,
    HALF_A_STATE,
    HOOKED,
    NO_NEURONS,
    NOT_AT_REST,
    NOT_LINEAR,
    PATCHED,
    STRANGER,
    UNBATCHED,
    UNKNOWN_NEURON,
    UNSEEN_NEURON,
    RefusedError,
)
from dlm_snn.exchange.torch_modules.weighting import matrix

OWN = ("_parameters", "_buffers", "_modules", "training")
MISSING = object()


def contents(module: nn.Module) -> dict[str, Any]:
    """Parameters, buffers and attributes of a module and its parts: tensors with their versions, and numbers."""
    found: dict[str, Any] = {}

    def add(name: str, value: Any) -> None:
        if isinstance(value, Tensor):
            found[name] = (value, value._version)
        elif isinstance(value, Mapping):
            for key, part in value.items():
                add(f"{name}.{key}", part)
        elif isinstance(value, (list, tuple)):
            for number, part in enumerate(value):
                add(f"{name}.{number}", part)
        elif value is None or isinstance(value, (bool, int, float, str)):
            found[name] = value

    for prefix, part in module.named_modules():
        held = {key: value for key, value in vars(part).items() if key not in OWN and "hook" not in key}
        add(prefix, {**part._parameters, **part._buffers, **held})
    return found


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """The names whose tensors or values are not the same."""
    return {name for name in {*before, *after} if not _same(before.get(name, MISSING), after.get(name, MISSING))}


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        alike = one[0] is other[0] or (one[0]._version == one[1] and _one_memory(one[0], other[0]))
        return alike and one[1] == other[1]
    return type(one) is type(other) and one == other


def _one_memory(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are the same values for good, as a tensor and its ``detach()``: with equal versions nobody
    has written into either, since they count their changes together."""
    return (
        one.layout == other.layout == torch.strided
        and one.numel() > 0
        and (one.data_ptr(), one.shape, one.stride(), one.dtype, one.is_conj(), one.is_neg())
        == (other.data_ptr(), other.shape, other.stride(), other.dtype, other.is_conj(), other.is_neg())
    )


class Watch:
    """Hooks on the neuron modules of a model, for one run.

    Args:
        model: the copy that runs.
        tables: of its libraries.
        recorder: of the run.

    Attributes:
        lines: of each module, in the order in which they began.
        order: all lines.
    """

    def __init__(self, model: nn.Module, tables: Sequence[Table], recorder: Recorder) -> None:
        self.recorder = recorder
        self.lines: dict[nn.Module, list[Line]] = {}
        self.order: list[Line] = []
        self.tables = {part: table for part in model.modules() if (table := table_of(part, tables)) is not None}
        self._given = tables
        self.names = {part: name for name, part in model.named_modules()}
        self._hooks: list[Any] = []
        self._calls: list[tuple[Tensor, Meaning | None, list[Tensor], list[Meaning | None], dict[str, Any]]] = []
        self._left: dict[nn.Module, dict[str, Any]] = {}
        self._moving: dict[nn.Module, set[str]] = {}
        for part in self.tables:
            self._check(part)
            self._hooks += [
                part.register_forward_pre_hook(self._enter, with_kwargs=True),
                part.register_forward_hook(self._leave, with_kwargs=True),
            ]

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """Around a run: no neuron is called that is no part of the model, which nobody would watch."""

        def check(part: nn.Module, args: Any) -> None:
            if part in self.names or self.recorder.quiet:
                return
            if table_of(part, [*self._given, *tables_for(part)]) is not None:
                raise self.recorder.refuse(RefusedError(UNSEEN_NEURON, f"a {type(part).__name__}"))

        hook = nn.modules.module.register_module_forward_pre_hook(check)
        try:
            yield
        finally:
            hook.remove()

    def close(self) -> None:
        """Take the hooks away."""
        for hook in self._hooks:
            hook.remove()

    def where(self, module: nn.Module) -> str:
        """A module for messages."""
        return f"layer '{self.names[module] or 'itself'}' ({type(module).__name__})"

    def _check(self, module: nn.Module) -> None:
        if "forward" in vars(module):
            raise RefusedError(PATCHED, self.where(module))
        if any(_hooked(part, part is module) for part in module.modules()):
            raise RefusedError(HOOKED, self.where(module))

    def _enter(self, module: nn.Module, args: Any, kwargs: Any) -> Any:
        recorder = self.recorder
        recorder.quiet += 1
        if recorder.quiet > 1:
            return None
        args, kwargs = self._wide((args, kwargs))
        given = list(tensors([args, kwargs]))
        if type(module) not in self.tables[module].readers:
            known = ", ".join(sorted(kind.__name__ for kind in self.tables[module].readers)) or "a known one"
            error = RefusedError(UNKNOWN_NEURON, self.where(module), kind=type(module).__name__, known=known)
            raise recorder.refuse(error)
        value, *states = given
        meaning = recorder.meaning(value)
        if isinstance(meaning, Data):
            entering, meaning = recorder.leaf(value)
            args, kwargs = mapped((args, kwargs), lambda tensor: entering if tensor is value else tensor)
        if value.ndim == 1 and len(value) == recorder.batch:
            raise recorder.refuse(RefusedError(NO_NEURONS, self.where(module)))
        if value.ndim < 2 or len(value) < 2:
            raise recorder.refuse(RefusedError(UNBATCHED, self.where(module)))
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            if isinstance(recorder.meaning(tensor), Data):
                raise recorder.refuse(RefusedError(GIVEN_PARAMETER, self.where(module), name=name))
        now = contents(module)
        self._unchanged(module, now, bool(states))
        self._calls.append((value, meaning, states, [recorder.meaning(state) for state in states], now))
        return args, kwargs

    def _wide(self, given: Any) -> Any:
        """Float64; what the tensors mean goes with them."""
        wide = widened(given)
        for old, new in zip(tensors(given), tensors(wide), strict=True):
            meaning = self.recorder.meaning(old)
            if new is not old and meaning is not None:
                self.recorder.tag(new, meaning)
        return wide

    def _unchanged(self, module: nn.Module, now: dict[str, Any], given: bool) -> None:
        """Between two calls nobody touches parameters; nor states, where the module keeps them."""
        if module not in self._left:
            return
        changed = differing(self._left[module], now) - (self._moving[module] if given else set())
        if changed:
            what = "state" if changed <= self._moving[module] else f"'{min(changed).lstrip('.')}'"
            raise self.recorder.refuse(RefusedError(CHANGED, self.where(module), what=what))

    def _leave(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        self.recorder.quiet -= 1
        if self.recorder.quiet:
            return None
        value, meaning, states, meanings, before = self._calls.pop()
        self.recorder.quiet += 1
        try:
            return self._recorded(module, value, meaning, states, meanings, before, output)
        except RefusedError as error:
            raise self.recorder.refuse(error) from None
        finally:
            self.recorder.quiet -= 1

    def _recorded(
        self,
        module: nn.Module,
        value: Tensor,
        meaning: Meaning | None,
        states: list[Tensor],
        meanings: list[Meaning | None],
        before: dict[str, Any],
        output: Any,
    ) -> Any:
        after = contents(module)
        first = module not in self._left
        self._moving.setdefault(module, set()).update(differing(before, after))
        self._left[module] = after
        line = self._line(module, states, meanings, before if first else None)
        self.recorder.batch = self.recorder.batch or len(value)
        line.entries.append(self._weighted(module, self._entry(module, value, meaning)))
        output = widened(output)
        returned = self.tables[module].returned(module, output)
        step, line.states = len(line.entries) - 1, len(returned.states)
        for number, tensor in enumerate(tensors(output)):
            self._tag(tensor, Term(line, step, _port(tensor, number, returned.spikes, returned.states)))
        if returned.spikes is not None:
            self._tag(returned.spikes, Term(line, step, SPIKES))
        line.spikes.append(None if returned.spikes is None else returned.spikes.detach().double().clone())
        line.v.append(None if returned.v is None else returned.v.detach().double().clone())
        return output

    def _tag(self, tensor: Tensor, term: Term) -> None:
        zero = torch.zeros(tensor.shape[1:], dtype=torch.float64, device="cpu")
        self.recorder.tag(tensor, Affine((term,), zero))

    def _entry(self, module: nn.Module, value: Tensor, meaning: Meaning | None) -> Meaning:
        """What enters; a constant as one."""
        if isinstance(meaning, (Affine, Opaque)):
            return meaning
        if meaning is None or bool((value != value[:1]).any()):
            raise RefusedError(STRANGER, self.where(module))
        return Affine((), value[0].detach().clone())

    def _weighted(self, module: nn.Module, entry: Meaning) -> Meaning:
        """What enters behind the module's own weights."""
        weight = self.tables[module].weights(module)
        if weight is None or not isinstance(entry, Affine):
            return entry
        if len(entry.shape) != 1:
            return Opaque(NOT_LINEAR, {"name": f"the {type(module).__name__}'s own matrix"}, (entry,))
        return entry.through(matrix(weight))

    def _line(
        self, module: nn.Module, states: list[Tensor], meanings: list[Meaning | None], first: dict[str, Any] | None
    ) -> Line:
        """The population whose states come in; a new one where they begin."""
        where, table = self.where(module), self.tables[module]
        known = [meaning for meaning in meanings if not (meaning is None or isinstance(meaning, Constant))]
        if known:
            taken = self.lines[module][-1].states + table.fed_back(module) if self.lines.get(module) else len(known)
            if len(known) != len(states) or len(known) < taken:
                spikes = ", its spikes too" if table.fed_back(module) else ""
                raise RefusedError(HALF_A_STATE, where, spikes=spikes)
            return self._continued(module, meanings)
        if states:
            if not table.at_rest(module, states):
                raise RefusedError(NOT_AT_REST, where)
            return self._new(module)
        if not table.keeps_state(module):
            return self._new(module)
        if first is not None:
            held = [first[name] for name in self._moving[module] if isinstance(first.get(name), tuple)]
            kept = [tensor for tensor, version in held if tensor._version == version and tensor.is_floating_point()]
            if not table.at_rest(module, kept):
                raise RefusedError(NOT_AT_REST, where)
        return self.lines[module][-1] if self.lines.get(module) else self._new(module)

    def _continued(self, module: nn.Module, meanings: Sequence[Meaning | None]) -> Line:
        """The line that returned these states at its last step."""
        call = sum(len(line.entries) for line in self.lines.get(module, []))
        where = self.where(module)
        odd = next((what for what in (_unlike(meaning, module) for meaning in meanings) if what is not None), None)
        if odd is not None:
            raise RefusedError(FOREIGN_STATE, where, call=call, found=odd)
        terms = [meaning.terms[0] for meaning in meanings if isinstance(meaning, Affine)]
        line, ports = terms[0].source, [term.port for term in terms]
        if not isinstance(line, Line) or any(term.source is not line for term in terms):
            raise RefusedError(FOREIGN_STATE, where, call=call, found="its parts are of two layers")
        if ports != list(range(line.states - len(ports), line.states)):
            raise RefusedError(FOREIGN_STATE, where, call=call, found="its parts are in another order")
        return line

    def _new(self, module: nn.Module) -> Line:
        lines = self.lines.setdefault(module, [])
        name = self.names[module] or type(module).__name__
        line = Line(f"{name}_{len(lines) + 1}" if lines else name, module)
        lines.append(line)
        self.order.append(line)
        return line


def _hooked(part: nn.Module, itself: bool) -> bool:
    """Whether a hook may change what a part gives; torch's own make weights of what they prune."""
    hooks = [*part._forward_hooks.values(), *part._forward_pre_hooks.values()]
    return any(itself or not type(hook).__module__.startswith("torch.") for hook in hooks)


def table_of(module: nn.Module, tables: Sequence[Table]) -> Table | None:
    """The table that reads a module's class, or refuses it by its base class."""
    exact = (table for table in tables if type(module) in table.readers)
    return next(exact, None) or next((table for table in tables if isinstance(module, table.stateful)), None)


def _port(tensor: Tensor, number: int, spikes: Tensor | None, states: Sequence[Tensor]) -> int:
    """``SPIKES``, or which returned state; another returned tensor counts behind the states."""
    if tensor is spikes:
        return SPIKES
    return next((own for own, state in enumerate(states) if state is tensor), len(states) + number)


def _unlike(meaning: Meaning | None, module: nn.Module) -> str | None:
    """Why a state is not what a module returned at its last step."""
    if isinstance(meaning, Opaque):
        return meaning.refusal.why.format_map({"name": meaning.values.get("name", "a function"), **meaning.values})
    if not isinstance(meaning, Affine) or len(meaning.terms) != 1 or bool((meaning.constant != 0).any()):
        return "changed"
    (term,) = meaning.terms
    line = term.source
    if term.path or not isinstance(line, Line) or line.module is not module:
        return "changed, or of another layer"
    return None if term.step == len(line.entries) - 1 else "of an earlier step"
