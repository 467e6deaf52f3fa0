"""A stimulus read from a memory-mapped file, sample after sample; graded values or binary spikes."""

import typing as ty

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class StimulusSource(AbstractProcess):
    """Sends values[first + i, t] in step i * period + t + 1 for t < n_steps, and zeros in between and after.

    Args:
        path: an .npy file of shape (sample, step, n), or (sample, 1, n) for values held constant.
        n: number of values a step.
        n_steps: steps that are sent of each sample.
        period: steps from one sample to the next, >= n_steps.
        first, count: which samples are sent.
        name: of the Process.
    """

    def __init__(
        self,
        *,
        path: str,
        n: int,
        n_steps: int,
        period: int,
        first: int = 0,
        count: int = 1,
        name: str | None = None,
    ) -> None:
        super().__init__(path=path, n=n, n_steps=n_steps, period=period, first=first, count=count, name=name)
        self.s_out = OutPort(shape=(n,))


class _Sender(PyLoihiProcessModel):
    """What both models share: which values belong to a step."""

    s_out: ty.Any

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        first, count = proc_params["first"], proc_params["count"]
        self.values = np.load(proc_params["path"], mmap_mode="r")[first : first + count]
        self.silence = np.zeros(proc_params["n"], dtype=self.values.dtype)

    def run_spk(self) -> None:
        """Send the values of this step."""
        sample, step = divmod(self.time_step - 1, self.proc_params["period"])
        if sample >= self.values.shape[0] or step >= self.proc_params["n_steps"]:
            self.s_out.send(self.silence)
        else:
            self.s_out.send(np.array(self.values[sample, step if self.values.shape[1] > 1 else 0]))


@implements(proc=StimulusSource, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PySourceFloat(_Sender):
    """Real values."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)


@implements(proc=StimulusSource, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PySourceFixed(_Sender):
    """The integers that events carry."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
