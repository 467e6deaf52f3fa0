"""What our neuron Processes share: ports, state and parameters, resets on the clock, the competition.

Nothing here runs by itself: a Process of ours and its models inherit from these, each in a folder of its own.
"""

import typing as ty

import numpy as np
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.proc.lif.models import AbstractPyLifModelFixed, AbstractPyLifModelFloat

from dlm_snn.neurons.competition import winning

Value = float | np.ndarray


class NeuronProcess(AbstractProcess):
    """Leaky integrate-and-fire neurons, with the parameters of Lava's LIF.

    Args:
        shape: (n,).
        du, dv, vth, bias_mant: numbers, or arrays (n,).
        bias_exp: as in Lava's LIF; fixed_pt only.
        winners: spikes a group may send in one step, those with the largest v - vth; None: no competition.
        groups: equal contiguous blocks that compete apart.
        reset_interval, reset_offset: the whole state is 0 before step t where t % interval == offset % interval.
        name: of the Process.
        own: what else its model needs.
    """

    def __init__(
        self,
        *,
        shape: tuple[int],
        du: Value = 0,
        dv: Value = 0,
        vth: Value = 10,
        bias_mant: Value = 0,
        bias_exp: int = 0,
        winners: int | None = None,
        groups: int = 1,
        reset_interval: int = 1,
        reset_offset: int = 0,
        name: str | None = None,
        **own: ty.Any,
    ) -> None:
        super().__init__(
            shape=shape,
            winners=winners,
            groups=groups,
            reset_interval=reset_interval,
            reset_offset=reset_offset,
            name=name,
            **own,
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


class _Resting(PyLoihiProcessModel):
    """A model that is put to rest on the clock."""

    u: np.ndarray
    v: np.ndarray

    def rest(self) -> None:
        """The whole state is 0."""
        self.u[:] = 0
        self.v[:] = 0

    def run_spk(self) -> None:
        """One step."""
        interval = self.proc_params["reset_interval"]
        if self.time_step % interval == self.proc_params["reset_offset"] % interval:
            self.rest()
        super().run_spk()

    def _winning(self, overshoot: np.ndarray) -> np.ndarray:
        return winning(overshoot, self.proc_params["winners"], self.proc_params["groups"])


class FloatNeurons(_Resting, AbstractPyLifModelFloat):
    """A model in floats."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    vth: float = LavaPyType(float, float)

    def spiking_activation(self) -> np.ndarray:
        """Those above threshold, or the winners of each group."""
        return self._winning(self.v - self.vth)


class FixedNeurons(_Resting, AbstractPyLifModelFixed):
    """A model in the integers of Loihi."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    vth: int = LavaPyType(int, np.int32, precision=17)

    def scale_threshold(self) -> None:
        """Line the threshold up with u and v."""
        self.effective_vth = np.left_shift(self.vth, self.vth_shift)
        self.isthrscaled = True

    def spiking_activation(self) -> np.ndarray:
        """Those above threshold, or the winners of each group."""
        return self._winning(self.v.astype(np.int64) - self.effective_vth)
