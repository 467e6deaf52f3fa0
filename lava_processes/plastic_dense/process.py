"""Plastic dense synapses that compute where events are, for use as a library: Lava's LearningDense, much faster.

Bit-equal to LearningDense with ``rounding="lava"``. With ``rounding="synapse"``, and at a temperature, each synapse has
its own random numbers: that is the CPU's alone.
"""

import typing as ty

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.learning.learning_rule import Loihi2FLearningRule, Loihi3FLearningRule
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.utils.weightutils import SignMode

from dlm_snn.errors import DlmError
from dlm_snn.learning.on_chip.limits import ARITHMETICS
from dlm_snn.learning.on_chip.matrix import PlasticMatrix
from dlm_snn.learning.on_chip.rule import POST_TRACES, PRE_TRACES, LearningRule, Trace
from dlm_snn.values import as_array

_ABSENT = Trace(impulse=0, tau=65535)
_VARS = {"weights": "w", "tag_2": "d", "tag_1": "t"}


class PlasticDense(AbstractProcess):
    """Dense synapses a_out = weights s_in, one step later, whose weights follow a learning rule.

    Ports as of LearningDense: ``s_in`` (n_pre,), ``a_out`` (n_post,), ``s_in_bap`` (n_post,) the spikes of the neurons
    behind, and ``s_in_y1`` .. ``s_in_y3`` (n_post,) the third factors. The rule is fixed once the Process is built.

    Args:
        weights: (n_post, n_pre).
        learning_rule: see LearningRule.
        tag_1, tag_2: (n_post, n_pre), zero where not given.
        weight_exp, num_weight_bits, num_message_bits: as in LearningDense.
        sign_mode: of the weights; mixed by default, as in LearningDense.
        rounding: "synapse", or "lava" for the one draw a matrix of LearningDense; fixed_pt only.
        seed: of "synapse" and of the temperature.
        temperature: see PlasticMatrix; CPU only.
        block: time steps that one step of Lava carries. Above 1 every port gains a last axis of that length, and
            spikes can come from recordings only, not from neurons that ``a_out`` drives.
        arithmetic: that it will be run in, "float" (floating_pt) or "fixed" (fixed_pt): what that gets wrong is refused
            here. None: here only what both do; the rest makes Lava's run fail, and Lava does not say why.
        name: of the Process.

    Raises:
        DlmError: a rule that the engine gets wrong, or values out of range.
    """

    def __init__(
        self,
        *,
        weights: np.ndarray,
        learning_rule: LearningRule,
        tag_1: np.ndarray | None = None,
        tag_2: np.ndarray | None = None,
        weight_exp: int = 0,
        num_weight_bits: int = 8,
        num_message_bits: int = 0,
        sign_mode: SignMode = SignMode.MIXED,
        rounding: ty.Literal["lava", "synapse"] = "synapse",
        seed: int = 0,
        temperature: float = 0.0,
        block: int = 1,
        arithmetic: ty.Literal["float", "fixed"] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            learning_rule=learning_rule,
            weight_exp=weight_exp,
            num_weight_bits=num_weight_bits,
            num_message_bits=num_message_bits,
            sign_mode=sign_mode,
            rounding=rounding,
            seed=seed,
            temperature=temperature,
            block=block,
            name=name,
        )
        weights = as_array(weights, "weights")
        _refuse_early(weights, tag_1, tag_2, arithmetic, self.proc_params)
        n_post, n_pre = weights.shape
        steps = (block,) if block > 1 else ()
        self.s_in = InPort(shape=(n_pre, *steps))
        self.a_out = OutPort(shape=(n_post, *steps))
        self.s_in_bap = InPort(shape=(n_post, *steps))
        for trace in POST_TRACES:
            setattr(self, f"s_in_{trace}", InPort(shape=(n_post, *steps)))
        self.weights = Var(shape=(n_post, n_pre), init=weights)
        self.tag_1 = Var(shape=(n_post, n_pre), init=0 if tag_1 is None else tag_1)
        self.tag_2 = Var(shape=(n_post, n_pre), init=0 if tag_2 is None else tag_2)
        for trace in (*PRE_TRACES, *POST_TRACES):
            setattr(self, trace, Var(shape=(n_pre if trace in PRE_TRACES else n_post,), init=0))


def _matrix(weights: np.ndarray, tag_1: ty.Any, tag_2: ty.Any, arithmetic: ty.Any, given: ty.Any) -> PlasticMatrix:
    return PlasticMatrix(
        weights,
        given["learning_rule"],
        arithmetic,
        rounding=given["rounding"],
        seed=given["seed"],
        temperature=given["temperature"],
        sign_mode=given["sign_mode"].name.lower(),
        weight_bits=given["num_weight_bits"],
        tags={"d": tag_2, "t": tag_1},
    )


def _refuse_early(weights: np.ndarray, tag_1: ty.Any, tag_2: ty.Any, arithmetic: ty.Any, given: ty.Any) -> None:
    """Raise what is wrong in an arithmetic, or None: in both."""
    if given["block"] < 1:
        raise DlmError(f"block = {given['block']} steps in a message; give at least 1")
    errors = []
    for name in (arithmetic,) if arithmetic else ARITHMETICS:
        try:
            _matrix(weights, 0 if tag_1 is None else tag_1, 0 if tag_2 is None else tag_2, name, given)
        except DlmError as error:
            errors.append(error)
        else:
            return
    raise errors[-1]


def stock_rule(rule: LearningRule) -> Loihi2FLearningRule | Loihi3FLearningRule:
    """The same rule for stock LearningDense; traces that it does not use are given a tau, or Lava makes them NaN."""
    names = (*PRE_TRACES, *(() if rule.third_factor else POST_TRACES))
    traces = {name: rule.traces.get(name, _ABSENT) for name in names}
    numbers = {f"{name}_{key}": getattr(trace, key) for name, trace in traces.items() for key in ("impulse", "tau")}
    kind = Loihi3FLearningRule if rule.third_factor else Loihi2FLearningRule
    return kind(dw=rule.dw, dd=rule.dd, dt=rule.dt, t_epoch=rule.t_epoch, rng_seed=rule.rng_seed, **numbers)


class _Plastic(PyLoihiProcessModel):
    """What both models share; learning is part of the spiking phase, which saves Lava a phase a step."""

    arithmetic: ty.Literal["float", "fixed"] = "float"
    s_in: ty.Any
    a_out: ty.Any
    s_in_bap: ty.Any
    weights: ty.Any

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self._matrix: PlasticMatrix | None = None
        self._waiting: ty.Any = None

    def _begin(self) -> PlasticMatrix:
        """The matrix, once Lava has set the Vars; from then on they are its own arrays."""
        matrix = _matrix(self.weights, self.tag_1, self.tag_2, self.arithmetic, self.proc_params)
        self._share(matrix)
        self._waiting = np.zeros(len(self.weights), dtype=self.weights.dtype)
        return matrix

    def _share(self, matrix: PlasticMatrix) -> None:
        for name, variable in _VARS.items():
            setattr(self, name, matrix.values[variable])

    def _set_var(self) -> None:
        """Lava writes into an array in the order of its memory, and the matrix's is (pre, post)."""
        if self._matrix is None:
            super()._set_var()
            return
        for name in _VARS:
            setattr(self, name, np.ascontiguousarray(getattr(self, name)))
        super()._set_var()
        for name, variable in _VARS.items():
            self._matrix.values[variable][:] = getattr(self, name)
        self._share(self._matrix)

    def run_spk(self) -> None:
        """Send what the step before left, receive, add up, learn; step by step where a message carries several."""
        if self._matrix is None:
            self._matrix = self._begin()
        rule, block = self.proc_params["learning_rule"], self.proc_params["block"]
        if block == 1:
            self.a_out.send(self._waiting)
        pre, post = self.s_in.recv(), self.s_in_bap.recv()
        factors = {name: getattr(self, f"s_in_{name}").recv() for name in POST_TRACES} if rule.third_factor else {}
        if block == 1:
            self._advance(self._matrix, pre, post, factors)
        else:
            sent = np.empty(self.a_out.shape, dtype=self.weights.dtype)
            for k in range(block):
                sent[:, k] = self._waiting
                self._advance(
                    self._matrix, pre[:, k], post[:, k], {name: values[:, k] for name, values in factors.items()}
                )
            self.a_out.send(sent)
        for side in (self._matrix.pre, self._matrix.post):
            for name, values in side.values.items():
                setattr(self, name, values)

    def _advance(
        self, matrix: PlasticMatrix, pre: np.ndarray, post: np.ndarray, factors: ty.Mapping[str, np.ndarray]
    ) -> None:
        spikes = pre.astype(bool)
        graded = self.proc_params["num_message_bits"] > 0
        # A product's last bits depend on the order in memory, and stock's is (post, pre).
        sums = self.weights.copy(order="C").dot(pre) if graded else matrix.loops.sums(self.weights, spikes)
        self._waiting = self._shifted(sums)
        matrix.step(spikes, post.astype(bool), factors)

    def _shifted(self, sums: np.ndarray) -> np.ndarray:
        """Times 2^weight_exp, floored, in integers."""
        exponent = self.proc_params["weight_exp"]
        if self.arithmetic == "float":
            return sums
        return np.left_shift(sums, exponent) if exponent > 0 else np.right_shift(sums, -exponent)


@implements(proc=PlasticDense, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyPlasticDenseFloat(_Plastic):
    """PlasticDense in floats."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    s_in_bap: PyInPort = LavaPyType(PyInPort.VEC_DENSE, bool)
    s_in_y1: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_in_y2: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_in_y3: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    weights: np.ndarray = LavaPyType(np.ndarray, float)
    tag_1: np.ndarray = LavaPyType(np.ndarray, float)
    tag_2: np.ndarray = LavaPyType(np.ndarray, float)
    x1: np.ndarray = LavaPyType(np.ndarray, float)
    x2: np.ndarray = LavaPyType(np.ndarray, float)
    y1: np.ndarray = LavaPyType(np.ndarray, float)
    y2: np.ndarray = LavaPyType(np.ndarray, float)
    y3: np.ndarray = LavaPyType(np.ndarray, float)


@implements(proc=PlasticDense, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_approximate_loihi", "fixed_pt")
class PyPlasticDenseFixed(_Plastic):
    """PlasticDense in the integers of Lava's learning engine."""

    arithmetic = "fixed"
    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    s_in_bap: PyInPort = LavaPyType(PyInPort.VEC_DENSE, bool, precision=1)
    s_in_y1: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=7)
    s_in_y2: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=7)
    s_in_y3: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=7)
    weights: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=8)
    tag_1: np.ndarray = LavaPyType(np.ndarray, int, precision=8)
    tag_2: np.ndarray = LavaPyType(np.ndarray, int, precision=6)
    x1: np.ndarray = LavaPyType(np.ndarray, int, precision=7)
    x2: np.ndarray = LavaPyType(np.ndarray, int, precision=7)
    y1: np.ndarray = LavaPyType(np.ndarray, int, precision=7)
    y2: np.ndarray = LavaPyType(np.ndarray, int, precision=7)
    y3: np.ndarray = LavaPyType(np.ndarray, int, precision=7)
