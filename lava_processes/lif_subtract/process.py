"""Leaky integrate-and-fire neurons that lose their threshold at a spike, one step later.

Lava's CPU simulator in floats only: neither fixed_pt nor Loihi 2 has such a neuron.
"""

import typing as ty

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from lava_processes.neurons.process import FloatNeurons, NeuronProcess


class LIFSubtract(NeuronProcess):
    """Leaky integrate-and-fire neurons with reset by subtraction, as snnTorch's default has it.

    u[t] = u[t-1] (1 - du) + a_in;  v[t] = v[t-1] (1 - dv) + u[t] + bias - vth s_out[t-1];  s_out = v > vth.
    ProcessModel for floating_pt only; arguments as NeuronProcess has them.
    """


@implements(proc=LIFSubtract, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyLIFSubtractFloat(FloatNeurons):
    """LIFSubtract in floats."""

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self.last = np.zeros(proc_params["shape"], dtype=bool)

    def subthr_dynamics(self, activation_in: np.ndarray) -> None:
        """Integrate, and subtract for the spikes of the step before."""
        super().subthr_dynamics(activation_in)
        self.v[:] = self.v - self.vth * self.last

    def reset_voltage(self, spike_vector: np.ndarray) -> None:
        """Nothing is reset in the spike's own step."""
        self.last = spike_vector

    def rest(self) -> None:
        """No spike of the step before either."""
        super().rest()
        self.last = np.zeros_like(self.last)
