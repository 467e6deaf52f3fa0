"""u and v at the end of every step, written to a memory-mapped file."""

import typing as ty

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyRefPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import RefPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class StateProbe(AbstractProcess):
    """Reads u and v of a neuron Process after every step; connect ``u`` and ``v`` to its Vars.

    Args:
        path: an existing .npy file of shape (step, 2, n): row t - 1 gets u and v at the end of step t.
        n: number of neurons.
        name: of the Process.
    """

    def __init__(self, *, path: str, n: int, name: str | None = None) -> None:
        super().__init__(path=path, n=n, name=name)
        self.u = RefPort(shape=(n,))
        self.v = RefPort(shape=(n,))


class _Reader(PyLoihiProcessModel):
    """What both models share."""

    u: ty.Any
    v: ty.Any

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self.rows = np.load(proc_params["path"], mmap_mode="r+")

    def post_guard(self) -> bool:
        """Read in the management phase after every step, when the neurons have finished it."""
        return True

    def run_post_mgmt(self) -> None:
        """Write u and v of this step."""
        u, v = self.u.read(), self.v.read()
        if self.time_step <= self.rows.shape[0]:
            self.rows[self.time_step - 1, 0] = u
            self.rows[self.time_step - 1, 1] = v


@implements(proc=StateProbe, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyProbeFloat(_Reader):
    """State of floating-point models."""

    u: PyRefPort = LavaPyType(PyRefPort.VEC_DENSE, float)
    v: PyRefPort = LavaPyType(PyRefPort.VEC_DENSE, float)


@implements(proc=StateProbe, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyProbeFixed(_Reader):
    """State of fixed-point models."""

    u: PyRefPort = LavaPyType(PyRefPort.VEC_DENSE, np.int32)
    v: PyRefPort = LavaPyType(PyRefPort.VEC_DENSE, np.int32)
