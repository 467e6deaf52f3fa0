"""The end of a learning epoch in NumPy, as ``matrix`` describes it; ``_compiled`` does the same, faster."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.learning.on_chip.limits import ACCUMULATOR, EXPONENT, FRACTION, WIDTH, bits
from dlm_snn.learning.on_chip.rule import Factor, Product
from dlm_snn.learning.on_chip.state import PlasticState
from dlm_snn.physics.membranes.noise import philox

NAME = "plain"
LOWEST, HIGHEST = -(2**ACCUMULATOR) - 1, 2**ACCUMULATOR - 1
Lines = Any
"""Row or column numbers, or slice(None)."""
Block = tuple[str, Lines, Lines, NDArray]
"""Variable, rows, columns, new values."""


def words(lines: NDArray[np.int64], blocks: int, epoch: int, kind: int, key: tuple[int, int]) -> NDArray[np.uint32]:
    """Random words (line, 4 * blocks) of 32 bits by Philox, whose counter is (block, line, epoch, kind)."""
    counter = np.empty((len(lines), blocks, 4), dtype=np.uint32)
    counter[..., 0] = np.arange(blocks)
    counter[..., 1] = lines[:, None]
    counter[..., 2], counter[..., 3] = epoch & 0xFFFFFFFF, kind
    return philox(counter, key).reshape(len(lines), -1)


def sums(weight: NDArray, spikes: NDArray[np.bool_]) -> NDArray:
    """What the spikes send on, (post,): their columns added in order."""
    return weight[:, spikes].sum(axis=1)


def learner(matrix: PlasticState) -> Callable[[], None]:
    """What applies every product of a matrix's rule where its dependency holds, in place."""
    return partial(_learn, matrix)


def _learn(matrix: PlasticState) -> None:
    changed = [block for name, products in matrix.rule.products.items() for block in _blocks(matrix, name, products)]
    for name, rows, columns, new in changed:
        matrix.values[name][rows, columns] = new


def _blocks(matrix: PlasticState, name: str, products: tuple[Product, ...]) -> list[Block]:
    """New values where there are events: of all synapses, or of columns and then of rows, which overwrite them."""
    every = slice(None)
    if any(p.dependency[0] == "u" and matrix.is_due(p.dependency) for p in products):
        return [(name, every, every, _changed(matrix, name, products, every, every))]
    timely = tuple(p for p in products if p.dependency[0] != "u")
    by_column = tuple(p for p in timely if p.dependency == "x0")
    columns, rows = (np.flatnonzero(side.spiked_at) for side in (matrix.pre, matrix.post))
    found: list[Block] = []
    if by_column and len(columns):
        found.append((name, every, columns, _changed(matrix, name, by_column, every, columns)))
    if len(by_column) < len(timely) and len(rows):
        found.append((name, rows, every, _changed(matrix, name, timely, rows, every)))
    return found


def _changed(matrix: PlasticState, name: str, products: tuple[Product, ...], rows: Lines, columns: Lines) -> NDArray:
    old = {variable: values[rows, columns] for variable, values in matrix.values.items()}
    by_row = not isinstance(rows, slice) or isinstance(columns, slice)
    lines = np.arange(matrix.shape[0])[rows] if by_row else columns
    kick, random = matrix.kick(name, 1 - by_row, lines), matrix.random(name, 1 - by_row, lines)
    kick, random = (drawn if by_row or np.ndim(drawn) == 0 else drawn.T for drawn in (kick, random))
    if not matrix.fixed:
        terms = [_real(matrix, product, old, rows, columns) for product in products]
        change = terms[0]
        for term in terms[1:]:
            change = change + term
        return np.clip(old[name] + change + kick, *matrix.limits(name))
    total = old[name] << FRACTION
    for product in products:
        total = np.clip(total + _whole(matrix, product, old, rows, columns), LOWEST, HIGHEST)
    total = total + kick
    up = (total & (2**FRACTION - 1)) > random
    return np.clip((total >> FRACTION) + up, *matrix.limits(name))


def _real(matrix: PlasticState, product: Product, old: dict[str, NDArray], rows: Lines, columns: Lines) -> Any:
    """A product in floats, multiplied from left to right as Lava does."""
    value: Any = product.scale * _spikes(matrix, product.dependency, rows, columns)
    for factor in product.factors:
        value = value * factor_of(matrix, factor, product.dependency, old, rows, columns)
    return value


def _whole(matrix: PlasticState, product: Product, old: dict[str, NDArray], rows: Lines, columns: Lines) -> Any:
    """A product in integers of 15 bits."""
    value: Any = np.int32(product.mantissa) * _spikes(matrix, product.dependency, rows, columns).astype(np.int32)
    for factor in product.factors:
        size = 2 ** WIDTH[factor.name]
        found = np.asarray(factor_of(matrix, factor, product.dependency, old, rows, columns))
        value = value * np.clip(found.astype(np.int32), -size, size - 1)
    surplus = max(bits(product) - ACCUMULATOR, 0)
    return np.clip((value >> surplus) << (product.exponent - EXPONENT[0]), LOWEST, HIGHEST)


def factor_of(
    matrix: PlasticState, factor: Factor, dependency: str, old: dict[str, NDArray], rows: Lines, columns: Lines
) -> Any:
    """The values of a factor, broadcast over (row, column)."""
    if factor.name in old:
        value: Any = old[factor.name]
    elif factor.name in ("x0", "y0"):
        value = _spikes(matrix, factor.name, rows, columns)
    else:
        value = _trace(matrix, factor.name, dependency, rows, columns)
    if factor.constant:
        value = value + factor.constant
    return np.sign(value) if factor.sign else value


def _spikes(matrix: PlasticState, dependency: str, rows: Lines, columns: Lines) -> NDArray:
    if dependency == "x0":
        return matrix.pre.spiked_at[columns][None, :] > 0
    if dependency == "y0":
        return matrix.post.spiked_at[rows][:, None] > 0
    return np.ones((1, 1), dtype=bool)


def _trace(matrix: PlasticState, name: str, dependency: str, rows: Lines, columns: Lines) -> NDArray:
    """A trace at the time of the dependency's spike, broadcast over (row, column)."""
    pre = name[0] == "x"
    own, lines = (matrix.pre, columns) if pre else (matrix.post, rows)
    history = own.history[int(name[1]) - 1]
    if dependency[0] == "u" or len(history) == 2:
        at = history[-1][lines]
    elif dependency[0] == name[0]:
        at = history[own.spiked_at, np.arange(own.n)][lines]
    else:
        times = matrix.post.spiked_at[rows] if pre else matrix.pre.spiked_at[columns]
        return history[times][:, lines] if pre else history[times][:, lines].T
    return at[None, :] if pre else at[:, None]
