"""What a tensor of a run means: which populations' spikes it is a linear map of, and which constant it adds."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from torch import Tensor, nn

from dlm_snn.connections.connection import Connection
from dlm_snn.exchange.torch_modules.refusals import Refusal, RefusedError

ElementKind = Literal["arranging", "scaling", "averaging", "weighting"]


@dataclass(frozen=True)
class Element:
    """One linear map of values (neuron,), as a function of the module applied it; equal ones have equal keys.

    Attributes:
        key: what was called, with which arguments: arrays by their content.
        make: the connection.
        push: what the function makes of a constant, without the sample axis; its own constant included.
        kind: "arranging" moves values, "scaling" multiplies each by a number, "averaging" is linear without weights of
            the module, "weighting" has some.
        factors: of a scaling, in the shape of the values.
        identity: an arranging that leaves all values where they are.
        entering: how many values it takes; 0: not told.
    """

    key: Hashable
    make: Callable[[], Connection] = field(compare=False)
    push: Callable[[Tensor], Tensor] = field(compare=False)
    kind: ElementKind = field(default="weighting", compare=False)
    factors: Tensor | None = field(default=None, compare=False)
    identity: bool = field(default=False, compare=False)
    entering: int = field(default=0, compare=False)


@dataclass(eq=False)
class Leaf:
    """Values that were made from the sample alone, where they enter a layer in one step.

    Attributes:
        values: (sample, ...).
        origin: how they were made of the sample.
        snapped: the values on the grid of the Input, which the module computed with.
    """

    values: Tensor
    origin: Hashable
    snapped: Tensor | None = None


@dataclass(eq=False)
class Line:
    """One population: a neuron module with one line of states, a pooling of spikes by maximum, or a read-out.

    Attributes:
        name: of the population.
        module: the neuron module; None for a pooling or a read-out.
        entries: what enters, a step each.
        spikes, v: what the module gave, a step each; None where it gave none.
        states: how many states the module returns.
        unit, rest: the module's v is rest + unit v, with the v of its population.
        role: what it is.
        total: of a read-out, what the module gives of all steps together: v holds that alone; "": v of every step.
        pooled: of a pooling, the function again: for a last step that nothing reads.
    """

    name: str
    module: nn.Module | None = None
    entries: list[Meaning] = field(default_factory=list)
    spikes: list[Tensor | None] = field(default_factory=list)
    v: list[Tensor | None] = field(default_factory=list)
    states: int = 0
    unit: Any = 1.0
    rest: Any = 0.0
    role: Literal["neuron", "pooling", "read-out"] = "neuron"
    total: Literal["", "mean", "sum"] = ""
    pooled: Callable[[Tensor], Tensor] | None = None

    @property
    def where(self) -> str:
        """For messages."""
        kind = self.role if self.module is None else type(self.module).__name__
        return f"layer '{self.name}' ({kind})"


SPIKES = -1
"""The port of spikes; states count from 0."""
DATA = -2
"""The port of a leaf."""


class Term(NamedTuple):
    """One way from a source to a tensor.

    Attributes:
        source: where the values come from.
        step: of the source's line; -1 for a leaf.
        port: ``SPIKES``, ``DATA``, or the number of a returned state.
        path: the linear maps in the order in which they are applied.
    """

    source: Line | Leaf
    step: int
    port: int
    path: tuple[Element, ...] = ()

    @property
    def line(self) -> Line:
        """The source, where it is a population: of every port but ``DATA``."""
        if isinstance(self.source, Leaf):
            raise TypeError("a leaf is no line")
        return self.source


@dataclass(eq=False)
class Affine:
    """A sum of linear maps of sources, and a constant.

    Attributes:
        terms: the sum.
        constant: without the sample axis, float64.
        value: the tensor itself, where it may be a read-out.
        addends: the tensors that were added up.
    """

    terms: tuple[Term, ...]
    constant: Tensor
    value: Tensor | None = None
    addends: tuple[Meaning, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Without the sample axis."""
        return tuple(self.constant.shape)

    @property
    def only_data(self) -> bool:
        """Whether no layer feeds it."""
        return all(term.port == DATA for term in self.terms)

    def through(self, element: Element) -> Affine:
        """What a linear map makes of it."""
        more = () if element.identity else (element,)
        terms = tuple(term._replace(path=(*term.path, *more)) for term in self.terms)
        addends = () if element.kind == "weighting" else self.addends
        return Affine(terms, element.push(self.constant), addends=addends)


@dataclass(eq=False)
class Data:
    """Made from the sample alone, in a way that ``origin`` tells.

    Attributes:
        leaf: where it entered a layer, as it was in that version of its tensor.
    """

    origin: Hashable
    leaf: Leaf | None = None
    version: int = -1


@dataclass(eq=False)
class Constant:
    """The same for every sample; its value is the tensor's own."""


@dataclass(eq=False)
class Opaque:
    """What no network computes; refused where it enters a layer.

    Attributes:
        refusal, values: why.
        parts: what it was made of; read-outs are looked for there.
        function: that made it.
        layers: what stands along its first axis, where the samples are along the second.
        inner: weights were applied to what is opaque, so that it is more than what follows the last layer.
    """

    refusal: Refusal
    values: dict[str, Any] = field(default_factory=dict)
    parts: tuple[Meaning, ...] = ()
    inner: bool = False
    function: str = ""
    layers: tuple[Affine, ...] = ()

    def error(self, where: str) -> RefusedError:
        """To be raised."""
        return RefusedError(self.refusal, where, **self.values)


Meaning = Affine | Data | Constant | Opaque
