"""A plastic matrix, event by event: what Lava's LearningDense computes, bit for bit, at the synapses with events alone.

At the end of each epoch every product of the rule is evaluated where its dependency holds: rows of neurons that
spiked after the synapses (y0), columns of those before (x0), all synapses where uk is due. Elsewhere nothing changes.

    floats      w <- w + sum of products, evaluated from left to right
    integers    accumulator = w 2^7; each product: factors clipped to their width, shifted right to 15 bits, left by
                its exponent + 7, clipped, added; w = accumulator 2^-7, rounded stochastically, clipped to 8 bits

Source: lava-nc 0.10.0, magma/core/learning/learning_rule_applier.py and magma/core/model/py/connection.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, nearest
from dlm_snn.learning.rounding import LavaRounding, Rounding, SynapseRounding
from dlm_snn.learning.rule import Factor, LearningRule, Product
from dlm_snn.learning.rule_limits import (
    ACCUMULATOR,
    EXPONENT,
    FRACTION,
    TAG_LIMITS,
    WEIGHT_LIMITS,
    WIDTH,
    Arithmetic,
    bits,
    check,
)
from dlm_snn.learning.traces import Side

ROUNDINGS = ("lava", "synapse")
VARIABLES = ("w", "d", "t")
_LOWEST, _HIGHEST = -(2**ACCUMULATOR) - 1, 2**ACCUMULATOR - 1
Lines = Any
"""Row or column numbers, or slice(None)."""


class PlasticMatrix:
    """Weights and tags (post, pre) that change by a learning rule.

    Args:
        weight: (post, pre); integers lose the low bits of their ``weight_bits`` first, as in LearningDense.
        rule: see LearningRule.
        arithmetic: "float" or "fixed".
        rounding: of integers: "lava", bit-equal to stock Lava, or "synapse", one draw for each synapse.
        seed: of "synapse" and of the temperature.
        temperature: T: each synapse gains sqrt(2 T) times a standard normal number at each of its events; CPU only.
        sign_mode: "mixed", "excitatory" or "inhibitory".
        weight_bits: 1..8, integers only.
        tags: "d" and "t" -> (post, pre), zero where not given.

    Attributes:
        values: "w", "d", "t" -> (post, pre), changed in place.
        pre, post: the traces of either side.
        steps: time steps so far.

    Raises:
        DlmError: a rule that the engine gets wrong, or values out of range.
    """

    def __init__(
        self,
        weight: NDArray,
        rule: LearningRule,
        arithmetic: Arithmetic,
        rounding: Literal["lava", "synapse"] = "lava",
        seed: int = 0,
        temperature: float = 0.0,
        sign_mode: str = "mixed",
        weight_bits: int = 8,
        tags: Mapping[str, NDArray] | None = None,
    ) -> None:
        check(rule, arithmetic)
        for name, value, known in (("rounding", rounding, ROUNDINGS), ("sign_mode", sign_mode, tuple(WEIGHT_LIMITS))):
            if value not in known:
                raise DlmError(f"{name} = '{value}'; {nearest(str(value), known)}")
        if not 0 <= temperature < np.inf:
            raise DlmError(f"temperature = {temperature} is not >= 0")
        self.rule, self.fixed, self.sign_mode = rule, arithmetic == "fixed", sign_mode
        self._kick, self._own = float(np.sqrt(2 * temperature)), SynapseRounding(seed)
        self.rounding: Rounding = LavaRounding(rule.rng_seed) if rounding == "lava" else self._own
        given = {"d": 0, "t": 0, **(tags or {}), "w": weight}
        self.values = {name: self._stored(name, given[name], np.shape(weight)) for name in VARIABLES}
        if self.fixed:
            self.values["w"][:] = _truncated(self.values["w"], sign_mode, weight_bits)
        n_post, n_pre = self.values["w"].shape
        self.pre = Side("x", n_pre, rule, arithmetic, self.rounding)
        self.post = Side("y", n_post, rule, arithmetic, self.rounding)
        self.steps = 0

    def step(
        self, pre: NDArray[np.bool_], post: NDArray[np.bool_], factors: Mapping[str, NDArray] | None = None
    ) -> None:
        """One time step; at the end of an epoch the rule is applied.

        Args:
            pre, post: (n,) spikes.
            factors: y1, y2, y3 -> (n_post,) of a rule with third factors.
        """
        self.steps += 1
        within = (self.steps - 1) % self.rule.t_epoch + 1
        self.rounding.begin_step()
        self.pre.receive(pre, within)
        self.post.receive(post, within, factors)
        if within == self.rule.t_epoch:
            self._learn()

    def _learn(self) -> None:
        self.rounding.begin_epoch()
        if self._own is not self.rounding:
            self._own.begin_epoch()
        for side in (self.pre, self.post):
            side.end_epoch()
        changed = [found for name, products in self.rule.products.items() for found in self._blocks(name, products)]
        for name, rows, columns, block in changed:
            self.values[name][rows, columns] = block
        for side in (self.pre, self.post):
            side.forget_spikes()

    def _blocks(self, name: str, products: tuple[Product, ...]) -> list[tuple[str, Lines, Lines, NDArray]]:
        """New values where there are events: of all synapses, or of columns and then of rows, which overwrite them."""
        every = slice(None)
        epoch = self.steps // self.rule.t_epoch
        if any(p.dependency[0] == "u" and epoch % 2 ** int(p.dependency[1:]) == 0 for p in products):
            return [(name, every, every, self._changed(name, products, every, every))]
        timely = tuple(p for p in products if p.dependency[0] != "u")
        by_column = tuple(p for p in timely if p.dependency == "x0")
        columns, rows = (np.flatnonzero(side.spiked_at) for side in (self.pre, self.post))
        found: list[tuple[str, Lines, Lines, NDArray]] = []
        if by_column and len(columns):
            found.append((name, every, columns, self._changed(name, by_column, every, columns)))
        if len(by_column) < len(timely) and len(rows):
            found.append((name, rows, every, self._changed(name, timely, rows, every)))
        return found

    def _changed(self, name: str, products: tuple[Product, ...], rows: Lines, columns: Lines) -> NDArray:
        old = {variable: values[rows, columns] for variable, values in self.values.items()}
        random = (VARIABLES.index(name), rows, columns)
        if not self.fixed:
            change: Any = self._real(products[0], old, rows, columns)
            for product in products[1:]:
                change = change + self._real(product, old, rows, columns)
            new = old[name] + change
            if self._kick:
                new += self._kick * self._drawn(self._own.normal, *random)
            return self._limited(name, new)
        sums = old[name] << FRACTION
        for product in products:
            sums = np.clip(sums + self._whole(product, old, rows, columns), _LOWEST, _HIGHEST)
        if self._kick:
            sums = sums + np.rint(2**FRACTION * self._kick * self._drawn(self._own.normal, *random)).astype(np.int32)
        up = (sums & (2**FRACTION - 1)) > self._drawn(self.rounding.synapse, *random)
        return self._limited(name, (sums >> FRACTION) + up)

    def _real(self, product: Product, old: Mapping[str, NDArray], rows: Lines, columns: Lines) -> Any:
        """A product in floats, multiplied from left to right as Lava does."""
        value: Any = product.scale * self._spikes(product.dependency, rows, columns)
        for factor in product.factors:
            value = value * self._factor(factor, product.dependency, old, rows, columns)
        return value

    def _whole(self, product: Product, old: Mapping[str, NDArray], rows: Lines, columns: Lines) -> NDArray[np.int32]:
        """A product in integers of 15 bits."""
        value: Any = np.int32(product.mantissa) * self._spikes(product.dependency, rows, columns).astype(np.int32)
        for factor in product.factors:
            size = 2 ** WIDTH[factor.name]
            found = np.asarray(self._factor(factor, product.dependency, old, rows, columns))
            value = value * np.clip(found.astype(np.int32), -size, size - 1)
        surplus = max(bits(product) - ACCUMULATOR, 0)
        return np.clip((value >> surplus) << (product.exponent - EXPONENT[0]), _LOWEST, _HIGHEST)

    def _factor(self, factor: Factor, dependency: str, old: Mapping[str, NDArray], rows: Lines, columns: Lines) -> Any:
        if factor.name in old:
            value: Any = old[factor.name]
        elif factor.name in ("x0", "y0"):
            value = self._spikes(factor.name, rows, columns)
        else:
            value = self._trace(factor.name, dependency, rows, columns)
        if factor.constant:
            value = value + factor.constant
        return np.sign(value) if factor.sign else value

    def _spikes(self, dependency: str, rows: Lines, columns: Lines) -> NDArray:
        if dependency == "x0":
            return self.pre.spiked_at[columns][None, :] > 0
        if dependency == "y0":
            return self.post.spiked_at[rows][:, None] > 0
        return np.ones((1, 1), dtype=bool)

    def _trace(self, name: str, dependency: str, rows: Lines, columns: Lines) -> NDArray:
        """A trace at the time of the dependency's spike, broadcast over (row, column)."""
        own, lines = (self.pre, columns) if name[0] == "x" else (self.post, rows)
        history = own.history[name]
        if dependency[0] == "u" or self.rule.t_epoch == 1:
            at = history[-1][lines]
        elif dependency[0] == name[0]:
            at = history[own.spiked_at, np.arange(own.n)][lines]
        else:
            times = self.post.spiked_at[rows] if name[0] == "x" else self.pre.spiked_at[columns]
            return history[times][:, lines] if name[0] == "x" else history[times][:, lines].T
        return at[None, :] if name[0] == "x" else at[:, None]

    def _drawn(self, draw: Any, variable: int, rows: Lines, columns: Lines) -> Any:
        """Random numbers (row, column), drawn in whole rows unless only columns changed."""
        by_row = not isinstance(rows, slice) or isinstance(columns, slice)
        lines, axis = (rows, 0) if by_row else (columns, 1)
        n_post, n_pre = self.values["w"].shape
        numbers = np.arange(n_post) if isinstance(lines, slice) else lines
        found = draw(variable, axis, numbers, n_pre if by_row else n_post)
        return found if by_row or np.ndim(found) == 0 else found.T

    def _limited(self, name: str, values: NDArray) -> NDArray:
        if name == "w" and self.fixed:
            return np.clip(values, *WEIGHT_LIMITS[self.sign_mode])
        if self.fixed:
            return np.clip(values, *TAG_LIMITS[name])
        if name == "d" or (name == "w" and self.sign_mode == "excitatory"):
            return np.maximum(values, 0)
        return np.minimum(values, 0) if name == "w" and self.sign_mode == "inhibitory" else values

    def _stored(self, name: str, values: Any, shape: tuple[int, ...]) -> NDArray:
        """A copy in the arithmetic's type, in range: so that no synapse has to be clipped without an event."""
        found = np.array(np.broadcast_to(values, shape), dtype=np.int32 if self.fixed else np.float64, order="C")
        if found.ndim != 2:
            raise DlmError(f"a matrix of shape {shape}; give (post, pre)")
        if not np.array_equal(self._limited(name, found), found):
            limits = f"for {self.sign_mode} weights" if name == "w" else "for this tag"
            raise DlmError(f"{name} from {found.min()} to {found.max()} is out of range {limits}; clip it first")
        return found


def _truncated(weight: NDArray, sign_mode: str, weight_bits: int) -> NDArray:
    """Without the low bits, as LearningDense begins: 8-bit mixed weights are even."""
    if not 1 <= weight_bits <= 8:
        raise DlmError(f"weight_bits = {weight_bits} is not in 1..8")
    drop = 8 - weight_bits + (sign_mode == "mixed")
    sign = -1 if sign_mode == "inhibitory" else 1
    return sign * ((sign * weight >> drop) << drop)
