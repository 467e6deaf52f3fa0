"""What a plastic matrix is at a step: weights, tags, traces, draws and limits; ``matrix`` moves it on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, nearest
from dlm_snn.learning.on_chip.limits import FRACTION, TAG_LIMITS, WEIGHT_LIMITS, Arithmetic, check_rule
from dlm_snn.learning.on_chip.rounding import LavaRounding, Rounding, SynapseRounding
from dlm_snn.learning.on_chip.rule import LearningRule
from dlm_snn.learning.on_chip.traces import Side
from dlm_snn.values import as_array, check_each

ROUNDINGS = ("lava", "synapse")
VARIABLES = ("w", "d", "t")
Words = Callable[[NDArray[np.int64], int, int, int, tuple[int, int]], NDArray[np.uint32]]
"""(lines, blocks, epoch, kind, key) -> random words (line, 4 * blocks) of 32 bits."""


class PlasticState:
    """Weights and tags (post, pre) under a learning rule, and all that decides what they become.

    Args:
        words: makes the random words of "synapse" and of the temperature.
        weight, rule, arithmetic, rounding, seed, temperature, sign_mode, weight_bits, tags: see PlasticMatrix.

    Attributes:
        values: "w", "d", "t" -> (post, pre), changed in place; an array that is set under a name is written into it,
            and checked. stack: the three as one array (variable, pre, post), since what one neuron sends is read
            together.
        pre, post: the traces of either side.
        steps: time steps so far.

    Raises:
        DlmError: a rule that the engine gets wrong, or values out of range.
    """

    def __init__(
        self,
        words: Words,
        weight: NDArray,
        rule: LearningRule,
        arithmetic: Arithmetic,
        rounding: Literal["lava", "synapse"],
        seed: int,
        temperature: float,
        sign_mode: str,
        weight_bits: int,
        tags: Mapping[str, NDArray] | None,
    ) -> None:
        check_rule(rule, arithmetic)
        for name, value, known in (("rounding", rounding, ROUNDINGS), ("sign_mode", sign_mode, tuple(WEIGHT_LIMITS))):
            if value not in known:
                raise DlmError(f"{name} = '{value}'; {nearest(str(value), known)}")
        if not 0 <= temperature < np.inf:
            raise DlmError(f"temperature = {temperature} is not >= 0")
        weight = as_array(weight, "weights")
        if weight.ndim != 2:
            raise DlmError(f"weights of shape {weight.shape}; give (post, pre)")
        self.rule, self.fixed, self.sign_mode, self.steps = rule, arithmetic == "fixed", sign_mode, 0
        self.temperature, self._own = temperature, SynapseRounding(seed, words)
        self._rounding: Rounding = LavaRounding(rule.rng_seed) if rounding == "lava" else self._own
        self.shape = weight.shape
        self.stack = np.zeros((len(VARIABLES), *self.shape[::-1]), dtype=np.int32 if self.fixed else np.float64)
        self.values = _Values({n: values.T for n, values in zip(VARIABLES, self.stack, strict=True)}, self._in_range)
        for name, given in {"w": weight, **(tags or {})}.items():
            self.values[name] = given
        if self.fixed:
            self.values["w"][:] = _truncated(self.values["w"], sign_mode, weight_bits)
        self.pre = Side("x", self.shape[1], rule, arithmetic, self._rounding)
        self.post = Side("y", self.shape[0], rule, arithmetic, self._rounding)

    def begin_step(self) -> None:
        """Draw what stock Lava draws once a step."""
        if self.fixed:
            self._rounding.begin_step()

    def begin_epoch(self) -> None:
        """Draw what an epoch's end needs, and bring the traces to it."""
        for rounding in {id(found): found for found in (self._rounding, self._own)}.values():
            rounding.begin_epoch()
        for side in (self.pre, self.post):
            side.end_epoch()

    def is_due(self, dependency: str) -> bool:
        """Whether uk holds in this epoch."""
        return self.steps // self.rule.t_epoch % 2 ** int(dependency[1:]) == 0

    def random(self, name: str, axis: int, lines: NDArray[np.int64]) -> Any:
        """In 0..127 for the rounding of rows (axis 0) or columns (axis 1): (line, synapse), or one for all."""
        return self._rounding.synapse(VARIABLES.index(name), axis, lines, self.shape[1 - axis])

    def kick(self, name: str, axis: int, lines: NDArray[np.int64]) -> Any:
        """Of the temperature, in units of the accumulator: (line, synapse), or 0."""
        if not self.temperature:
            return 0
        drawn = np.sqrt(2 * self.temperature) * self._own.normal(
            VARIABLES.index(name), axis, lines, self.shape[1 - axis]
        )
        return np.rint(2**FRACTION * drawn).astype(np.int32) if self.fixed else drawn

    def limits(self, name: str) -> tuple[float, float]:
        """Lowest and highest value of a variable."""
        if self.fixed:
            return WEIGHT_LIMITS[self.sign_mode] if name == "w" else TAG_LIMITS[name]
        low = 0.0 if name == "d" or (name == "w" and self.sign_mode == "excitatory") else -np.inf
        return low, 0.0 if name == "w" and self.sign_mode == "inhibitory" else np.inf

    def _in_range(self, name: str, given: Any) -> NDArray:
        """Values of a variable that may be stored: no synapse has to be clipped without an event."""
        if name not in VARIABLES:
            raise DlmError(f"a plastic matrix has no variable '{name}'; {nearest(str(name), VARIABLES)}")
        what = f"{self.sign_mode} weights" if name == "w" else f"tags '{name}'"
        values = as_array(given, what)
        if values.shape not in ((), self.shape):
            raise DlmError(f"{name} of shape {values.shape} beside weights of {self.shape}")
        low, high = self.limits(name)
        if values.size and not (values.min() >= low and values.max() <= high and np.isfinite(values).all()):
            extent = f"{values.min()} to {values.max()}"
            raise DlmError(f"{what} from {extent} are out of range {low}..{high}; clip them first")
        if self.fixed and values.dtype.kind == "f":
            check_each(values, what, values == np.round(values), "a whole number")
        return values


class _Values(Mapping[str, NDArray]):
    """The arrays of a matrix by name; what is set is checked and written into them.

    Args:
        arrays: of the matrix.
        checked: (name, given) -> the values that may be written.
    """

    def __init__(self, arrays: Mapping[str, NDArray], checked: Callable[[str, Any], NDArray]) -> None:
        self._arrays, self._checked = dict(arrays), checked

    def __getitem__(self, name: str) -> NDArray:
        return self._arrays[name]

    def __setitem__(self, name: str, given: Any) -> None:
        self._arrays[name][:] = self._checked(name, given)

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


def _truncated(weight: NDArray, sign_mode: str, weight_bits: int) -> NDArray:
    """Without the low bits, as LearningDense begins: 8-bit mixed weights are even."""
    if not 1 <= weight_bits <= 8:
        raise DlmError(f"weight_bits = {weight_bits} is not in 1..8")
    drop = 8 - weight_bits + (sign_mode == "mixed")
    sign = -1 if sign_mode == "inhibitory" else 1
    return sign * ((sign * weight >> drop) << drop)
