"""Leaky integrate-and-fire neurons that lose their threshold at a spike, one step later.

Lava's CPU simulator in floats only: neither fixed_pt nor Loihi 2 has such a neuron.
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


class LIFSubtract(AbstractProcess):
    """Leaky integrate-and-fire neurons with reset by subtraction, as snnTorch's default has it.

    u[t] = u[t-1] (1 - du) + a_in;  v[t] = v[t-1] (1 - dv) + u[t] + bias - vth s_out[t-1];  s_out = v > vth.
    ProcessModel for floating_pt only.

    Args:
        shape: (n,).
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


@implements(proc=LIFSubtract, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyLIFSubtractFloat(AbstractPyLifModelFloat):
    """LIFSubtract in floats."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    vth: float = LavaPyType(float, float)

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self.last = np.zeros(proc_params["shape"], dtype=bool)

    def subthr_dynamics(self, activation_in: np.ndarray) -> None:
        """Integrate, and subtract for the spikes of the step before."""
        super().subthr_dynamics(activation_in)
        self.v[:] = self.v - self.vth * self.last

    def spiking_activation(self) -> np.ndarray:
        """Those above threshold, or the winners of each group."""
        return winning(self.v - self.vth, self.proc_params["winners"], self.proc_params["groups"])

    def reset_voltage(self, spike_vector: np.ndarray) -> None:
        """Nothing is reset in the spike's own step."""
        self.last = spike_vector

    def run_spk(self) -> None:
        """One step."""
        interval = self.proc_params["reset_interval"]
        if self.time_step % interval == self.proc_params["reset_offset"] % interval:
            self.u[:] = 0
            self.v[:] = 0
            self.last = np.zeros_like(self.last)
        super().run_spk()
