"""A line that holds events back, all for the same time: in front of a connection it is that connection's delay.

CPU only: a chip delays at its synapses, as Lava's DelaySparse and DelayDense do. Their models on the CPU split the
matrix of synapses by delay anew in every step: over a second for ten thousand neurons.
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


class Delay(AbstractProcess):
    """Sends in step t what arrived in step t - steps, spikes or graded values; before that, zeros.

    Args:
        n: number of values a step.
        steps: how long they are held, >= 1.
        name: of the Process.
    """

    def __init__(self, *, n: int, steps: int, name: str | None = None) -> None:
        super().__init__(n=n, steps=steps, name=name)
        self.s_in = InPort(shape=(n,))
        self.s_out = OutPort(shape=(n,))


class _Line(PyLoihiProcessModel):
    """What both models share: a ring of the last steps."""

    s_in: ty.Any
    s_out: ty.Any

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self.ring: list[np.ndarray] = [np.zeros(proc_params["n"], dtype=int)] * proc_params["steps"]

    def run_spk(self) -> None:
        """One step; it sends first, so that loops do not wait for themselves."""
        place = self.time_step % len(self.ring)
        self.s_out.send(self.ring[place])
        self.ring[place] = self.s_in.recv()


@implements(proc=Delay, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyDelayFloat(_Line):
    """Of floating-point models."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)


@implements(proc=Delay, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyDelayFixed(_Line):
    """Of fixed-point models."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
