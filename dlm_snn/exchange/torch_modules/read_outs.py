"""Linear read-outs behind the last neuron, found from what a module returns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import torch

from dlm_snn.exchange.torch_modules.counted import counted
from dlm_snn.exchange.torch_modules.functions import COMPARING, DECIDING, GATHERING
from dlm_snn.exchange.torch_modules.meaning import DATA, Affine, Line, Meaning, Opaque, Term
from dlm_snn.exchange.torch_modules.neurons import tensors
from dlm_snn.exchange.torch_modules.recorder import Recorder
from dlm_snn.exchange.torch_modules.refusals import (
    BEHIND,
    HAND_MADE,
    LEAKY_READ_OUT,
    READ_OUT_STEPS,
    RefusedError,
)

WHERE = "read-out"


def read_outs(output: Any, recorder: Recorder, steps: int, lenient: bool = False) -> list[Line]:
    """The read-outs of a run: what is linear in spikes, with weights, a step each.

    Args:
        output: what the module returned.
        recorder: of the run.
        steps: of the run.
        lenient: whether functions that are not linear, and weights behind them, may take read-outs: they stay outside.

    Raises:
        RefusedError: weights behind what is not linear; sums of unlike steps; a neuron by hand; not one a step.
    """
    roots = [meaning for tensor in tensors(output) if (meaning := recorder.meaning(tensor)) is not None]
    found = _found(roots, recorder, lenient)
    groups: defaultdict[Hashable, list[Affine]] = defaultdict(list)
    lines: list[Line] = []
    for part in sorted(found, key=_latest):
        if not _of_one_step(part):
            lines.append(counted(_name(lines), part, steps))
            told = f"what the module makes is the {lines[-1].total} of its v over the steps"
            recorder.note(f"{lines[-1].name.replace('-', '_')}: {told}")
            continue
        same = groups[_form(part)]
        # What was computed twice is one read-out.
        twice = same and _latest(same[-1]) == _latest(part) and torch.equal(same[-1].constant, part.constant)
        same += [] if twice else [part]
    for parts in groups.values():
        name = _name(lines)
        if len(parts) != steps or [_latest(part) for part in parts] != list(range(steps)):
            raise RefusedError(READ_OUT_STEPS, name, found=len(parts), steps=steps)
        nothing: list[Any] = [None] * steps
        values = [None if part.value is None else part.value.detach().clone() for part in parts]
        lines.append(Line(name, None, list(parts), nothing, list(values), role="read-out"))
    return lines


def _name(lines: Sequence[Line]) -> str:
    return WHERE if not lines else f"{WHERE}_{len(lines) + 1}"


def _found(roots: Sequence[Meaning], recorder: Recorder, lenient: bool) -> list[Affine]:
    """The linear maps of spikes with weights that something was made of."""
    found: list[Affine] = []
    leading: set[int] = set()
    """What read-outs are among the parts of."""
    compared: set[int] = set()
    for meaning in _in_order(roots):
        parts = _parts(meaning)
        if isinstance(meaning, Affine) and not parts and any(map(_weighted, meaning.terms)):
            found.append(meaning)
            leading.add(id(meaning))
        behind = any(id(part) in leading for part in parts)
        leading |= {id(meaning)} if behind else set()
        if not isinstance(meaning, Opaque):
            continue
        known = meaning.function in GATHERING | DECIDING
        again = any(id(part) in compared for part in parts)
        if behind and again and meaning.function in COMPARING:
            raise RefusedError(HAND_MADE, WHERE, name=meaning.function)
        compared |= {id(meaning)} if again or meaning.function in COMPARING else set()
        more = (meaning.inner and not meaning.layers) or (behind and not known)
        if more and not (lenient and behind):
            told = meaning.refusal.why.format(**meaning.values)
            raise RefusedError(BEHIND, WHERE, name=meaning.function, error=told)
        if meaning.function and (not known or meaning.inner):
            recorder.note(f"{meaning.function} stands behind the network: its results are not in it")
    return found


def _in_order(roots: Sequence[Meaning]) -> Iterator[Meaning]:
    """What something was made of, each once, parts first."""
    done: set[int] = set()
    waiting = [(root, False) for root in reversed(roots)]
    while waiting:
        meaning, after = waiting.pop()
        if after:
            yield meaning
        elif id(meaning) not in done:
            done.add(id(meaning))
            waiting.append((meaning, True))
            waiting += [(part, False) for part in reversed(_parts(meaning))]


def _parts(meaning: Meaning) -> tuple[Meaning, ...]:
    """Where read-outs are looked for; a read-out has none."""
    if isinstance(meaning, Opaque):
        return meaning.layers or meaning.parts
    if not isinstance(meaning, Affine) or not any(map(_weighted, meaning.terms)) or _of_one_step(meaning):
        return ()
    if meaning.addends and any(len({scales for _, scales in own}) > 1 for own in _steps(meaning).values()):
        raise RefusedError(LEAKY_READ_OUT, WHERE)
    return meaning.addends


def _of_one_step(meaning: Affine) -> bool:
    return all(len({step for step, _ in own}) == 1 for own in _steps(meaning).values())


def _weighted(term: Term) -> bool:
    return term.port != DATA and any(element.kind == "weighting" for element in term.path)


def _steps(meaning: Affine) -> dict[Hashable, list[tuple[int, Hashable]]]:
    """For each source and its weights, the steps whose spikes are in it, and how they are scaled."""
    found: defaultdict[Hashable, list[tuple[int, Hashable]]] = defaultdict(list)
    for term in meaning.terms:
        if _weighted(term):
            weights = tuple(element.key for element in term.path if element.kind == "weighting")
            scales = tuple(element.key for element in term.path if element.kind == "scaling")
            found[(id(term.source), term.port, weights)].append((term.step, scales))
    return dict(found)


def _latest(meaning: Affine) -> int:
    return max((term.step for term in meaning.terms if term.port != DATA), default=-1)


def _form(meaning: Affine) -> Hashable:
    """What is the same in every step."""
    latest = _latest(meaning)
    return frozenset(
        (
            "data" if term.port == DATA else id(term.source),
            0 if term.port == DATA else latest - term.step,
            tuple(element.key for element in term.path),
        )
        for term in meaning.terms
    )
