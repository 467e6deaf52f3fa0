"""Leaky integrate-and-fire neurons of which at most k of each group spike in a step.

The dynamics are those of Lava's LIFReset; only the spiking rule differs. CPU only: on Loihi 2 it needs microcode.
"""

import typing as ty

from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from lava_processes.neurons.process import FixedNeurons, FloatNeurons, NeuronProcess


class KWTA(NeuronProcess):
    """Leaky integrate-and-fire neurons with k-winners-take-all.

    u[t] = u[t-1] (1 - du) + a_in;  v[t] = v[t-1] (1 - dv) + u[t] + bias;
    s_out = those of v > vth with the largest v - vth, at most ``winners`` of each group, equal ones by lower index;
    v = 0 where s_out. Parameters in the integers of fixed-point targets, or floats, as for Lava's LIF.

    Args:
        winners: spikes a group may send in one step.
        parameters: of NeuronProcess.
    """

    def __init__(self, *, winners: int, **parameters: ty.Any) -> None:
        super().__init__(winners=winners, **parameters)


@implements(proc=KWTA, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyKWTAFloat(FloatNeurons):
    """KWTA in floats."""


@implements(proc=KWTA, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyKWTAFixed(FixedNeurons):
    """KWTA in the integers of Loihi."""
