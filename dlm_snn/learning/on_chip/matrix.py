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
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.learning.on_chip import _compiled, _plain
from dlm_snn.learning.on_chip.limits import Arithmetic
from dlm_snn.learning.on_chip.rule import LearningRule
from dlm_snn.learning.on_chip.state import PlasticState
from dlm_snn.values import as_array, as_spikes, check_each


class PlasticMatrix(PlasticState):
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
        compiled: loops compiled by numba; False: the same in plain NumPy.

    Attributes: see PlasticState.

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
        compiled: bool = True,
    ) -> None:
        self.loops = _compiled if compiled else _plain
        super().__init__(
            self.loops.words, weight, rule, arithmetic, rounding, seed, temperature, sign_mode, weight_bits, tags
        )
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
        self.begin_step()
        self.pre.receive(pre, within)
        self.post.receive(post, within, factors)
        if within == self.rule.t_epoch:
            self._learn()

    def _learn(self) -> None:
        self.begin_epoch()
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
