import os

import numpy as np
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

LATE = [int(steps) for steps in os.environ.get("STAND_IN_LATE", "0,0").split(",")]


class PyToNxAdapter(AbstractProcess):
    def __init__(self, shape, num_message_bits=0):
        super().__init__(shape=shape, late=LATE[0])
        self.inp, self.out = InPort(shape=shape), OutPort(shape=shape)


class NxToPyAdapter(AbstractProcess):
    def __init__(self, shape, num_message_bits=0):
        super().__init__(shape=shape, late=LATE[1])
        self.inp, self.out = InPort(shape=shape), OutPort(shape=shape)


class Line(PyLoihiProcessModel):
    inp: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params):
        super().__init__(proc_params)
        self.held = [np.zeros(proc_params["shape"], dtype=np.int32)] * proc_params["late"]

    def run_spk(self):
        self.held = [*self.held, self.inp.recv()]
        self.out.send(self.held[0])
        self.held = self.held[1:]


@implements(proc=PyToNxAdapter, protocol=LoihiProtocol)
@requires(CPU)
class Onto(Line):
    pass


@implements(proc=NxToPyAdapter, protocol=LoihiProtocol)
@requires(CPU)
class Off(Line):
    pass
