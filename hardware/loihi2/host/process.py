"""Events from, and spikes into, files that are mapped into memory: reading a Var back costs 25 us a scalar.

And a line that holds events back, for the simulator alone: a chip delays at its synapses, as Lava's DelaySparse and
DelayDense do, whose models on the CPU split the matrix of synapses anew in every step.
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


class Source(AbstractProcess):
    """Sends values[w, t] in step w * period + t + 1 for t < n_steps of each window w, and zeros in between and after.

    Args:
        path: an .npy file of shape (window, step, n), both of the first two 1 where all are alike.
        n: number of values a step.
        n_windows, n_steps, period: windows, steps that are sent of each, and steps from one to the next.
        name: of the Process.
    """

    def __init__(self, *, path: str, n: int, n_windows: int, n_steps: int, period: int, name: str) -> None:
        super().__init__(path=path, n=n, n_windows=n_windows, n_steps=n_steps, period=period, name=name)
        self.s_out = OutPort(shape=(n,))


class Sink(AbstractProcess):
    """Writes what arrives in step t to row t - 1 of an .npy file; steps beyond the last row are dropped.

    Args:
        path: an .npy file of shape (step, n) and type uint8, which is there.
        progress: an .npy file of one number, which is there: the latest step.
        n: number of neurons.
        name: of the Process.
    """

    def __init__(self, *, path: str, progress: str, n: int, name: str) -> None:
        super().__init__(path=path, progress=progress, n=n, name=name)
        self.a_in = InPort(shape=(n,))


class Line(AbstractProcess):
    """Sends in step t what arrived in step t - steps; before that, zeros.

    Args:
        n: number of values a step.
        steps: how long they are held, >= 1.
        name: of the Process.
    """

    def __init__(self, *, n: int, steps: int, name: str) -> None:
        super().__init__(n=n, steps=steps, name=name)
        self.s_in = InPort(shape=(n,))
        self.s_out = OutPort(shape=(n,))


@implements(proc=Source, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PySource(PyLoihiProcessModel):
    """On the host, with a chip and without one."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self.values = np.load(proc_params["path"], mmap_mode="r")
        self.silence = np.zeros(proc_params["n"], dtype=self.values.dtype)

    def run_spk(self) -> None:
        """Send the values of this step."""
        window, step = divmod(self.time_step - 1, self.proc_params["period"])
        if window >= self.proc_params["n_windows"] or step >= self.proc_params["n_steps"]:
            self.s_out.send(self.silence)
            return
        windows, steps, _ = self.values.shape
        self.s_out.send(np.array(self.values[window if windows > 1 else 0, step if steps > 1 else 0]))


@implements(proc=Sink, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PySink(PyLoihiProcessModel):
    """On the host, with a chip and without one."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self.rows = np.load(proc_params["path"], mmap_mode="r+")
        self.progress = np.load(proc_params["progress"], mmap_mode="r+")

    def run_spk(self) -> None:
        """Write the spikes of this step."""
        spikes = self.a_in.recv()
        if self.time_step <= self.rows.shape[0]:
            self.rows[self.time_step - 1] = spikes != 0
        self.progress[0] = self.time_step


@implements(proc=Line, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyLine(PyLoihiProcessModel):
    """A ring of the last steps."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self.ring: list = [np.zeros(proc_params["n"], dtype=np.int32)] * proc_params["steps"]

    def run_spk(self) -> None:
        """One step; it sends first, so that loops do not wait for themselves."""
        place = self.time_step % len(self.ring)
        self.s_out.send(self.ring[place])
        self.ring[place] = self.s_in.recv()
