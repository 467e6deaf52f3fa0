"""The neuron models, and who knows each: one table, and the entry-point group ``dlm_snn.neurons`` for others'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dlm_snn import plugins
from dlm_snn.errors import DlmError
from dlm_snn.neurons import integer_lif, li, lif

GROUP = "dlm_snn.neurons"
OTHERS = "backends of other packages"
"""Stands for a backend that does not say by itself what it knows."""
FROM_THE_TABLE = frozenset({"reference", "a network's files"})
"""Who needs nothing but a line of the table, and so takes the models of other packages."""
ALL = frozenset(
    {
        *FROM_THE_TABLE,
        *("fast", "torch", "snntorch", "brian2", "lava-float", "lava-fixed", "lava-fused", OTHERS),
        *("quantize", "the membrane ledger", "the event-driven simulator", "a thermal bath"),
        *("NIR", "a .net file", "snnTorch"),
    }
)
"""Whether a Network or an IntegerNetwork is taken is each one's own affair."""


class Model(NamedTuple):
    """A line of the table.

    Attributes:
        type: exact type of the populations: a frozen dataclass with ``shape`` and ``n``. One with a ``period`` is set
            to rest before every ``period``-th step.
        rest: (number of samples, number of neurons) -> state before the first step, a NamedTuple with ``u``, ``v`` and
            ``s``, arrays (sample, neuron).
        step: (population, state, drive) -> state; or, where u and v can leave their range, (state, Overflow).
        known_to: names of what computes or writes it, as their messages have them.
        integer: it stands in an IntegerNetwork, not in a Network.
        example: a population of shape (n,) that spikes in 2-40 % of its steps when each of its inputs is 1 in a third
            of them: what the conformance tests run.
        spikes: whether it ever spikes; one that does not is read by its v, and sends to no population.
    """

    type: type
    rest: Callable[[int, int], Any]
    step: Callable[..., Any]
    known_to: frozenset[str] = FROM_THE_TABLE
    integer: bool = False
    example: Any = None
    spikes: bool = True


MODELS: Mapping[type, Model] = {
    lif.LIF: Model(lif.LIF, lif.rest, lif.step, ALL),
    integer_lif.IntegerLIF: Model(integer_lif.IntegerLIF, integer_lif.rest, integer_lif.step, ALL, integer=True),
    li.LI: Model(li.LI, lif.rest, lif.step, ALL, spikes=False),
    li.IntegerLI: Model(li.IntegerLI, integer_lif.rest, integer_lif.step, ALL, integer=True, spikes=False),
}
"""Exact type -> who computes it. A type derived from one of these is another model, which nobody here knows."""


def models() -> Mapping[type, Model]:
    """The table with the models of other packages.

    Raises:
        DlmError: an entry point that is no Model, takes the name of another model, or is known to a simulator of ours
            that computes models of ours alone.
    """
    table = dict(MODELS)
    for name, model in plugins.instances(GROUP, Model).items():
        named = {other.__name__: other for other in table}
        if model.type.__name__ in named:
            raise DlmError(f"neuron '{name}' calls its type {model.type.__name__}, as another one; rename it")
        unable = model.known_to & ALL - FROM_THE_TABLE - {OTHERS}
        if unable:
            able = " and ".join(sorted(FROM_THE_TABLE))
            raise DlmError(f"neuron '{name}' is known to '{min(unable)}', which computes models of ours; leave {able}")
        table[model.type] = model
    return table


def model_of(kind: type) -> Model | None:
    """The line of an exact type; other packages are asked only for what is none of ours."""
    return MODELS.get(kind) or models().get(kind)


def is_integer(population: Any) -> bool:
    """Whether a population of neurons is computed in integers."""
    model = model_of(type(population))
    return model is not None and model.integer


def spikes(population: Any) -> bool:
    """Whether a population of neurons is of a model that spikes; one of a type that nobody knows is taken to."""
    model = model_of(type(population))
    return model is None or model.spikes


def type_named(name: str) -> type | None:
    """The type that a network's file calls so."""
    for table in (MODELS, models()):
        for kind in table:
            if kind.__name__ == name:
                return kind
    return None
