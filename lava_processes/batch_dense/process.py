"""Dense synapses with a batch axis, for use as a library: stock neurons of shape (n, samples) run many samples at once.

CPU only: on a chip samples follow one another.
"""

import typing as ty

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.utils.weightutils import SignMode, clip_weights, determine_sign_mode, truncate_weights

from dlm_snn.values import as_array


class BatchDense(AbstractProcess):
    """What Lava's Dense computes, for every sample of a batch: a_out = weights s_in, one step later.

    Weights are clipped, truncated and their sums shifted as Dense does in fixed_pt; every number is kept as a Python
    object of the Process and not as a Var, since Lava reads Vars back scalar by scalar.

    Args:
        weights: (n_post, n_pre).
        samples: B; ``s_in`` has the shape (n_pre, B), ``a_out`` (n_post, B).
        weight_exp, num_weight_bits, sign_mode, num_message_bits: as in Lava's Dense.
        name: of the Process.
    """

    def __init__(
        self,
        *,
        weights: np.ndarray,
        samples: int,
        weight_exp: int = 0,
        num_weight_bits: int = 8,
        sign_mode: SignMode | None = None,
        num_message_bits: int = 0,
        name: str | None = None,
    ) -> None:
        weights = as_array(weights, "weights")
        super().__init__(
            weights=weights,
            samples=samples,
            weight_exp=weight_exp,
            num_weight_bits=num_weight_bits,
            sign_mode=sign_mode,
            num_message_bits=num_message_bits,
            name=name,
        )
        n_post, n_pre = weights.shape
        self.s_in = InPort(shape=(n_pre, samples))
        self.a_out = OutPort(shape=(n_post, samples))


class _Batched(PyLoihiProcessModel):
    """What both models share; sums go through float64 products, exact for integers below 2^53."""

    s_in: ty.Any
    a_out: ty.Any

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self.graded = proc_params["num_message_bits"] > 0
        self.matrix = self.prepared(proc_params).astype(np.float64)
        self.waiting = np.zeros((self.matrix.shape[0], proc_params["samples"]))

    def prepared(self, parameters: ty.Any) -> np.ndarray:
        """The weights as they are used."""
        return parameters["weights"]

    def shifted(self, sums: np.ndarray) -> np.ndarray:
        """The sums as they are sent."""
        return sums

    def run_spk(self) -> None:
        """Send the sums of the step before, then add up those of this step."""
        self.a_out.send(self.waiting)
        events = self.s_in.recv()
        self.waiting = self.shifted(self.matrix @ (events if self.graded else events != 0))


@implements(proc=BatchDense, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyBatchDenseFloat(_Batched):
    """BatchDense in floats."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)


@implements(proc=BatchDense, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyBatchDenseFixed(_Batched):
    """BatchDense in the integers of Loihi; see lava/proc/dense/models.py of lava-nc 0.10.0."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self.waiting = self.waiting.astype(np.int32)

    def prepared(self, parameters: ty.Any) -> np.ndarray:
        """Cast, clipped to 8 bits and a sign, and truncated."""
        weights = parameters["weights"].astype(np.int32)
        mode = parameters["sign_mode"] or determine_sign_mode(weights)
        clipped = clip_weights(weights, mode, num_bits=8)
        return truncate_weights(clipped, mode, parameters["num_weight_bits"])

    def shifted(self, sums: np.ndarray) -> np.ndarray:
        """Times 2^weight_exp, floored."""
        exponent = self.proc_params["weight_exp"]
        whole = sums.astype(np.int64)
        return (whole << exponent if exponent > 0 else whole >> -exponent).astype(np.int32)
