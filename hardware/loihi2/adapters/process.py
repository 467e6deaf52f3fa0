"""Spikes from the host into neuro-cores and back: a pass on the CPU, the vendor's adapters around a chip.

The models for the chip are those of Intel's public notebooks (lava-dl, netx). ``lava.proc.embedded_io`` comes with the
vendor's extension: it is imported where such a model is made, and nowhere else.
"""

import typing as ty

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.model.sub.model import AbstractSubProcessModel
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU, Loihi2NeuroCore
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class InputAdapter(AbstractProcess):
    """Events of the host for the network.

    Args:
        shape: (n,).
        num_message_bits: width of graded events; 0: spikes.
        name: of the Process.
    """

    def __init__(self, *, shape: tuple, num_message_bits: int = 0, name: str = "") -> None:
        super().__init__(shape=shape, num_message_bits=num_message_bits, name=name)
        self.inp = InPort(shape=shape)
        self.out = OutPort(shape=shape)


class OutputAdapter(AbstractProcess):
    """Spikes of the network for the host.

    Args:
        shape: (n,).
        name: of the Process.
    """

    def __init__(self, *, shape: tuple, name: str = "") -> None:
        super().__init__(shape=shape, name=name)
        self.inp = InPort(shape=shape)
        self.out = OutPort(shape=shape)


class _Pass(PyLoihiProcessModel):
    """Hands on in the same step."""

    inp: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def run_spk(self) -> None:
        """One step."""
        self.out.send(self.inp.recv())


@implements(proc=InputAdapter, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyInputAdapter(_Pass):
    """On the CPU."""


@implements(proc=OutputAdapter, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyOutputAdapter(_Pass):
    """On the CPU."""


@implements(proc=InputAdapter, protocol=LoihiProtocol)
@requires(Loihi2NeuroCore)
class NcInputAdapter(AbstractSubProcessModel):
    """Onto a chip."""

    def __init__(self, proc: ty.Any) -> None:
        from lava.proc.embedded_io.spike import PyToNxAdapter

        given = {key: proc.proc_params[key] for key in ("shape", "num_message_bits") if proc.proc_params[key]}
        self.adapter = PyToNxAdapter(**given)
        proc.inp.connect(self.adapter.inp)
        self.adapter.out.connect(proc.out)


@implements(proc=OutputAdapter, protocol=LoihiProtocol)
@requires(Loihi2NeuroCore)
class NcOutputAdapter(AbstractSubProcessModel):
    """Off a chip."""

    def __init__(self, proc: ty.Any) -> None:
        from lava.proc.embedded_io.spike import NxToPyAdapter

        self.adapter = NxToPyAdapter(shape=proc.proc_params["shape"])
        proc.inp.connect(self.adapter.inp)
        self.adapter.out.connect(proc.out)
