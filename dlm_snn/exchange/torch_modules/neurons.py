"""Neuron modules of torch libraries and the populations that equal them: a table for each library.

A table is found by the package that a module's class comes from, by the entry-point group ``dlm_snn.torch_neurons``
(the name is the package, ``snntorch``; the value a ``Table``), so that no library is imported which the module does
not use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from numpy.typing import NDArray
from torch import Tensor, nn

from dlm_snn import plugins
from dlm_snn.connections.connection import Connection
from dlm_snn.exchange.torch_modules.refusals import Refusal

GROUP = "dlm_snn.torch_neurons"


@dataclass(frozen=True, eq=False)
class ForeignNeuron:
    """The population that computes what a neuron module does.

    u = (1 - du) u + gain (sum of what enters the module) + bias + loops, then as the population goes on.

    Attributes:
        population: a LIF; or an LI, which never spikes, where the module's v is read instead of its spikes.
        gain: by which the module multiplies what enters it (weights and biases before it), one or one a neuron.
        bias: what the module adds by itself, in the units behind ``gain``, one or one a neuron. Where the current is
            filtered (du < 1) it comes through a constant Input; the table has nothing to do for that.
        loops: connections of the population to itself, with their delays >= 1, in the units behind ``gain``.
        unit, rest: the module's v is rest + unit v, with the v of the population; one, or one a neuron.
    """

    population: Any
    gain: float | NDArray = 1.0
    bias: float | NDArray = 0.0
    loops: Sequence[tuple[Connection, int]] = ()
    unit: float | NDArray = 1.0
    rest: float | NDArray = 0.0


Reader = Callable[[nn.Module, tuple[int, ...], str], ForeignNeuron]
"""(module, shape of the population, where it stands, for messages) -> its equal. The module is a copy in float64 and in
eval mode. Raises RefusedError for what has no equal."""


class Returned(NamedTuple):
    """What a call of a neuron module gave.

    Attributes:
        spikes: 0 and 1, (sample, ...); None for a module that has none.
        v: the membrane, where it is returned or kept; read-outs are compared by it.
        states: the returned tensors that the next call takes, without the spikes, which come before them.
    """

    spikes: Tensor | None
    v: Tensor | None = None
    states: Sequence[Tensor] = ()


def tensors(value: Any) -> Iterator[Tensor]:
    """All tensors of nested lists, tuples and dictionaries, in their order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from tensors(part)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from tensors(part)


def spikes_first(module: nn.Module, output: Any) -> Returned:
    """The spikes, then the states, the membrane last."""
    spikes, *states = tensors(output)
    return Returned(spikes, states[-1] if states else None, states)


def all_zero(module: nn.Module, states: Sequence[Tensor]) -> bool:
    """Whether states that do not come from the module are 0."""
    return not any(bool((state != 0).any()) for state in states)


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Nothing to put to rest: the modules keep no state."""
    yield


@dataclass(frozen=True, eq=False)
class Table:
    """The neuron modules of one library.

    Attributes:
        readers: exact type -> its reader.
        stateful: base classes; a module of one of them that has no reader is refused by its name.
        returned: (module, what a call gave) -> spikes, membrane, states.
        weights: (module) -> its own matrix (post, pre), by which it first multiplies what enters; None: it has none.
        keeps_state: whether a call without a state goes on where the module's last call ended; False: it begins anew.
        fed_back: whether a call takes the spikes of the last one too, beside the states.
        at_rest: (module, states given from outside) -> whether the module begins from these as from nothing.
        resting: around each run of a model (a deep copy of the user's): puts its neurons of this library to rest and to
            one step a call where they have several modes, and leaves the library as it was.
        refusals: what the readers refuse, for the documents.
    """

    readers: Mapping[type, Reader]
    stateful: tuple[type, ...] = ()
    returned: Callable[[nn.Module, Any], Returned] = spikes_first
    weights: Callable[[nn.Module], Tensor | None] = lambda module: None
    keeps_state: Callable[[nn.Module], bool] = lambda module: False
    fed_back: Callable[[nn.Module], bool] = lambda module: False
    at_rest: Callable[[nn.Module, Sequence[Tensor]], bool] = all_zero
    resting: Callable[[nn.Module], AbstractContextManager[None]] = untouched
    refusals: Sequence[Refusal] = field(default=())


def tables_for(model: nn.Module) -> list[Table]:
    """The tables of the libraries that the classes of a model, or their bases, come from.

    Raises:
        DlmError: an entry point that is no Table.
    """
    packages = {base.__module__.partition(".")[0] for part in model.modules() for base in type(part).__mro__}
    return [plugins.instance(GROUP, name, Table) for name in plugins.names(GROUP) if name in packages]
