"""The front end from pixels to the columns, learning included, a whole sample in every step of Lava.

What it computes is what the graph of ``front_end``, built for Lava, and PlasticColumns compute, bit for bit. CPU only.
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

from dlm_snn.learning.columns._compiled import observe, predict
from dlm_snn.learning.columns._front_end_compiled import rank_codes
from dlm_snn.learning.columns.rule import Columns


class ColumnSamples(AbstractProcess):
    """Chain and columns; a sample that comes with a teacher's spike is learned, any other is classified.

    Args:
        front_end, rule: a FrontEnd and a ColumnRule.
        weight, wins: existing .npy files with what has been learned; they are mapped and changed in place.
        name: of the Process.

    Ports: ``s_in`` (pixel,), graded; ``s_teacher`` (column,); ``s_out`` (column,), one spike for the class of a sample
    without a teacher, in the sample's own step.
    """

    def __init__(self, *, front_end: ty.Any, rule: ty.Any, weight: str, wins: str, name: str | None = None) -> None:
        super().__init__(front=front_end, rule=rule, weight=weight, wins=wins, name=name)
        self.s_in = InPort(shape=(front_end.n_inputs,))
        self.s_teacher = InPort(shape=(rule.n_columns,))
        self.s_out = OutPort(shape=(rule.n_columns,))


@implements(proc=ColumnSamples, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyColumnSamples(PyLoihiProcessModel):
    """In the integers of fixed-point targets."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_teacher: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self.front_end, self.rule = proc_params["front"], proc_params["rule"]
        self.columns = Columns(*(np.load(proc_params[name], mmap_mode="r+") for name in ("weight", "wins")))

    def run_spk(self) -> None:
        """One sample."""
        image = self.s_in.recv().astype(np.uint8)
        opened = np.flatnonzero(self.s_teacher.recv())
        code, _ = rank_codes(self.front_end, image[None])
        spikes = np.zeros(self.rule.n_columns, dtype=np.int32)
        if opened.size:
            observe(self.rule, self.columns, code, opened[:1], self.front_end.levels)
        else:
            found, _ = predict(self.rule, self.columns, code, self.front_end.levels)
            spikes[found[found >= 0]] = 1
        self.s_out.send(spikes)
