"""Weights behind what was added up over all steps, as a read-out of each step, which is then added up.

W mean(s) + b = mean(W s + b), and W sum(s) = sum(W s): of a sum the bias would count in every step.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
import torch
from torch import Tensor

from dlm_snn.connections.connection import Sparse
from dlm_snn.exchange.torch_modules.meaning import DATA, Affine, Element, Line, Meaning, Term
from dlm_snn.exchange.torch_modules.paths import connected
from dlm_snn.exchange.torch_modules.refusals import READ_OUT_BIAS, READ_OUT_COUNTS, RefusedError

NEAR = 1e-12
"""Of factors, as a share."""


def counted(name: str, meaning: Affine, steps: int) -> Line:
    """The read-out of each step whose mean or sum over all steps something is.

    Args:
        name: of the population.
        meaning: linear in the spikes of all steps.
        steps: of the run.

    Raises:
        RefusedError: steps that are missing or unlike; a bias behind a sum.
    """
    terms = list(meaning.terms)
    if any(term.port == DATA for term in terms):
        raise RefusedError(READ_OUT_COUNTS, name)
    mean = False
    if not _every_step(terms, steps):
        folded = [_over_slots(term, steps) for term in terms]
        terms, mean = [term for term, _ in folded], all(own for _, own in folded)
        if not _every_step(terms, steps) or mean != any(own for _, own in folded):
            raise RefusedError(READ_OUT_COUNTS, name)
    if not mean:
        shared = [_without_share(term, steps) for term in terms]
        mean = all(term is not None for term in shared)
        terms = [own or term for own, term in zip(shared, terms, strict=True)] if mean else terms
    if not mean and bool((meaning.constant != 0).any()):
        raise RefusedError(READ_OUT_BIAS, name)
    entries: list[Meaning] = [
        Affine(tuple(term for term in terms if term.step == step), meaning.constant) for step in range(steps)
    ]
    value = None if meaning.value is None else meaning.value.detach().clone()
    nothing: list[Tensor | None] = [None] * steps
    return Line(name, None, entries, nothing, [value], role="read-out", total="mean" if mean else "sum")


def _every_step(terms: Sequence[Term], steps: int) -> bool:
    """Whether all steps are there in the same way."""
    found: defaultdict[Hashable, list[int]] = defaultdict(list)
    for term in terms:
        found[id(term.source), term.port, tuple(element.key for element in term.path)].append(term.step)
    return all(own == sorted(own) and set(own) == set(range(steps)) and not len(own) % steps for own in found.values())


def _without_share(term: Term, steps: int) -> Term | None:
    """Before the weights without the division by the number of steps; None: there is none."""
    for place, element in enumerate(term.path):
        if element.kind == "weighting":
            return None
        if element.factors is not None and torch.allclose(
            element.factors, torch.full_like(element.factors, 1 / steps), NEAR, 0
        ):
            return term._replace(path=(*term.path[:place], *term.path[place + 1 :]))
    return None


def _over_slots(term: Term, steps: int) -> tuple[Term, bool]:
    """Without the axis of steps into which spikes were put, and over which a sum or mean was taken; whether a mean."""
    for place, (first, second) in enumerate(zip(term.path, term.path[1:], strict=False)):
        name = second.key[0] if isinstance(second.key, tuple) else ""
        if first.kind == "arranging" and name in ("sum", "nansum", "mean"):
            merged = _merged(first, second, steps if name == "mean" else 1)
            path = (*term.path[:place], *(() if merged.identity else (merged,)), *term.path[place + 2 :])
            return term._replace(path=path), name == "mean"
    return term, False


def _merged(first: Element, second: Element, factor: int) -> Element:
    """Two linear maps as one, times a factor."""
    whole = connected((first, second), first.entering).sparse()
    weight = np.asarray(whole.weight) * factor
    near = np.rint(weight)
    weight = np.where(np.abs(weight - near) <= NEAR, near, weight)
    kept = np.flatnonzero(weight)
    order = kept[np.lexsort((whole.pre[kept], whole.post[kept]))]
    made = Sparse((whole.n_post, whole.n_pre), whole.post[order], whole.pre[order], weight[order])
    diagonal = made.n_post == made.n_pre == order.size and bool(np.all(made.post == made.pre))
    key = ("over steps", made.n_post, made.n_pre, made.post.tobytes(), made.pre.tobytes(), made.weight.tobytes())

    def push(constant: Tensor) -> Tensor:
        return torch.as_tensor(made.apply(constant.reshape(1, -1).numpy())[0], device="cpu")

    identity = diagonal and bool(np.all(made.weight == 1))
    return Element(key, lambda: made, push, "averaging", identity=identity, entering=first.entering)
