"""Another sample as the stimulus of an imported network: one sample, few steps, any batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlm_snn.exchange.torch_modules.building import Built
from dlm_snn.exchange.torch_modules.calls import mapped
from dlm_snn.exchange.torch_modules.inputs import as_stimulus
from dlm_snn.exchange.torch_modules.neurons import tensors
from dlm_snn.exchange.torch_modules.refusals import ENCODED_OTHERWISE, NEIGHBORS, NO_TENSOR, OTHER_SHAPES, RefusedError
from dlm_snn.exchange.torch_modules.steps import FEWEST

TRIALS = 16
"""Ways to read the axes of a sample that are tried; nearly always there is one."""
Values = dict[str, NDArray[np.float64]]
Shape = tuple[int, ...]


class _Axes(NamedTuple):
    """Of a tensor of a sample; None: it has no such axis."""

    samples: int | None
    steps: int | None


class _Sizes(NamedTuple):
    """Of a run."""

    batch: int
    steps: int


@dataclass(frozen=True, eq=False)
class Encoder:
    """What an imported network gets of another sample.

    The module runs up to its first weights. It needs 2 samples and 3 steps to be read, and may be written for one size
    of batch: where it cannot be read on the sample alone, that is filled up to the size of the import's sample, and
    again to another size with other values. What the network gets of the sample must be the same both times, and the
    network the import's: a forward that computes with the numbers of samples or steps makes another one.

    Attributes:
        record: (sample of tensors) -> its run; raises RefusedError.
        like: the import's run.
        shapes: of the tensors of its sample.
        batch, steps: of its run.
    """

    record: Callable[[Any], Built]
    like: Built
    shapes: Sequence[Shape]
    batch: int
    steps: int

    def __call__(self, sample: Any) -> dict[str, NDArray[np.int64]]:
        """The integers of each Input.

        Args:
            sample: tensors.

        Raises:
            RefusedError: another network; a sample that the module cannot be run on.
            DlmError: values that an Input does not hold.
        """
        return {
            name: as_stimulus(self.like.grids[name].exactly(values, f"'{name}'"))
            for name, values in self._values(sample).items()
        }

    def _values(self, sample: Any) -> Values:
        given = list(tensors(sample))
        if not given:
            raise RefusedError(NO_TENSOR, "the sample", kind=type(sample).__name__)
        shapes = [tuple(tensor.shape) for tensor in given]
        dims = [len(shape) - len(known) for shape, known in zip(shapes, self.shapes, strict=False)]
        first = RefusedError(OTHER_SHAPES, "the sample", found=_told(shapes), known=_told(self.shapes))
        none = any(tensor.numel() == 0 for tensor in given)
        if none or len(given) != len(self.shapes) or (any(dims) and set(dims) != {-1}):
            raise first
        if not any(dims):
            try:
                return self._recorded(sample)
            except RefusedError as error:
                if shapes == list(self.shapes) or error.refusal is ENCODED_OTHERWISE:
                    raise
                first = error
        return self._filled_up(sample, given, first)

    def _recorded(self, sample: Any) -> Values:
        built = self.record(sample)
        if built.structure() != self.like.structure():
            raise RefusedError(ENCODED_OTHERWISE, "the module")
        return dict(built.values)

    # Filling up

    def _filled_up(self, sample: Any, given: Sequence[Tensor], first: RefusedError) -> Values:
        """By the one way to read its axes in which nothing depends on what it was filled up with."""
        found: list[Values] = []
        for axes, whole in islice(self._ways(given), TRIALS):
            try:
                values = self._chunks(sample, whole, axes)
            except RefusedError as error:
                if error.refusal is ENCODED_OTHERWISE:
                    raise
                first = error if error.refusal is NEIGHBORS else first
                continue
            if not any(_equal(values, other) for other in found):
                found.append(values)
        if len(found) != 1:
            raise first
        return found[0]

    def _ways(self, given: Sequence[Tensor]) -> Iterator[tuple[list[_Axes], list[Tensor]]]:
        """The axes of each tensor, and the tensors with an axis of samples where one sample has none."""
        options = [list(self._axes(tensor, known)) for tensor, known in zip(given, self.shapes, strict=True)]
        for way in product(*options):
            axes, whole = [own for own, _ in way], [tensor for _, tensor in way]
            samples = {tensor.shape[own.samples] for own, tensor in way if own.samples is not None}
            steps = {tensor.shape[own.steps] for own, tensor in way if own.steps is not None}
            if len(samples) == 1 and len(steps) <= 1:
                yield axes, whole

    def _axes(self, tensor: Tensor, known: Shape) -> Iterator[tuple[_Axes, Tensor]]:
        for samples in _where(known, self.batch):
            whole = tensor
            if tensor.ndim < len(known):
                if samples is None:
                    continue
                whole = tensor.unsqueeze(samples)
            for steps in _where(known, self.steps, samples):
                others = (axis for axis in range(len(known)) if axis not in (samples, steps))
                if all(whole.shape[axis] == known[axis] for axis in others):
                    yield _Axes(samples, steps), whole

    def _chunks(self, sample: Any, whole: Sequence[Tensor], axes: Sequence[_Axes]) -> Values:
        """Chunk by chunk; each has something beside it, so that what mixes samples is seen."""
        n = _size(whole, [own.samples for own in axes])
        k = _size(whole, [own.steps for own in axes])
        parts: list[Values] = []
        for start in range(0, n, self.batch - 1):
            chunk = range(start, min(start + self.batch - 1, n))

            def filled(sizes: _Sizes, other: bool, chunk: range = chunk) -> Values:
                tensors_of = zip(tensors(sample), whole, axes, strict=True)
                found = {id(tensor): _filled(own, place, chunk, sizes, other) for tensor, own, place in tensors_of}
                values = self._recorded(_replaced(sample, found))
                return {name: own[: len(chunk), : k or None] for name, own in values.items()}

            size = _Sizes(self.batch, max(self.steps, k))
            part = filled(size, other=False)
            if not _equal(part, self._in_another_size(filled, len(chunk), k, size)):
                raise RefusedError(NEIGHBORS, "the module", samples=self.batch, steps=self.steps)
            parts.append(part)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _in_another_size(self, filled: Callable[[_Sizes, bool], Values], count: int, k: int, size: _Sizes) -> Values:
        """A chunk filled up with other values, to another size than the import's where the module takes one."""
        batch = next(own for own in (count + 1, count + 2) if own != self.batch)
        steps = k if k >= FEWEST else size.steps + 1
        for own in (_Sizes(batch, steps), _Sizes(batch, size.steps), _Sizes(size.batch, steps)):
            try:
                return filled(own, True)
            except RefusedError as error:
                if error.refusal is ENCODED_OTHERWISE:
                    raise
        return filled(size, True)


def _replaced(sample: Any, others: Mapping[int, Tensor]) -> Any:
    return mapped(sample, lambda tensor: others[id(tensor)])


def _where(shape: Shape, size: int, taken: int | None = None) -> list[int | None]:
    """The axes of a size; none of them is an axis None."""
    return [axis for axis, own in enumerate(shape) if own == size and axis != taken] or [None]


def _size(whole: Sequence[Tensor], axes: Sequence[int | None]) -> int:
    """Along the axes; 0: no tensor has one."""
    return next((tensor.shape[axis] for tensor, axis in zip(whole, axes, strict=True) if axis is not None), 0)


def _filled(tensor: Tensor, axes: _Axes, samples: range, sizes: _Sizes, other: bool) -> Tensor:
    """Some samples, repeated to a size, and the last step repeated; ``other``: with other values there."""
    batch, steps = sizes
    filling = torch.zeros((), dtype=torch.bool, device="cpu")
    if axes.samples is not None:
        index = [samples[i % len(samples)] for i in range(batch)]
        tensor = tensor.index_select(axes.samples, torch.tensor(index, device="cpu"))
        filling = filling | _behind(tensor, axes.samples, len(samples))
    if axes.steps is not None:
        own = tensor.shape[axes.steps]
        index = [min(i, own - 1) for i in range(steps)]
        tensor = tensor.index_select(axes.steps, torch.tensor(index, device="cpu"))
        filling = filling | _behind(tensor, axes.steps, own)
    return torch.where(filling, _others(tensor), tensor) if other else tensor


def _behind(tensor: Tensor, axis: int, own: int) -> Tensor:
    """Where along an axis a tensor has been filled up."""
    shape = [-1 if i == axis else 1 for i in range(tensor.ndim)]
    return (torch.arange(tensor.shape[axis], device="cpu") >= own).reshape(shape)


def _others(tensor: Tensor) -> Tensor:
    """Values that are others everywhere, and of the same kind."""
    if tensor.is_floating_point():
        return torch.where(tensor == 0, torch.ones_like(tensor), tensor / 2)
    return tensor == 0 if tensor.dtype == torch.bool else (tensor == 0).to(tensor.dtype)


def _equal(one: Values, other: Values) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def _told(shapes: Sequence[Shape]) -> str:
    return " and ".join("(" + ", ".join(map(str, shape)) + ")" for shape in shapes)
