"""What ``_plain`` does, compiled by numba for the rules that are met most: one pass over synapses with events.

A product is taken apart into a number a column, a number a row, and factors of the synapse's own variables. Traces of
the other side have one time only where an epoch is one step. Floats, whose order of operations counts, are compiled
for a + b (w + constant) alone. What does not fit, and a temperature, is left to ``_plain``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.learning.on_chip import _plain
from dlm_snn.learning.on_chip._kernels import add_lines, philox_words, update_fixed, update_float
from dlm_snn.learning.on_chip.limits import ACCUMULATOR, EXPONENT, WIDTH, bits
from dlm_snn.learning.on_chip.rule import Product
from dlm_snn.learning.on_chip.state import PlasticState

NAME = "compiled"
_VARIABLES = ("w", "d", "t")
_EVERY, _NONE = slice(None), np.arange(0)


def words(lines: NDArray[np.int64], blocks: int, epoch: int, kind: int, key: tuple[int, int]) -> NDArray[np.uint32]:
    """Random words (line, 4 * blocks) of 32 bits by Philox, whose counter is (block, line, epoch, kind)."""
    found = np.empty((len(lines), 4 * blocks), dtype=np.uint32)
    philox_words(found, lines, epoch & 0xFFFFFFFF, kind, np.uint32(key[0]), np.uint32(key[1]))
    return found


def sums(weight: NDArray, spikes: NDArray[np.bool_]) -> NDArray:
    """What the spikes send on, (post,): their columns added in order."""
    total = np.zeros(len(weight), dtype=np.float64 if weight.dtype == np.float64 else np.int64)
    add_lines(total, weight.T, spikes.nonzero()[0])
    return total


def learner(matrix: PlasticState) -> Callable[[], None]:
    """What applies every product of a matrix's rule where its dependency holds, in place."""
    several = len(matrix.rule.products) > 1
    fits = (_fits(name, p, matrix, several) for name, p in matrix.rule.products.items())
    return _Learner(matrix) if not matrix.temperature and all(fits) else _plain.learner(matrix)


def _fits(name: str, products: tuple[Product, ...], matrix: PlasticState, several: bool) -> bool:
    """Whether a sum can be taken apart."""
    for p in products:
        timed = [f.name[0] for f in p.factors if f.name[0] in "xy" and f.name[1] != "0"]
        if matrix.rule.t_epoch > 1 and p.dependency[0] != "u" and any(side != p.dependency[0] for side in timed):
            return False
    if matrix.fixed:
        return True
    own = [[f for f in p.factors if f.name in _VARIABLES] for p in products]
    plain = all(not found or (len(found) == 1 and found[0].name == name and not found[0].sign) for found in own)
    counts = [bool(found) for found in own]
    return plain and not several and counts.count(True) <= 1 >= counts.count(False) and all(map(_in_order, products))


def _in_order(product: Product) -> bool:
    """Whether the factors of one side come first, then one of the other, then the synapse's own: (a b ..) c w."""
    sides = [f.name[0] for f in product.factors if f.name not in _VARIABLES]
    own_last = all(f.name in _VARIABLES for f in product.factors[len(sides) :])
    return own_last and (len(set(sides[:-1])) <= 1)


class _Part:
    """Some products of a sum, and their tables.

    Attributes:
        terms: a product: surplus bits, exponent + 7, first own factor, last.
        own: a factor of the synapse's own variables: variable, constant, sign, size.
        places: for floats, whether each product has an own factor; constant: that factor's.
    """

    def __init__(self, products: tuple[Product, ...]) -> None:
        self.products = products
        terms: list[tuple[int, ...]] = []
        own: list[tuple[int, ...]] = []
        for p in products:
            first = len(own)
            factors = [f for f in p.factors if f.name in _VARIABLES]
            own += [(_VARIABLES.index(f.name), f.constant, f.sign, 2 ** WIDTH[f.name]) for f in factors]
            terms.append((max(bits(p) - ACCUMULATOR, 0), p.exponent - EXPONENT[0], first, len(own)))
        self.places = [int(last > first) for _, _, first, last in terms]
        self.constant = float(own[0][1]) if own else 0.0
        self.tables = np.array(terms, dtype=np.int64), np.array(own, dtype=np.int64).reshape(-1, 4)


class _Learner:
    """The rule of a matrix, taken apart once."""

    def __init__(self, matrix: PlasticState) -> None:
        self.matrix = matrix
        self.copies = len(matrix.rule.products) > 1
        self.every = np.arange(matrix.pre.n)
        self.sums = []
        for name, products in matrix.rule.products.items():
            timely = tuple(p for p in products if p.dependency[0] != "u")
            by_column = tuple(p for p in timely if p.dependency == "x0")
            period = next((p.dependency for p in products if p.dependency[0] == "u"), "")
            self.sums.append((name, period, _Part(products), _Part(timely), _Part(by_column)))

    def __call__(self) -> None:
        """Columns, without the rows that change whole; then these."""
        matrix = self.matrix
        old = matrix.stack.copy() if self.copies else matrix.stack
        events = matrix.pre.spiked_at.nonzero()[0]
        for name, period, products, timely, by_column in self.sums:
            if period and matrix.is_due(period):
                self._apply(name, products, old, self.every, np.arange(matrix.post.n))
                continue
            by_row = len(by_column.products) < len(timely.products)
            rows = matrix.post.spiked_at.nonzero()[0] if by_row else _NONE
            if by_column.products and len(events):
                self._apply(name, by_column, old, events, None, "x0", rows)
            if len(rows):
                self._apply(name, timely, old, self.every, rows, "y0")

    def _apply(
        self,
        name: str,
        part: _Part,
        old: NDArray,
        columns: NDArray,
        rows: NDArray | None,
        holds: str = "",
        kept: NDArray = _NONE,
    ) -> None:
        """Apply products to whole rows, or to columns (rows None) without the rows that are kept."""
        matrix = self.matrix
        chosen: tuple[Any, Any] = (_EVERY, columns) if rows is None else (rows, _EVERY)
        n_products = len(part.products) if matrix.fixed else 2
        across = np.zeros((n_products, len(columns)), old.dtype)
        down = np.zeros((n_products, matrix.post.n if rows is None else len(rows)), old.dtype)
        for p, product in enumerate(part.products):
            place = p if matrix.fixed else part.places[p]
            across[place], down[place] = _vectors(matrix, product, *chosen, holds)
        out, (low, high) = matrix.stack[_VARIABLES.index(name)], matrix.limits(name)
        places = _NONE if rows is None else rows
        if matrix.fixed:
            draws = _drawn(matrix, name, columns, rows)
            update_fixed(out, old, columns, places, kept, across, down, part.tables, draws, low, high)
        else:
            update_float(out, columns, places, kept, across, down, part.constant, low, high)


def _vectors(matrix: PlasticState, product: Product, rows: Any, columns: Any, holds: str) -> tuple[Any, Any]:
    """What a product makes of a column and of a row; the scale goes first, as in Lava.

    ``holds`` is a dependency that is known to hold in all these rows or columns.
    """
    scale: Any = np.int32(product.mantissa) if matrix.fixed else product.scale
    sides = [factor.name[0] for factor in product.factors if factor.name[0] in "xy"]
    found: dict[str, Any] = {"x": 1, "y": 1}
    found[sides[0] if sides else "x"] = scale
    if product.dependency[0] in "xy" and product.dependency != holds:
        side = matrix.pre if product.dependency == "x0" else matrix.post
        found[product.dependency[0]] *= side.spiked_at[columns if side is matrix.pre else rows] > 0
    for factor in product.factors:
        if factor.name[0] in "xy":
            value = _plain.factor_of(matrix, factor, product.dependency, {}, rows, columns)
            if matrix.fixed:
                size = 2 ** WIDTH[factor.name]
                value = np.clip(value, -size, size - 1).astype(np.int32)
            found[factor.name[0]] = found[factor.name[0]] * value.ravel()
    return found["x"], found["y"]


def _drawn(matrix: PlasticState, name: str, columns: NDArray[np.int64], rows: NDArray[np.int64] | None) -> NDArray:
    """Draws of a block, (column, row), of whole rows where there are some; (1, 1) where there is one for all."""
    if rows is None:
        return np.atleast_2d(matrix.random(name, 1, columns))
    return np.ascontiguousarray(np.atleast_2d(matrix.random(name, 0, rows)).T)
