"""Stock LIF, LIFReset and LIFRefractory -> populations of ours, with what they begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.neurons.integer_lif import THRESHOLD_LIMIT, IntegerLIF
from dlm_snn.neurons.li import LI, IntegerLI
from dlm_snn.neurons.lif import LIF
from lava_processes.graph_in.stock import Arithmetic
from lava_processes.graph_in.walk import Places, called, refuse

BIAS_EXPONENTS = range(8)


@dataclass(frozen=True, eq=False)
class Layout:
    """How a population of ours lies in its Process.

    Attributes:
        shape: of the population, (n,) or (channel, row, column).
        order: neuron i of the population is value order[i] of the Process, flat in C order.
    """

    shape: tuple[int, ...]
    order: Places


@dataclass(frozen=True, eq=False)
class Cells:
    """A population, and what its Process begins with.

    Attributes:
        neuron: LIF or LI, IntegerLIF or IntegerLI, without a period.
        u, v: before Lava's first step, (n,).
        interval, offset: the state is 0 before step t of Lava where t % interval == offset; None: never.
    """

    neuron: Any
    u: NDArray
    v: NDArray
    interval: int | None
    offset: int

    @property
    def resting(self) -> bool:
        """Whether it stays at rest until something reaches it."""
        return not (np.any(self.neuron.bias) or np.any(self.u) or np.any(self.v))

    def wiped(self, step: int) -> bool:
        """Whether its state is set to 0 before a step of Lava."""
        return self.interval is not None and step % self.interval == self.offset


def cells(process: Any, arithmetic: Arithmetic, layout: Layout) -> Cells:
    """Read a neuron Process.

    Raises:
        UnsupportedError, DlmError: a parameter that our neurons do not hold, with the Process's name.
    """
    held = getattr(process, "refractory_period_end", None)
    if held is not None and np.any(held.init):
        refuse(f"{called(process)}, which begins inside a refractory period", "leave refractory_period_end at 0")
    made = _float if arithmetic == "float" else _integer
    try:
        neuron = made(process, layout)
    except DlmError as error:
        raise DlmError(f"{called(process)}: {error}") from error
    kind, wide = (np.float64, np.float64) if arithmetic == "float" else (np.int32, np.int64)
    u, v = (_filled(var, kind).astype(wide).reshape(-1)[layout.order] for var in (process.u, process.v))
    interval = process.proc_params.get("reset_interval")
    offset = process.proc_params.get("reset_offset", 0) % interval if interval else 0
    return Cells(neuron, u, v, interval, offset)


def _float(process: Any, layout: Layout) -> LIF | LI:
    # bias_exp is ignored, as Lava's floating-point models do.
    parameters = {name: _spread(process, name, layout) for name in ("du", "dv")}
    bias = _spread(process, "bias_mant", layout)
    threshold = _spread(process, "vth", layout)
    if np.all(np.asarray(threshold) == np.inf):
        return LI(layout.shape, bias=bias, **parameters)
    given = process.proc_params
    return LIF(
        layout.shape,
        v_threshold=threshold,
        bias=bias,
        reset="subtract" if type(process).__name__ == "LIFSubtract" else "zero",
        refractory=given.get("refractory_period") or given.get("refractory") or 0,
        **parameters,
        **_competition(process),
    )


def _integer(process: Any, layout: Layout) -> IntegerLIF | IntegerLI:
    parameters = {name: _spread(process, name, layout) for name in ("du", "dv")}
    threshold = _spread(process, "vth", layout)
    parameters["bias_mant"], parameters["bias_exp"] = _bias(process, layout)
    if np.all(np.asarray(threshold) >= THRESHOLD_LIMIT):
        return IntegerLI(layout.shape, **parameters)
    return IntegerLIF(layout.shape, v_threshold=threshold, **parameters, **_competition(process))


def _competition(process: Any) -> dict[str, Any]:
    """Of Processes of ours."""
    return {"winners": process.proc_params.get("winners"), "groups": process.proc_params.get("groups", 1)}


def _bias(process: Any, layout: Layout) -> tuple[Any, int]:
    """Mantissa and exponent of the bias that Lava adds, mantissa * 2^exponent; the floor of it with one below 0."""
    mantissa, exponent = (_filled(var, np.int16) for var in (process.bias_mant, process.bias_exp))
    own = np.unique(exponent)
    if own.size == 1 and own[0] in BIAS_EXPONENTS and mantissa.min() >= -4096 and mantissa.max() <= 4095:
        return _flat(process.bias_mant.init, mantissa, layout), int(own[0])
    wide = mantissa.astype(np.int32)
    bias = np.where(exponent >= 0, wide << np.maximum(exponent, 0), wide >> np.maximum(-exponent, 0)).reshape(-1)
    fitting = [e for e in BIAS_EXPONENTS if not np.any(bias % 2**e)]
    return bias[layout.order] >> fitting[-1], fitting[-1]


def _spread(process: Any, name: str, layout: Layout) -> Any:
    """A parameter that Lava's models take as it is: a number, or one a neuron, spread over the Process's shape."""
    given = getattr(process, name).init
    return _flat(given, np.asarray(given), layout, process.v.shape)


def _filled(var: Any, dtype: Any) -> NDArray:
    """A Var as Lava fills it, cast to its type."""
    given = np.asarray(var.init)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        if np.any(given < limits.min) or np.any(given > limits.max):
            raise DlmError(f"{var.name} holds {given.min()}..{given.max()}, beyond Lava's {limits.bits} bits")
    values = np.zeros(var.shape, dtype)
    values[...] = given
    return values


def _flat(given: Any, values: NDArray, layout: Layout, shape: tuple[int, ...] | None = None) -> Any:
    """One number as itself, several as one a neuron in our order."""
    if np.size(given) == 1:
        return values.reshape(-1)[0].item()
    try:
        whole = np.broadcast_to(values, shape or values.shape)
    except ValueError:
        raise DlmError(
            f"values of shape {values.shape} do not spread over {shape}; give one, or one a neuron"
        ) from None
    return whole.reshape(-1)[layout.order]
