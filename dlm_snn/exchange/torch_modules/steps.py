"""Lines as one step of a loop: that every step does the same, and what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from dlm_snn.exchange.torch_modules.meaning import DATA, SPIKES, Affine, Element, Leaf, Line, Meaning, Opaque, Term
from dlm_snn.exchange.torch_modules.refusals import (
    ANEW,
    FED_BY_STATE,
    FEW_STEPS,
    NO_NEURON,
    NOT_FINITE,
    RESTARTED,
    UNEVEN,
    UNLIKE_CONSTANT,
    UNLIKE_DATA,
    UNLIKE_STEPS,
    RefusedError,
)

FEWEST = 3
"""Steps that show a loop: the first two may lack what comes from earlier ones."""


@dataclass(frozen=True)
class Edge:
    """One way into a population, in every step.

    Attributes:
        source: a line; or the leaves, a step each.
        lag: steps from the source's spikes to their effect.
        path: the linear maps.
    """

    source: Line | tuple[Leaf, ...]
    lag: int
    path: tuple[Element, ...]


def count_steps(lines: Sequence[Line], of_module: Sequence[tuple[nn.Module, Sequence[Line]]]) -> int:
    """The steps of a run, the same for all lines.

    Raises:
        RefusedError: too few, or unlike ones.
    """
    if not lines:
        raise RefusedError(NO_NEURON, "the module")
    for _, own in of_module:
        if len(own) >= FEWEST and all(len(line.entries) == 1 for line in own):
            raise RefusedError(ANEW, own[0].where, calls=len(own))
    steps = max(len(line.entries) for line in lines)
    if steps < FEWEST:
        longest = max(lines, key=lambda line: len(line.entries))
        raise RefusedError(FEW_STEPS, longest.where, calls=steps)
    for line in lines:
        if line.role == "pooling" and len(line.entries) == steps - 1:
            _pool_last_step(line)
        if len(line.entries) != steps:
            _check_restart(line, of_module)
            raise RefusedError(UNEVEN, line.where, calls=len(line.entries), steps=steps)
    return steps


def _check_restart(line: Line, of_module: Sequence[tuple[nn.Module, Sequence[Line]]]) -> None:
    """That a module whose lines share the steps among them is no layer after the other."""
    for module, own in of_module:
        calls = sum(len(part.entries) for part in own)
        others = [len(part.entries) for other, parts in of_module if other is not module for part in parts]
        if line.module is module and len(own) > 1 and calls == max(others, default=calls):
            raise RefusedError(RESTARTED, own[0].where, call=len(own[0].entries), calls=calls)


def _pool_last_step(line: Line) -> None:
    """Spikes of the last step, of which nothing of this run is made."""
    last = line.entries[-1]
    if not isinstance(last, Affine) or line.pooled is None or len(last.terms[0].path) > 1:
        return
    (term,) = last.terms
    source = term.source
    spikes = source.spikes[-1] if isinstance(source, Line) else None
    if isinstance(source, Line) and len(source.entries) == term.step + 2 and spikes is not None:
        line.entries.append(Affine((term._replace(step=term.step + 1),), last.constant))
        line.spikes.append(line.pooled(spikes))
        line.v.append(None)


def check_finite(lines: Sequence[Line], module: nn.Module) -> None:
    """That no layer is fed by NaN or infinity, which a weight makes of 0 too.

    Raises:
        RefusedError: one is, with the parameters that hold such.
    """
    for line in lines:
        entry = line.entries[-1]
        if isinstance(entry, Affine) and not bool(torch.isfinite(entry.constant).all()):
            held = [name for name, value in module.state_dict().items() if not bool(torch.isfinite(value).all())]
            raise RefusedError(NOT_FINITE, line.where, names=f": {', '.join(held)}" if held else "")


def edges_of(line: Line) -> list[Edge]:
    """What feeds a line in every step.

    Raises:
        RefusedError: something that no network does, or that not every step does.
    """
    entries = [_affine(entry, line) for entry in line.entries]
    last = entries[-1]
    final = len(entries) - 1
    leaves = _leaves(entries, line)
    keys = [_key(term, final) for term in last.terms]
    for step, entry in enumerate(entries):
        found = [_key(term, step) for term in entry.terms]
        data = [[key for key in own if key[2] == DATA] for own in (found, keys)]
        if data[0] != data[1] or Counter(found) != Counter(key for key in keys if key[1] <= step):
            raise RefusedError(UNLIKE_STEPS, line.where, step=step)
        if bool(((entry.constant - last.constant).abs() > 1e-12).any()):
            raise RefusedError(UNLIKE_CONSTANT, line.where, step=step)
    edges, inputs = [], iter(leaves)
    for term in last.terms:
        if term.port == DATA:
            edges.append(Edge(next(inputs), 0, term.path))
        elif term.port != SPIKES:
            raise RefusedError(FED_BY_STATE, line.where, source=f"'{term.line.name}'")
        else:
            edges.append(Edge(term.line, final - term.step, term.path))
    return edges


def _affine(entry: Meaning, line: Line) -> Affine:
    if isinstance(entry, Opaque):
        raise entry.error(line.where)
    if not isinstance(entry, Affine):
        raise TypeError(f"{line.where}: an entry is a {type(entry).__name__}")
    return entry


def _key(term: Term, step: int) -> tuple[Hashable, int, int, Hashable]:
    """A term relative to the step that it reaches; leaves of all steps are alike."""
    keys = tuple(element.key for element in term.path)
    if term.port == DATA:
        return ("data", 0, term.port, keys)
    return (id(term.source), step - term.step, term.port, keys)


def _leaves(entries: Sequence[Affine], line: Line) -> list[tuple[Leaf, ...]]:
    """For each data term, in their order, the leaf of each step."""
    of_step = [[term.source for term in entry.terms if isinstance(term.source, Leaf)] for entry in entries]
    for step, leaves in enumerate(of_step):
        if len(leaves) != len(of_step[-1]):
            raise RefusedError(UNLIKE_DATA, line.where, step=step)
    return [tuple(column) for column in zip(*of_step, strict=True)]
