"""Leaky integrate-and-fire neurons that rest after a spike, and can be reset and compete.

Lava's CPU simulator in floats only: stock Lava has no refractory neuron in fixed_pt.
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
from lava.proc.lif.models import AbstractPyLifModelFloat

from dlm_snn.neurons.competition import winning

Value = float | np.ndarray


class RefractoryLIF(AbstractProcess):
    """Leaky integrate-and-fire neurons with zero reset and a refractory period.

    u[t] = u[t-1] (1 - du) + a_in;  v[t] = v[t-1] (1 - dv) + u[t] + bias, but 0 in ``refractory`` steps after a spike;
    s_out = v > vth, then v = 0. As Lava's LIFRefractory, with a reset and a competition beside it. ProcessModel for
    floating_pt only.

    Args:
        shape: (n,).
        refractory: steps after a spike in which v is held at 0 while u goes on.
        du, dv, vth, bias_mant: numbers, or arrays (n,).
        winners: spikes a group may send in one step, those with the largest v - vth; None: no competition.
        groups: equal contiguous blocks that compete apart.
        reset_interval, reset_offset: the whole state is 0 before step t where t % interval == offset % interval.
        name: of the Process.
    """

    def __init__(
        self,
        *,
        shape: tuple[int],
        refractory: int,
        du: Value = 0,
        dv: Value = 0,
        vth: Value = 10,
        bias_mant: Value = 0,
        winners: int | None = None,
        groups: int = 1,
        reset_interval: int = 1,
        reset_offset: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(
            shape=shape,
            refractory=refractory,
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
        self.bias_exp = Var(shape=shape, init=0)


@implements(proc=RefractoryLIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyRefractoryLIFFloat(AbstractPyLifModelFloat):
    """RefractoryLIF in floats."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    vth: float = LavaPyType(float, float)

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self.waiting = np.zeros(proc_params["shape"], dtype=np.int64)

    def subthr_dynamics(self, activation_in: np.ndarray) -> None:
        """Integrate, but hold v where a spike was not long ago."""
        super().subthr_dynamics(activation_in)
        self.v[self.waiting > 0] = 0
        self.waiting[self.waiting > 0] -= 1

    def spiking_activation(self) -> np.ndarray:
        """Those above threshold, or the winners of each group."""
        return winning(self.v - self.vth, self.proc_params["winners"], self.proc_params["groups"])

    def reset_voltage(self, spike_vector: np.ndarray) -> None:
        """Zero where a spike is, and the steps to wait."""
        super().reset_voltage(spike_vector)
        self.waiting[spike_vector] = self.proc_params["refractory"]

    def run_spk(self) -> None:
        """One step."""
        interval = self.proc_params["reset_interval"]
        if self.time_step % interval == self.proc_params["reset_offset"] % interval:
            self.u[:] = 0
            self.v[:] = 0
            self.waiting[:] = 0
        super().run_spk()
