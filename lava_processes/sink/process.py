"""Spikes written to a memory-mapped file: reading a Var back costs 25 microseconds a scalar."""

import typing as ty

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class SpikeSink(AbstractProcess):
    """Writes what arrives in step t to row t - 1 of an .npy file; steps beyond the last row are dropped.

    Args:
        path: an existing .npy file of shape (step, n) and type uint8.
        n: number of neurons.
        name: of the Process.
    """

    def __init__(self, *, path: str, n: int, name: str | None = None) -> None:
        super().__init__(path=path, n=n, name=name)
        self.a_in = InPort(shape=(n,))


class _Receiver(PyLoihiProcessModel):
    """What both models share."""

    a_in: ty.Any

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self.rows = np.load(proc_params["path"], mmap_mode="r+")

    def run_spk(self) -> None:
        """Write the spikes of this step."""
        spikes = self.a_in.recv()
        if self.time_step <= self.rows.shape[0]:
            self.rows[self.time_step - 1] = spikes


@implements(proc=SpikeSink, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PySinkFloat(_Receiver):
    """Spikes of floating-point models."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)


@implements(proc=SpikeSink, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PySinkFixed(_Receiver):
    """Spikes of fixed-point models."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
