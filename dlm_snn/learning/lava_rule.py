"""A plastic matrix, event by event: what Lava's LearningDense computes, bit for bit, at the synapses with events alone.

At the end of each epoch every product of the rule is evaluated where its dependency holds: rows of neurons that
spiked after the synapses (y0), columns of those before (x0), all synapses where uk is due. Elsewhere nothing changes.

    floats      w <- w + sum of products, evaluated from left to right
    integers    accumulator = w 2^7; each product: factors clipped to their width, shifted right to 15 bits, left by
                its exponent + 7, clipped, added; w = accumulator 2^-7, rounded stochastically, clipped to 8 bits

Source: lava-nc 0.10.0, magma/core/learning/learning_rule_applier.py and magma/core/model/py/connection.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, nearest
from dlm_snn.learning import _rule_plain
from dlm_snn.learning.rounding import LavaRounding, Rounding, SynapseRounding
from dlm_snn.learning.rule import LearningRule
from dlm_snn.learning.rule_limits import FRACTION, TAG_LIMITS, WEIGHT_LIMITS, Arithmetic, check
from dlm_snn.learning.traces import Side
from dlm_snn.values import as_array, as_spikes, check_each

ROUNDINGS = ("lava", "synapse")
VARIABLES = ("w", "d", "t")


def loops(compiled: bool | None) -> ModuleType:
    """What applies a rule: compiled by numba, or plain NumPy where it is missing or not wanted."""
    if compiled is False:
        return _rule_plain
    try:
        from dlm_snn.learning import _rule_compiled
    except ImportError:
        if compiled:
            raise
        return _rule_plain
    return _rule_compiled


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
        compiled: loops by numba, or plain NumPy; None: as numba is installed.

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
        weight: NDArray,
        rule: LearningRule,
        arithmetic: Arithmetic,
        rounding: Literal["lava", "synapse"] = "lava",
        seed: int = 0,
        temperature: float = 0.0,
        sign_mode: str = "mixed",
        weight_bits: int = 8,
        tags: Mapping[str, NDArray] | None = None,
        compiled: bool | None = None,
    ) -> None:
        check(rule, arithmetic)
        for name, value, known in (("rounding", rounding, ROUNDINGS), ("sign_mode", sign_mode, tuple(WEIGHT_LIMITS))):
            if value not in known:
                raise DlmError(f"{name} = '{value}'; {nearest(str(value), known)}")
        if not 0 <= temperature < np.inf:
            raise DlmError(f"temperature = {temperature} is not >= 0")
        weight = as_array(weight, "weights")
        if weight.ndim != 2:
            raise DlmError(f"weights of shape {weight.shape}; give (post, pre)")
        self.rule, self.fixed, self.sign_mode, self.steps = rule, arithmetic == "fixed", sign_mode, 0
        self.loops = loops(compiled)
        self.temperature, self._own = temperature, SynapseRounding(seed, self.loops.words)
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
        self._apply_rule = self.loops.learner(self)

    def step(
        self, pre: NDArray[np.bool_], post: NDArray[np.bool_], factors: Mapping[str, NDArray] | None = None
    ) -> None:
        """One time step; at the end of an epoch the rule is applied.

        Args:
            pre, post: (n,) spikes, Booleans or 0 and 1.
            factors: y1, y2, y3 -> (n_post,) of a rule with third factors; others are not looked at.

        Raises:
            DlmError: spikes or factors that do not fit; then nothing has changed.
        """
        pre, post = as_spikes(pre, "pre", self.pre.n), as_spikes(post, "post", self.post.n)
        factors = None if factors is None else {name: self._factor(name, factors) for name in self.post.ports}
        self.steps += 1
        within = (self.steps - 1) % self.rule.t_epoch + 1
        if self.fixed:
            self._rounding.begin_step()
        self.pre.receive(pre, within)
        self.post.receive(post, within, factors)
        if within == self.rule.t_epoch:
            self._learn()

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

    def _learn(self) -> None:
        for rounding in {id(found): found for found in (self._rounding, self._own)}.values():
            rounding.begin_epoch()
        for side in (self.pre, self.post):
            side.end_epoch()
        self._apply_rule()
        for side in (self.pre, self.post):
            side.forget_spikes()

    def _factor(self, name: str, factors: Mapping[str, NDArray]) -> NDArray:
        """A third factor that the rule uses."""
        if name not in factors:
            raise DlmError(f"no third factor '{name}', which the rule uses; given: {', '.join(factors) or 'none'}")
        given = as_array(factors[name], f"factor '{name}'")
        if given.shape not in ((), (self.post.n,)):
            raise DlmError(f"factor '{name}' has shape {given.shape}; give one value for each of {self.post.n} neurons")
        if self.fixed and given.dtype.kind == "f":
            check_each(given, f"factor '{name}'", given == np.round(given), "a whole number")
        return np.broadcast_to(given, (self.post.n,))

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
