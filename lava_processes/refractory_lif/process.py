"""Leaky integrate-and-fire neurons that rest after a spike, and can be reset and compete.

Lava's CPU simulator in floats only: stock Lava has no refractory neuron in fixed_pt.
"""

import typing as ty

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from lava_processes.neurons.process import FloatNeurons, NeuronProcess


class RefractoryLIF(NeuronProcess):
    """Leaky integrate-and-fire neurons with zero reset and a refractory period.

    u[t] = u[t-1] (1 - du) + a_in;  v[t] = v[t-1] (1 - dv) + u[t] + bias, but 0 in ``refractory`` steps after a spike;
    s_out = v > vth, then v = 0. As Lava's LIFRefractory, with a reset and a competition beside it. ProcessModel for
    floating_pt only.

    Args:
        refractory: steps after a spike in which v is held at 0 while u goes on.
        parameters: of NeuronProcess.
    """

    def __init__(self, *, refractory: int, **parameters: ty.Any) -> None:
        super().__init__(refractory=refractory, **parameters)


@implements(proc=RefractoryLIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyRefractoryLIFFloat(FloatNeurons):
    """RefractoryLIF in floats."""

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self.waiting = np.zeros(proc_params["shape"], dtype=np.int64)

    def subthr_dynamics(self, activation_in: np.ndarray) -> None:
        """Integrate, but hold v where a spike was not long ago."""
        super().subthr_dynamics(activation_in)
        self.v[self.waiting > 0] = 0
        self.waiting[self.waiting > 0] -= 1

    def reset_voltage(self, spike_vector: np.ndarray) -> None:
        """Zero where a spike is, and the steps to wait."""
        super().reset_voltage(spike_vector)
        self.waiting[spike_vector] = self.proc_params["refractory"]

    def rest(self) -> None:
        """Nobody waits."""
        super().rest()
        self.waiting[:] = 0
