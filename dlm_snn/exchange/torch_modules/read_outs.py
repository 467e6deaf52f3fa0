"""Linear read-outs behind the last neuron, found from what a module returns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from dlm_snn.exchange.torch_modules.counted import counted
from dlm_snn.exchange.torch_modules.functions import DECIDING, GATHERING
from dlm_snn.exchange.torch_modules.meaning import DATA, Affine, Line, Meaning, Opaque, Term
from dlm_snn.exchange.torch_modules.neurons import tensors
from dlm_snn.exchange.torch_modules.recorder import Recorder
from dlm_snn.exchange.torch_modules.refusals import (
    BEHIND,
    LEAKY_READ_OUT,
    READ_OUT_STEPS,
    RefusedError,
)

WHERE = "read-out"


def read_outs(output: Any, recorder: Recorder, steps: int) -> list[Line]:
    """The read-outs of a run: what is linear in spikes, with weights, a step each.

    Args:
        output: what the module returned.
        recorder: of the run.
        steps: of the run.

    Raises:
        RefusedError: weights behind what is not linear, or behind sums over steps; not one a step.
    """
    found: dict[int, Affine] = {}
    done: set[int] = set()
    for tensor in tensors(output):
        meaning = recorder.meaning(tensor)
        if meaning is not None:
            found.update((id(part), part) for part in _walked(meaning, done, recorder))
    groups: defaultdict[Hashable, list[Affine]] = defaultdict(list)
    lines: list[Line] = []
    for part in sorted(found.values(), key=_latest):
        if not _of_one_step(part):
            lines.append(counted(_name(lines), part, steps))
            told = f"what the module makes is the {lines[-1].total} of its v over the steps"
            recorder.note(f"{lines[-1].name.replace('-', '_')}: {told}")
        else:
            groups[_form(part)].append(part)
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


def _walked(meaning: Meaning, done: set[int], recorder: Recorder) -> Iterator[Affine]:
    """The linear maps of spikes with weights that something was made of."""
    if id(meaning) in done:
        return
    done.add(id(meaning))
    if isinstance(meaning, Opaque) and meaning.layers:
        yield from (found for part in meaning.layers for found in _walked(part, done, recorder))
    elif isinstance(meaning, Opaque):
        parts = [found for part in meaning.parts for found in _walked(part, done, recorder)]
        known = meaning.function in GATHERING | DECIDING
        if meaning.inner or (parts and not known):
            raise RefusedError(BEHIND, WHERE, name=meaning.function)
        if not known and meaning.function:
            recorder.note(f"{meaning.function} stands behind the network: its results are not in it")
        yield from parts
    elif isinstance(meaning, Affine):
        if not any(_weighted(term) for term in meaning.terms):
            return
        if _of_one_step(meaning) or not meaning.addends:
            yield meaning
        elif any(len({scales for _, scales in own}) > 1 for own in _steps(meaning).values()):
            raise RefusedError(LEAKY_READ_OUT, WHERE)
        else:
            for part in meaning.addends:
                yield from _walked(part, done, recorder)


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
