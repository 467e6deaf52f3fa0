"""Lava's Conv between populations whose neurons are numbered channel first.

Any target that takes Lava's Conv: this Process only turns axes, which Lava does where it connects the ports.
"""

import typing as ty

import numpy as np
from lava.magma.core.decorator import implements
from lava.magma.core.model.sub.model import AbstractSubProcessModel
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.conv.process import Conv

Pair = tuple[int, int]


class Convolution(AbstractProcess):
    """A Process around Lava's Conv with flat ports: a_out = cross-correlation of s_in, one step later.

    Lava's Conv has the channel last and turns its kernel by half a turn (a true convolution); here axes and kernel
    are as in ``dlm_snn.connections.conv2d``.

    Args:
        weight: (output channel, input channel of its group, row, column).
        input_shape, output_shape: (channel, row, column); ``s_in`` and ``a_out`` are flat, in C order.
        stride, padding, dilation: (row, column).
        groups: equal contiguous blocks of channels that are convolved apart.
        num_message_bits: 0 for binary spikes, above 0 for graded ones.
        name: of the Process.
    """

    def __init__(
        self,
        *,
        weight: np.ndarray,
        input_shape: tuple[int, int, int],
        output_shape: tuple[int, int, int],
        stride: Pair,
        padding: Pair,
        dilation: Pair,
        groups: int,
        num_message_bits: int = 0,
        name: str | None = None,
    ) -> None:
        channel, row, column = input_shape
        options = {
            "weight": np.flip(weight, (2, 3)).transpose(0, 2, 3, 1).copy(),
            "input_shape": (row, column, channel),
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "groups": groups,
            "num_message_bits": num_message_bits,
        }
        super().__init__(conv=options, input_shape=input_shape, name=name)
        self.s_in = InPort(shape=(int(np.prod(input_shape)),))
        self.a_out = OutPort(shape=(int(np.prod(output_shape)),))


@implements(proc=Convolution, protocol=LoihiProtocol)
class ConvolutionModel(AbstractSubProcessModel):
    """Conv and the turning of axes at its ports."""

    def __init__(self, proc: ty.Any) -> None:
        self.conv = Conv(**proc.proc_params["conv"], name=f"{proc.name} conv")
        proc.in_ports.s_in.reshape(proc.proc_params["input_shape"]).transpose((1, 2, 0)).connect(self.conv.s_in)
        self.conv.a_out.transpose((2, 0, 1)).flatten().connect(proc.out_ports.a_out)
