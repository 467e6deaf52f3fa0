"""snnTorch's neurons and ours: which equal which, and under which options."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
import snntorch as snn
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError, LossWarning, UnsupportedError
from dlm_snn.exchange.snntorch.parameters import each
from dlm_snn.neurons.li import LI
from dlm_snn.neurons.lif import LIF
from dlm_snn.neurons.models import spikes
from dlm_snn.surrogate import Surrogate, spiking
from dlm_snn.values import as_array

ONE = "one"
"""Name of the constant Input that carries biases into a filtered current."""
READER, WRITER = "a Network", "snnTorch"
SYNAPTIC = (snn.Synaptic, snn.RSynaptic)
RECURRENT = (snn.RLeaky, snn.RSynaptic)
KNOWN = (snn.Leaky, *SYNAPTIC, snn.RLeaky)


class Firing:
    """The ``spike_grad`` of our neurons: exact spikes in the dtype of v, with competition where asked.

    snnTorch's own functions return float32 whatever they get, which breaks a float64 network.

    Args:
        surrogate: a snnTorch function; its derivative is centered on the competition's threshold.
        winners, groups: as in LIF.
    """

    def __init__(self, surrogate: Surrogate, winners: int | None = None, groups: int = 1) -> None:
        self.surrogate, self.winners, self.groups = surrogate, winners, groups

    def __call__(self, overshoot: Tensor) -> Tensor:
        """The spikes of v - threshold."""
        if self.winners is None:
            return self.surrogate(overshoot).to(overshoot.dtype)
        return spiking(self.surrogate)(overshoot, self.winners, self.groups)


def lif_of(neuron: Any, shape: tuple[int, ...], bias: float | NDArray, where: str) -> LIF | LI:
    """The population that spikes as a snnTorch neuron does; decays and thresholds as stored, one or one a neuron.

    A Synaptic, RLeaky or RSynaptic that resets to zero with a delay is refractory for one step. A Leaky or Synaptic
    with reset_mechanism="none" is an LI: its mem is v, and the spikes that snnTorch makes of it, which reset nothing,
    are left out. A network refuses one that is not the last.

    Raises:
        UnsupportedError: an option that has no equal.
        DlmError: a parameter whose shape does not fit.
    """
    _check_neuron(neuron, where)
    _tell_reset(neuron, where)
    firing = neuron.spike_grad if isinstance(neuron.spike_grad, Firing) else Firing(neuron.spike_grad)

    parameters = _decays(neuron, shape, where) | {"bias": bias if np.any(bias) else 0.0}
    reset: Any = reset_of(neuron)
    if reset == "none":
        return LI(shape, **parameters)
    return LIF(
        shape,
        **parameters,
        v_threshold=_threshold(neuron, shape, where),
        reset=reset,
        winners=firing.winners,
        groups=firing.groups,
        refractory=int(reset == "zero" and drops_input(neuron)),
    )


def drops_input(neuron: Any) -> bool:
    """Whether a zero reset comes in the step after a spike and takes what enters the membrane there, too.

    v(t + 1) = (1 - s(t)) ((1 - dv) v(t) + u(t + 1)), a refractory period of one step. Leaky resets before it adds.
    RSynaptic has no other reset: with reset_delay=False, snnTorch 1.0.0 computes one and does not store it.
    """
    return type(neuron) is snn.RSynaptic or (type(neuron) in (snn.Synaptic, snn.RLeaky) and neuron.reset_delay)


_RESETS = {"_base_sub": "subtract", "_base_zero": "zero", "_base_int": "none"}
"""snnTorch's state functions."""


def reset_of(neuron: Any) -> str | None:
    """How a neuron resets when it runs: snnTorch chooses that when it is made, whatever ``reset_mechanism`` is set to.

    None: its state function is none of snnTorch's.
    """
    function = getattr(neuron.state_function, "__func__", None)
    name = getattr(function, "__name__", "")
    own = name in _RESETS and getattr(type(neuron), name, None) is function
    return _RESETS[name] if own and neuron.state_function.__self__ is neuron else None


def _tell_reset(neuron: Any, where: str) -> None:
    found, said = reset_of(neuron), neuron.reset_mechanism
    if found != said:
        told = f"{where} was made with reset_mechanism='{found}', and runs so; that it was set to '{said}' does nothing"
        warnings.warn(f"{told} in snnTorch, nor here: make it anew", LossWarning, stacklevel=2)


def _uneven_resets(neuron: Any) -> dict[str, tuple[bool, str]]:
    """Resets of which snnTorch's run has none of its own, or two."""
    found = reset_of(neuron)
    second = next((name for name, value in neuron.reset_dict.items() if value == int(neuron.reset_mechanism_val)), None)
    told = (
        f"reset_mechanism='{second}', set after it was made with '{found}', beside reset_delay=False, which does both"
    )
    return {
        "a state_function of its own": (found is None, "use snnTorch's, or tell what equals it by neurons="),
        told: (not neuron.reset_delay and second != found, f"make it anew with reset_mechanism='{second}'"),
    }


def li_of(neuron: Any, shape: tuple[int, ...], where: str) -> LI:
    """The leaky integrator whose v is the membrane of a snnTorch neuron with reset_mechanism "none".

    Raises:
        UnsupportedError: a recurrent neuron, or one whose states are quantized.
        DlmError: a parameter whose shape does not fit.
    """
    if type(neuron) in RECURRENT:
        thing, remedy = "recurrence and reset_mechanism='none'", "use 'subtract', or 'zero' with reset_delay=False"
        raise UnsupportedError(READER, f"{where} with {thing}", remedy)
    for thing, (refused, remedy) in _uneven_resets(neuron).items():
        if refused:
            raise UnsupportedError(READER, f"{where} with {thing}", remedy)
    _tell_reset(neuron, where)
    if neuron.state_quant:
        raise UnsupportedError(READER, f"{where} with state_quant", "leave it out and quantize the Network instead")
    return LI(shape, **_decays(neuron, shape, where))


def _decays(neuron: Any, shape: tuple[int, ...], where: str) -> dict[str, Any]:
    """du and dv, as stored."""
    filtered = isinstance(neuron, SYNAPTIC)
    return {
        "du": 1 - _each("alpha", neuron.alpha.clamp(0, 1), shape, where) if filtered else 1.0,
        "dv": 1 - _each("beta", neuron.beta.clamp(0, 1), shape, where),
    }


def _each(key: str, value: Tensor, shape: tuple[int, ...], where: str) -> Any:
    """One number, or one a neuron."""
    values = array(value)
    try:
        return each(values, shape)
    except ValueError as error:
        inner = getattr(shape, "values", shape)
        what = f"{key} of shape {values.shape} does not fit neurons of the shape {inner}"
        raise DlmError(f"{where}: {what}; give one value, or one a neuron") from error


def _check_neuron(neuron: Any, where: str) -> None:
    """Refuse every option under which a snnTorch neuron differs from LIF, and from LI where it is without reset."""
    kind, zero, subtract = type(neuron), reset_of(neuron) == "zero", reset_of(neuron) == "subtract"
    competing = isinstance(neuron.spike_grad, Firing) and neuron.spike_grad.winners is not None
    refusals = {
        **_uneven_resets(neuron),
        "reset_mechanism='none', whose spikes come back": (
            not zero and not subtract and kind in RECURRENT,
            "use 'zero' or 'subtract'",
        ),
        f"a threshold of {neuron.threshold.detach().min().item():g}, at which it spikes at rest": (
            bool((neuron.threshold <= 0 if _step_of(neuron) == "at" else neuron.threshold < 0).any())
            and reset_of(neuron) != "none",
            "give one of 0 or more",
        ),
        "inhibition=True": (neuron.inhibition, "use spike_grad=Firing(surrogate, winners=1) with reset_delay=True"),
        "state_quant": (bool(neuron.state_quant), "leave it out and quantize the Network instead"),
        "graded_spikes_factor other than 1": (
            bool((neuron.graded_spikes_factor != 1).any()),
            "multiply the weights that follow by it",
        ),
        "reset 'subtract' with reset_delay=False, which subtracts before the decay": (
            subtract and not neuron.reset_delay and kind is not snn.RSynaptic,
            "train with reset_delay=True",
        ),
        "reset_delay=False with competition, which resets the losers a step later": (
            zero and not neuron.reset_delay and competing and kind is not snn.RSynaptic,
            "use Leaky with reset_delay=True",
        ),
        "a spike_grad that is not a step at 0": (
            _step_of(neuron) is None,
            "use one of snnTorch's deterministic surrogates",
        ),
    }
    for thing, (refused, remedy) in refusals.items():
        if refused:
            raise UnsupportedError(READER, f"{where} with {thing}", remedy)


def _threshold(neuron: Any, shape: tuple[int, ...], where: str) -> Any:
    """v >= threshold is v > the largest double below it."""
    threshold = _each("threshold", neuron.threshold, shape, where)
    return np.nextafter(threshold, -np.inf) if _step_of(neuron) == "at" else threshold


def _step_of(neuron: Any) -> Literal["above", "at"] | None:
    """Whether it spikes above the threshold, or at it too; None: its spike_grad is no step there."""
    if isinstance(neuron.spike_grad, Firing):
        return "above"
    # Of all sizes that a membrane may have, and dense where most have theirs: it may be a window as well as a step.
    sizes = np.concatenate([np.logspace(-6, 9, 241), np.arange(1, 601) / 20])
    probe = torch.tensor(np.concatenate([-sizes, [0.0], sizes])[None], dtype=torch.float32, device="cpu")
    try:
        spikes = neuron.spike_grad(probe)
    except Exception:
        # snnTorch 1.0.0's own LSO cannot be called; whatever fails here makes no spikes that could be taken.
        return None
    if not torch.is_tensor(spikes):
        return None
    steps: dict[Literal["above", "at"], Tensor] = {"above": probe > 0, "at": probe >= 0}
    return next((kind for kind, step in steps.items() if torch.equal(spikes.detach().float(), step.float())), None)


def array(value: Tensor) -> NDArray[np.float64]:
    """A parameter as stored, in float64."""
    return as_array(value, "a parameter of the module").astype(np.float64)


def _refuse_writing(name: str, neuron: LIF | LI, zero: bool, leaky: bool, loop: Connection | None) -> None:
    """What snnTorch has no neuron for, by name."""
    refusals = {
        f"the refractory period of '{name}'": (neuron.refractory, "use the reference or Lava floating point"),
        f"'{name}': competition with a zero reset and a filtered current (du < 1)": (
            zero and not leaky and neuron.winners is not None,
            "set du = 1, or reset='subtract'",
        ),
        f"LIF.bias of '{name}' beside a filtered current (du < 1)": (
            not leaky and np.any(neuron.bias),
            f"give it by a Projection from a constant aligned Input '{ONE}'",
        ),
        f"'{name}': a recurrent layer with competition": (
            loop is not None and neuron.winners is not None,
            "run the network with backend='snntorch' instead",
        ),
        f"'{name}': a recurrent layer with a zero reset and a filtered current (du < 1)": (
            loop is not None and zero and not leaky,
            "set du = 1, or reset='subtract'",
        ),
    }
    for thing, (refused, remedy) in refusals.items():
        if refused:
            raise UnsupportedError(WRITER, thing, remedy)


def neuron_module(
    name: str,
    neuron: LIF | LI,
    surrogate: Surrogate | None = None,
    init_hidden: bool = False,
    loop: Connection | None = None,
) -> Any:
    """The snnTorch neuron that spikes as a LIF population does, or has the v of an LI, in float64.

    du = 1: Leaky, to whose input the caller adds the bias; else Synaptic, with reset_delay=False for a zero reset. With
    ``loop``: RLeaky or RSynaptic. An LI: without reset; with ``init_hidden`` it gives (spikes, [syn,] mem).

    Args:
        name, neuron: the population.
        surrogate: for further training; snnTorch's default, atan, without it.
        init_hidden: the module keeps its state, and parameters have the population's shape behind the sample axis.
        loop: the connection from the population to itself, one step later.

    Raises:
        UnsupportedError: a refractory period; with du < 1 a bias, or competition with a zero reset; with a loop
            competition, or du < 1 with a zero reset.
    """
    zero, leaky = neuron.reset == "zero", bool(np.all(np.asarray(neuron.du) == 1))
    _refuse_writing(name, neuron, zero, leaky, loop)

    def each(value: Any) -> Tensor:
        values = np.array(value, dtype=np.float64)
        return torch.tensor(values.reshape(neuron.shape) if init_hidden and values.ndim else values, device="cpu")

    options: dict[str, Any] = {
        "beta": each(1 - np.asarray(neuron.dv)),
        "threshold": each(neuron.v_threshold),
        "spike_grad": Firing(surrogate or snn.surrogate.atan(), neuron.winners, neuron.groups),
        "reset_mechanism": neuron.reset if spikes(neuron) else "none",
        "init_hidden": init_hidden,
        "output": init_hidden and not spikes(neuron),
        **({} if leaky else {"alpha": each(1 - np.asarray(neuron.du))}),
    }
    # snnTorch makes its buffers on the default device, whatever that is.
    with torch.device("cpu"):
        if loop is not None:
            kind: Any = snn.RLeaky if leaky else snn.RSynaptic
            module = kind(**options, **_loop_options(loop), reset_delay=not zero)
            _set_loop(module, loop)
        else:
            module = snn.Leaky(**options) if leaky else snn.Synaptic(**options, reset_delay=not zero)
    # snnTorch keeps every neuron it makes in a list of its class, for good; hidden states are reset through it.
    if not init_hidden:
        snn.SpikingNeuron.instances.remove(module)
    return module


def _loop_options(loop: Connection) -> dict[str, Any]:
    if isinstance(loop, Conv2d):
        return {"conv2d_channels": loop.input_shape[0], "kernel_size": loop.weight.shape[2:]}
    if _is_diagonal(loop):
        return {"all_to_all": False, "V": torch.tensor(loop.sparse().dense().diagonal().copy(), device="cpu")}
    return {"linear_features": loop.n_post}


def _is_diagonal(loop: Connection) -> bool:
    return isinstance(loop, Sparse) and bool(np.all(loop.post == loop.pre))


def _set_loop(module: Any, loop: Connection) -> None:
    if _is_diagonal(loop):
        return
    module.recurrent.double()
    with torch.no_grad():
        weight = loop.weight if isinstance(loop, (Conv2d, Dense)) else loop.sparse().dense()
        module.recurrent.weight.copy_(torch.tensor(np.array(weight), device="cpu"))
        module.recurrent.bias.zero_()
