"""Columns of competing neurons, their plastic synapses included, on the clock of Lava.

CPU only: on Loihi 2 the rule needs neuron microcode (see docs/learning-on-chip.md).
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

from dlm_snn.learning.columns.rule import Columns, Race, advance, learn


class PlasticColumns(AbstractProcess):
    """One column of neurons a class; the first neuron to spike learns, in the column that the teacher opened.

    What arrives in step t counts in step t + 1, as behind any connection. In the first step of a sample all is at
    rest; a teacher's spike that arrived in the step before opens its column and lets it learn, and without one all
    columns answer and none learns. Of a sample to learn one neuron spikes, else every one that crosses. See
    ``dlm_snn.learning.columns.rule``.

    Args:
        rule: a ColumnRule.
        weight, wins: existing .npy files with what has been learned; they are mapped and changed in place, since
            reading a Var back costs 25 microseconds a scalar.
        period, offset: a sample begins in step t where t % period == offset % period.
        name: of the Process.

    Ports: ``s_in`` (code,), spikes of the holders; ``s_lift`` (1,), of the ramp or of the clock; ``s_teacher``
    (column,); ``s_out`` (column * neuron,).
    """

    def __init__(
        self, *, rule: ty.Any, weight: str, wins: str, period: int, offset: int, name: str | None = None
    ) -> None:
        super().__init__(rule=rule, weight=weight, wins=wins, period=period, offset=offset, name=name)
        n_codes = np.load(weight, mmap_mode="r").shape[1]
        self.s_in = InPort(shape=(n_codes,))
        self.s_lift = InPort(shape=(1,))
        self.s_teacher = InPort(shape=(rule.n_columns,))
        self.s_out = OutPort(shape=(rule.n,))


@implements(proc=PlasticColumns, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyPlasticColumns(PyLoihiProcessModel):
    """In the integers of fixed-point targets."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_lift: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_teacher: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self.rule = proc_params["rule"]
        self.columns = Columns(*(np.load(proc_params[name], mmap_mode="r+") for name in ("weight", "wins")))
        self.code = np.zeros(self.columns.weight.shape[1], dtype=bool)
        self.lifted = False
        self.teacher = np.zeros(self.rule.n_columns, dtype=bool)
        self.race = Race.begin(self.columns, None)

    def run_spk(self) -> None:
        """One step."""
        period = self.proc_params["period"]
        if self.time_step % period == self.proc_params["offset"] % period:
            opened = np.flatnonzero(self.teacher)
            self.race = Race.begin(self.columns, int(opened[0]) if opened.size else None)
        spikes = np.zeros(self.rule.n, dtype=np.int32)
        spiking = advance(self.rule, self.columns, self.race, self.code, self.lifted)
        spikes[spiking] = 1
        if spiking.size and self.race.opened is not None:
            learn(self.rule, self.columns, self.race.x, self.race.answer)
        self.s_out.send(spikes)
        self.code = self.s_in.recv() != 0
        self.lifted = bool(self.s_lift.recv()[0])
        self.teacher = self.s_teacher.recv() != 0
