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
from dlm_snn.exchange.torch_modules.refusals import ENCODED_OTHERWISE, NEIGHBORS, OTHER_SHAPES, RefusedError

TRIALS = 16
"""Ways to read the axes of a sample that are tried; nearly always there is one."""
Values = dict[str, NDArray[np.float64]]
Shape = tuple[int, ...]


class _Axes(NamedTuple):
    """Of a tensor of a sample; None: it has no such axis."""

    samples: int | None
    steps: int | None


@dataclass(frozen=True, eq=False)
class Encoder:
    """What an imported network gets of another sample.

    The module runs up to its first weights. It needs 2 samples and 3 steps to be read, and may be written for one size
    of batch: where it cannot be run on the sample alone, that is filled up to the size of the import's sample, twice
    and differently, and what the network gets of the sample must be the same both times.

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
                if shapes == list(self.shapes):
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
        size = self.batch - 1
        parts: list[Values] = []
        for start in range(0, n, size):
            count = min(size, n - start)
            both = []
            for other in (False, True):
                filled = {
                    id(tensor): _filled(
                        own, place, range(start, start + count), (self.batch, max(self.steps, k)), other
                    )
                    for tensor, own, place in zip(tensors(sample), whole, axes, strict=True)
                }
                values = self._recorded(_replaced(sample, filled))
                both.append({name: own[:count, : k or None] for name, own in values.items()})
            if not _equal(*both):
                size_told = {"samples": self.batch, "steps": self.steps}
                raise RefusedError(NEIGHBORS, "the module", **size_told)
            parts.append(both[0])
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _replaced(sample: Any, others: Mapping[int, Tensor]) -> Any:
    return mapped(sample, lambda tensor: others[id(tensor)])


def _where(shape: Shape, size: int, taken: int | None = None) -> list[int | None]:
    """The axes of a size; none of them is an axis None."""
    return [axis for axis, own in enumerate(shape) if own == size and axis != taken] or [None]


def _size(whole: Sequence[Tensor], axes: Sequence[int | None]) -> int:
    """Along the axes; 0: no tensor has one."""
    return next((tensor.shape[axis] for tensor, axis in zip(whole, axes, strict=True) if axis is not None), 0)


def _filled(tensor: Tensor, axes: _Axes, samples: range, sizes: tuple[int, int], other: bool) -> Tensor:
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
