"""A whole network as one Lava Process: what the graph of stock processes computes, without its messages.

CPU only: the graph of stock processes is what goes to hardware.
"""

import typing as ty

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from dlm_snn.backends.fast import Engine
from dlm_snn.networks.known import check_known


class Fused(AbstractProcess):
    """A network with an open port for every Input and every neuron population, on the clock of Lava.

    Events of step t of a window (t = 0, 1, ...) are received in Lava's step t + 1; a population of depth d sends its
    step t in Lava's step t + d + 1, as the graph of stock processes does. Outputs are sent before inputs are awaited,
    so that a loop through other processes runs. Ports ``in_NAME`` and ``out_NAME``, Vars ``u_NAME`` and ``v_NAME``,
    of shape (n,), or (n, samples); what is set in them between two runs is what the network goes on from.

    Args:
        network: a Network (floating_pt) or IntegerNetwork (fixed_pt).
        samples: a batch; None: one sample, and no such axis.
        name: of the Process.
    """

    def __init__(self, *, network: ty.Any, samples: int | None = None, name: str | None = None) -> None:
        super().__init__(network=network, samples=samples, name=name)
        check_known(network, "lava-fused")
        for population, inner in network.populations.items():
            shape = (inner.n,) if samples is None else (inner.n, samples)
            if population in network.inputs:
                setattr(self, f"in_{population}", InPort(shape=shape))
            else:
                setattr(self, f"out_{population}", OutPort(shape=shape))
                for key in ("u", "v"):
                    setattr(self, f"{key}_{population}", Var(shape=shape, init=0))


class FusedRun(AbstractProcess):
    """A network that reads its stimuli from files and writes its rasters to files, a step of every window a Lava step.

    Args:
        network: a Network (floating_pt) or IntegerNetwork (fixed_pt).
        samples: the batch.
        stimuli: Input -> an .npy file (sample, step, neuron), or (sample, 1, neuron) for values held constant.
        spikes: population -> an existing .npy file (step, sample, neuron) of uint8, for those to record.
        traces: population -> an existing .npy file (step, 2, sample, neuron) for u and v.
        name: of the Process.
    """

    def __init__(
        self,
        *,
        network: ty.Any,
        samples: int,
        stimuli: ty.Mapping[str, str],
        spikes: ty.Mapping[str, str],
        traces: ty.Mapping[str, str],
        name: str | None = None,
    ) -> None:
        super().__init__(network=network, samples=samples, stimuli=stimuli, spikes=spikes, traces=traces, name=name)
        check_known(network, "lava-fused")


class _AnyPort(type(PyLoihiProcessModel)):  # type: ignore[misc]
    """Gives a model the types of ports and Vars that are named after the populations of a network."""

    def __getattr__(cls, name: str) -> ty.Any:
        kind, _, population = name.partition("_")
        if not population or kind not in ("in", "out", "u", "v"):
            raise AttributeError(name)
        number, precision = cls.__dict__["number"]
        form = {"in": PyInPort.VEC_DENSE, "out": PyOutPort.VEC_DENSE}.get(kind, np.ndarray)
        return LavaPyType(form, number, precision=precision)


class _Clocked(PyLoihiProcessModel, metaclass=_AnyPort):
    """What both models of Fused share."""

    number: ty.Any = (float, None)

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        network, samples = proc_params["network"], proc_params["samples"]
        self.network = network
        self.engine = Engine(network, samples or 1, machine=True)
        self.shapes = {n: (p.n,) if samples is None else (p.n, samples) for n, p in network.populations.items()}

    def run_spk(self) -> None:
        """One step of every population whose window is open."""
        for name in self.network.neurons:
            step = self.time_step - 1 - self.network.depth[name]
            spikes = np.zeros(self.shapes[name], dtype=np.uint8)
            if step >= 0:
                spikes = self._outward(name, self.engine.compute(name, step).s)
                for key in ("u", "v"):
                    getattr(self, f"{key}_{name}")[...] = self._outward(name, getattr(self.engine.states[name], key))
            getattr(self, f"out_{name}").send(spikes)
        for name, population in self.network.inputs.items():
            values = getattr(self, f"in_{name}").recv().T.reshape(self.engine.n_samples, -1)
            self.engine.put(name, self.time_step - 1, values if population.graded_bits else values != 0)

    def _set_var(self) -> None:
        """What is written into u or v is what the next step starts from."""
        super()._set_var()
        for name, state in self.engine.states.items():
            for key in ("u", "v"):
                getattr(state, key)[...] = getattr(self, f"{key}_{name}").T.reshape(self.engine.n_samples, -1)

    def _outward(self, name: str, values: np.ndarray) -> np.ndarray:
        """(sample, neuron) as the ports have it."""
        return values.T.reshape(self.shapes[name])


@implements(proc=Fused, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyFusedFloat(_Clocked):
    """Networks of floats."""

    number = (float, None)


@implements(proc=Fused, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyFusedFixed(_Clocked):
    """Networks of integers."""

    number = (np.int32, 24)


@implements(proc=FusedRun, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt", "bit_accurate_loihi", "fixed_pt")
class PyFusedRun(PyLoihiProcessModel):
    """Networks of floats and of integers."""

    def __init__(self, proc_params: ty.Any) -> None:
        super().__init__(proc_params)
        self.network = proc_params["network"]
        self.engine = Engine(self.network, proc_params["samples"])
        self.stimuli = {name: np.load(path, mmap_mode="r") for name, path in proc_params["stimuli"].items()}
        self.spikes = {name: np.load(path, mmap_mode="r+") for name, path in proc_params["spikes"].items()}
        self.traces = {name: np.load(path, mmap_mode="r+") for name, path in proc_params["traces"].items()}

    def run_spk(self) -> None:
        """One step of window time."""
        step = self.time_step - 1
        for name in self.network.order:
            if name in self.stimuli:
                values = self.stimuli[name]
                constant = values.shape[1] == 1
                self.engine.put(name, step, values[:, 0 if constant else step], constant)
                continue
            sent = self.engine.compute(name, step)
            if name in self.spikes:
                self.spikes[name][step] = sent.s
            if name in self.traces:
                state = self.engine.states[name]
                self.traces[name][step, 0], self.traces[name][step, 1] = state.u, state.v
