"""Leaky integrate-and-fire neurons of which at most k of each group spike in a step.

The dynamics are those of Lava's LIFReset; only the spiking rule differs. CPU only: on Loihi 2 it needs microcode.
"""

import typing as ty

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.lif.models import AbstractPyLifModelFixed, AbstractPyLifModelFloat

from dlm_snn.neurons.competition import winning

Value = float | np.ndarray


class KWTA(AbstractProcess):
    """Leaky integrate-and-fire neurons with k-winners-take-all.

    u[t] = u[t-1] (1 - du) + a_in;  v[t] = v[t-1] (1 - dv) + u[t] + bias;
    s_out = those of v > vth with the largest v - vth, at most ``winners`` of each group, equal ones by lower index;
    v = 0 where s_out. Parameters in the integers of fixed-point targets, or floats, as for Lava's LIF.

    Args:
        shape: (n,).
        du, dv, vth, bias_mant: numbers, or arrays (n,).
        bias_exp: as in Lava's LIF.
        winners: spikes a group may send in one step.
        groups: equal contiguous blocks that compete apart.
        reset_interval, reset_offset: u = v = 0 before step t where t % interval == offset % interval.
        name: of the Process.
    """

    def __init__(
        self,
        *,
        shape: tuple[int],
        winners: int,
        groups: int = 1,
        du: Value = 0,
        dv: Value = 0,
        vth: Value = 10,
        bias_mant: Value = 0,
        bias_exp: int = 0,
        reset_interval: int = 1,
        reset_offset: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(
            shape=shape,
            winners=winners,
            groups=groups,
            reset_interval=reset_interval,
            reset_offset=reset_offset,
            name=name,
        )
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        self.u = Var(shape=shape, init=0)
        self.v = Var(shape=shape, init=0)
        self.du = Var(shape=np.shape(du) or (1,), init=du)
        self.dv = Var(shape=np.shape(dv) or (1,), init=dv)
        self.vth = Var(shape=np.shape(vth) or (1,), init=vth)
        self.bias_mant = Var(shape=shape, init=bias_mant)
        self.bias_exp = Var(shape=shape, init=bias_exp)


def _reset_when_due(model: ty.Any) -> None:
    interval = model.proc_params["reset_interval"]
    if model.time_step % interval == model.proc_params["reset_offset"] % interval:
        model.u[:] = 0
        model.v[:] = 0


@implements(proc=KWTA, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyKWTAFloat(AbstractPyLifModelFloat):
    """KWTA in floats."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    vth: float = LavaPyType(float, float)

    def spiking_activation(self) -> np.ndarray:
        """The winners of each group."""
        return winning(self.v - self.vth, self.proc_params["winners"], self.proc_params["groups"])

    def run_spk(self) -> None:
        """One step."""
        _reset_when_due(self)
        super().run_spk()


@implements(proc=KWTA, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyKWTAFixed(AbstractPyLifModelFixed):
    """KWTA in the integers of Loihi."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    vth: int = LavaPyType(int, np.int32, precision=17)

    def scale_threshold(self) -> None:
        """Line the threshold up with u and v."""
        self.effective_vth = np.left_shift(self.vth, self.vth_shift)
        self.isthrscaled = True

    def spiking_activation(self) -> np.ndarray:
        """The winners of each group."""
        overshoot = self.v.astype(np.int64) - self.effective_vth
        return winning(overshoot, self.proc_params["winners"], self.proc_params["groups"])

    def run_spk(self) -> None:
        """One step."""
        _reset_when_due(self)
        super().run_spk()
