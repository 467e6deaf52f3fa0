"""snnTorch: a stack of Linear layers and neurons as a Network, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import snntorch as snn
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.network import Input, Network, Projection
from dlm_snn.neurons.lif import LIF
from dlm_snn.surrogate import Surrogate, spiking

ONE = "one"
"""Name of the constant Input that carries biases into a filtered current."""

_READER, _WRITER = "a Network", "snnTorch"
_SYNAPTIC = (snn.Synaptic, snn.RSynaptic)
_RECURRENT = (snn.RLeaky, snn.RSynaptic)
_KNOWN = (snn.Leaky, *_SYNAPTIC, snn.RLeaky)


class Firing:
    """The ``spike_grad`` of our neurons: exact spikes in the dtype of v, with competition where asked.

    snnTorch's own functions return float32 whatever they get, which breaks a float64 network.

    Args:
        surrogate: a snnTorch function; its derivative is centred on the competition's threshold.
        winners, groups: as in LIF.
    """

    def __init__(self, surrogate: Surrogate, winners: int | None = None, groups: int = 1) -> None:
        self.surrogate, self.winners, self.groups = surrogate, winners, groups

    def __call__(self, overshoot: Tensor) -> Tensor:
        """The spikes of v - threshold."""
        if self.winners is None:
            return self.surrogate(overshoot).to(overshoot.dtype)
        return spiking(self.surrogate)(overshoot, self.winners, self.groups)


def from_snntorch(
    modules: nn.Module | Iterable[Any], pixels: Input | None = None, names: Sequence[str] | None = None
) -> Network:
    """A Network that spikes as a stack of snnTorch layers does.

    Decays, thresholds and weights are taken as stored: beta = .9 in float32 is .89999998. A Linear's bias becomes
    LIF.bias where the current is not filtered, else synapses from a constant aligned Input ``one``.

    Args:
        modules: Linear, neuron, Linear, neuron, ... in a Sequential, a list, or a list of pairs. Neurons: Leaky,
            Synaptic, RLeaky, RSynaptic with reset "zero" or "subtract".
        pixels: the Input; binary spikes by default.
        names: of the Input and of each neuron layer; default pixels, hidden (hidden1, hidden2, ...), output.

    Raises:
        UnsupportedError: a module or an option that has no equal, such as reset_mechanism="none".
        DlmError: names or sizes that do not fit.
    """
    layers = _pairs(modules)
    names = list(names) if names is not None else _default_names(len(layers))
    if len(names) != len(layers) + 1:
        raise DlmError(f"{len(names)} names for an Input and {len(layers)} layers; give {len(layers) + 1}")
    populations: dict[str, Any] = {names[0]: pixels or Input((layers[0][0].in_features,))}
    projections = []
    for index, (linear, neuron) in enumerate(layers):
        name = names[index + 1]
        where = f"layer '{name}' ({type(neuron).__name__})"
        _check_neuron(neuron, where)
        constant = _constant(linear, neuron)
        synaptic = isinstance(neuron, _SYNAPTIC)
        populations[name] = _neuron(neuron, linear.out_features, 0.0 if synaptic else constant)
        projections.append(Projection(names[index], name, Dense(_array(linear.weight))))
        if isinstance(neuron, _RECURRENT):
            projections.append(Projection(name, name, Dense(_recurrent(neuron, linear.out_features, where)[0])))
        if synaptic and np.any(constant):
            populations[ONE] = Input((1,), graded_bits=1, aligned=True)
            projections.append(Projection(ONE, name, Dense(constant[:, None])))
    return Network(populations, projections)


def _pairs(modules: nn.Module | Iterable[Any]) -> list[tuple[nn.Linear, Any]]:
    """(Linear, neuron) for each layer."""
    if isinstance(modules, nn.Module) and not isinstance(modules, (nn.Sequential, nn.ModuleList)):
        raise DlmError(f"{type(modules).__name__} hides its order of layers; give a Sequential or a list of its layers")
    flat: list[Any] = []
    for module in modules:  # type: ignore[union-attr]
        flat.extend(module if isinstance(module, (tuple, list, nn.Sequential)) else [module])
    if flat and type(flat[0]) is nn.Flatten:
        flat = flat[1:]
    for index, module in enumerate(flat):
        expected: tuple[type, ...] = _KNOWN if index % 2 else (nn.Linear,)
        if type(module) not in expected:
            wanted = " or ".join(kind.__name__ for kind in expected)
            raise UnsupportedError(_READER, f"module {index}, {type(module).__name__}", f"expected {wanted} there")
    if not flat or len(flat) % 2:
        raise DlmError(f"{len(flat)} modules; give Linear, neuron, Linear, neuron, ...")
    return list(zip(flat[::2], flat[1::2], strict=True))


def _default_names(n_layers: int) -> list[str]:
    hidden = ["hidden"] if n_layers == 2 else [f"hidden{i}" for i in range(1, n_layers)]
    return ["pixels", *hidden, "output"]


def _array(value: Tensor) -> NDArray[np.float64]:
    return value.detach().double().cpu().numpy()


def _check_neuron(neuron: Any, where: str) -> None:
    """Refuse every option under which a snnTorch neuron differs from LIF."""
    kind, zero = type(neuron), neuron.reset_mechanism == "zero"
    competing = isinstance(neuron.spike_grad, Firing) and neuron.spike_grad.winners is not None
    drops = "which drops the input of the step after a spike"
    local = "which snnTorch 1.0.0 computes but does not store"
    refusals = {
        "reset_mechanism='none'": (neuron.reset_mechanism == "none", "use 'zero' or 'subtract'"),
        "inhibition=True": (neuron.inhibition, "use spike_grad=Firing(surrogate, winners=1) with reset_delay=True"),
        "state_quant": (bool(neuron.state_quant), "leave it out and quantize the Network instead"),
        "graded_spikes_factor other than 1": (
            bool((neuron.graded_spikes_factor != 1).any()),
            "multiply the weights that follow by it",
        ),
        f"reset 'zero' with reset_delay=True, {drops}": (
            zero and neuron.reset_delay and kind in (snn.Synaptic, snn.RLeaky),
            "train with reset_delay=False",
        ),
        f"reset 'zero': with reset_delay=True {drops}; reset_delay=False is what": (
            zero and kind is snn.RSynaptic,
            f"{local}; use reset_mechanism='subtract'",
        ),
        "reset 'subtract' with reset_delay=False, which subtracts before the decay": (
            not zero and not neuron.reset_delay,
            "train with reset_delay=True",
        ),
        "reset_delay=False with competition, which resets the losers a step later": (
            zero and not neuron.reset_delay and competing,
            "use Leaky with reset_delay=True",
        ),
        "a spike_grad that is not a step at 0": (
            not _is_step(neuron),
            "use one of snnTorch's deterministic surrogates",
        ),
    }
    for thing, (refused, remedy) in refusals.items():
        if refused:
            raise UnsupportedError(_READER, f"{where} with {thing}", remedy)


def _is_step(neuron: Any) -> bool:
    if isinstance(neuron.spike_grad, Firing):
        return True
    probe = torch.tensor([[-2.0, -0.5, -1e-6, 0.0, 1e-6, 0.5, 2.0]])
    return torch.equal(neuron.spike_grad(probe).detach().float(), (probe > 0).float())


def _neuron(neuron: Any, n: int, bias: float | NDArray) -> LIF:
    firing = neuron.spike_grad if isinstance(neuron.spike_grad, Firing) else Firing(neuron.spike_grad)
    return LIF(
        (n,),
        du=1 - _decay(neuron.alpha) if isinstance(neuron, _SYNAPTIC) else 1.0,
        dv=1 - _decay(neuron.beta),
        v_threshold=_plain(_array(neuron.threshold)),
        bias=bias if np.any(bias) else 0.0,
        reset=neuron.reset_mechanism,
        winners=firing.winners,
        groups=firing.groups,
    )


def _decay(stored: Tensor) -> Any:
    return _plain(_array(stored.clamp(0, 1)))


def _plain(value: NDArray) -> Any:
    return float(value.reshape(())) if value.size == 1 else value


def _constant(linear: nn.Linear, neuron: Any) -> NDArray[np.float64]:
    """What biases add to the current in every step, (post,)."""
    own = np.zeros(linear.out_features) if linear.bias is None else _array(linear.bias)
    if isinstance(neuron, _RECURRENT):
        return own + _recurrent(neuron, linear.out_features, "")[1]
    return own


def _recurrent(neuron: Any, n: int, where: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Recurrent weights (post, pre) and bias (post,)."""
    if not neuron.all_to_all:
        return np.diag(np.broadcast_to(_array(neuron.recurrent.V), (n,))), np.zeros(n)
    if not isinstance(neuron.recurrent, nn.Linear):
        raise UnsupportedError(_READER, f"{where} with convolutional recurrence", "use linear_features")
    bias = neuron.recurrent.bias
    return _array(neuron.recurrent.weight), np.zeros(n) if bias is None else _array(bias)


def to_snntorch(network: Network, surrogate: Surrogate | None = None) -> nn.Sequential:
    """A feed-forward network as Sequential(Linear, neuron, Linear, neuron, ...), float64, one call a step.

    The neurons keep their state (init_hidden=True): call the Sequential n_steps times with the real values of the
    Input, and ``snntorch.utils.reset`` between runs. Their spikes equal those of the network's balanced windows.

    Args:
        network: one Input and populations in a chain (a delay only moves the windows); biases by LIF.bias where
            du = 1, or from ``one``.
        surrogate: for further training; snnTorch's default, atan, without it.

    Raises:
        UnsupportedError: loops, branches, unequal delays, and what ``neuron_module`` refuses.
    """
    for p in network.projections:
        if not isinstance(p.connection, Dense):
            raise UnsupportedError(_WRITER, f"{p.name}, a {type(p.connection).__name__}", "only Dense has a Linear")
    for name, neuron in network.neurons.items():
        if neuron.period is not None:
            raise UnsupportedError(_WRITER, f"the period of '{name}'", "call snntorch.utils.reset in your loop")
    chain = _chain(network)
    constants = {p.post: p.connection.weight[:, 0] for p in network.projections if p.pre == ONE}
    modules: list[nn.Module] = []
    for projection in chain:
        neuron = network.neurons[projection.post]
        bias: Any = constants.get(projection.post, 0.0)
        modules.append(_linear(projection.connection.weight, np.broadcast_to(bias + neuron.bias, (neuron.n,))))
        modules.append(neuron_module(projection.post, neuron, surrogate, init_hidden=True))
    return nn.Sequential(*modules)


def _chain(network: Network) -> list[Projection]:
    """The projections from the data Input to the last population, one after another."""
    start = [name for name in network.inputs if name != ONE]
    left = [p for p in network.projections if p.pre != ONE]
    chain: list[Projection] = []
    at = start[0] if len(start) == 1 else None
    while any(p.pre == at for p in left):
        following = [p for p in left if p.pre == at]
        chain.append(following[0])
        left.remove(following[0])
        at = following[0].post
    if left or len({p.post for p in chain}) < len(chain) or not chain or network.unbalanced:
        names = [p.name for p in left] or network.unbalanced or list(network.inputs)
        raise UnsupportedError(
            _WRITER, f"a Sequential with {', '.join(names)}", "run the network with backend='snntorch' instead"
        )
    return chain


def neuron_module(name: str, neuron: LIF, surrogate: Surrogate | None = None, init_hidden: bool = False) -> Any:
    """The snnTorch neuron that spikes as a LIF population does, in float64.

    du = 1: Leaky, to whose input the caller adds ``LIF.bias``; else Synaptic, with reset_delay=False for a zero reset.

    Raises:
        UnsupportedError: a refractory period; with du < 1 a bias, or competition with a zero reset.
    """
    if neuron.refractory:
        raise UnsupportedError(
            _WRITER, f"the refractory period of '{name}'", "use the reference or Lava floating point"
        )
    zero, leaky = neuron.reset == "zero", bool(np.all(np.asarray(neuron.du) == 1))
    if zero and not leaky and neuron.winners is not None:
        raise UnsupportedError(
            _WRITER,
            f"'{name}': competition with a zero reset and a filtered current (du < 1)",
            "set du = 1, or reset='subtract'",
        )
    if not leaky and np.any(neuron.bias):
        raise UnsupportedError(
            _WRITER,
            f"LIF.bias of '{name}' beside a filtered current (du < 1)",
            f"give it by a Projection from a constant aligned Input '{ONE}'",
        )
    options = {
        "beta": torch.tensor(1 - np.asarray(neuron.dv)),
        "threshold": torch.tensor(neuron.v_threshold, dtype=torch.float64),
        "spike_grad": Firing(surrogate or snn.surrogate.atan(), neuron.winners, neuron.groups),
        "reset_mechanism": neuron.reset,
        "init_hidden": init_hidden,
    }
    if leaky:
        module: Any = snn.Leaky(**options)
    else:
        alpha = torch.tensor(1 - np.asarray(neuron.du))
        module = snn.Synaptic(alpha=alpha, reset_delay=not zero, **options)
    # snnTorch keeps every neuron it makes in a list of its class, for good; hidden states are reset through it.
    if not init_hidden:
        snn.SpikingNeuron.instances.remove(module)
    return module


def _linear(weight: NDArray, bias: NDArray) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bool(np.any(bias)), dtype=torch.float64)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor(weight))
        if linear.bias is not None:
            linear.bias.copy_(torch.tensor(bias))
    return linear
