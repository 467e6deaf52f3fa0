"""What a network is: populations and projections, checked and hashed; nothing here simulates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.chain import Chain
from dlm_snn.connections.connection import Connection
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.description import digest, told
from dlm_snn.errors import DlmError, nearest
from dlm_snn.files.names import check_identifier
from dlm_snn.networks import timing
from dlm_snn.networks.delays import MAX_DELAY, checked_delay, split_by_delay
from dlm_snn.networks.signs import SignMode, weight_grid
from dlm_snn.networks.summary import as_html, as_text
from dlm_snn.neurons.checks import checked_parameter, checked_shape, size
from dlm_snn.neurons.integer_lif import IntegerLIF
from dlm_snn.neurons.li import LI, IntegerLI
from dlm_snn.neurons.lif import LIF
from dlm_snn.neurons.models import model_of, spikes
from dlm_snn.values import is_whole


@dataclass(frozen=True, eq=False)
class Input:
    """A population whose events come from outside.

    Attributes:
        shape: (n,) or (channel, row, column).
        graded_bits: None: binary spikes. Else events carry an integer of this many bits, 1..24.
        scale: real value = integer / scale, for graded inputs.
        signed: integers -2^(b-1)..2^(b-1)-1 instead of 0..2^b-1.
        aligned: an input that we add ourselves (a constant ``one``, noise): it has no depth, and step t of every
            population that it reaches gets its step t.

    Raises:
        DlmError: a field outside its range.
    """

    shape: tuple[int, ...]
    graded_bits: int | None = None
    scale: float = 1.0
    signed: bool = False
    aligned: bool = False

    __repr__ = told

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", checked_shape(self.shape))
        object.__setattr__(self, "scale", checked_parameter("scale", self.scale, 1, float, 1e-300, np.inf))
        if self.graded_bits is None:
            if self.signed or self.scale != 1.0:
                raise DlmError("signed and scale belong to a graded Input; give graded_bits")
        elif not is_whole(self.graded_bits) or not 1 <= self.graded_bits <= 24:
            raise DlmError(f"graded_bits = {self.graded_bits!r} is not in 1..24")

    @property
    def n(self) -> int:
        """Number of neurons."""
        return size(self.shape)

    @property
    def constant(self) -> bool:
        """Whether it is the constant 1 that carries biases: it feeds itself where no stimulus names it."""
        return self.aligned and self.n == 1 and self.graded_bits == 1 and not self.signed and self.scale == 1

    @property
    def bounds(self) -> tuple[int, int]:
        """Smallest and largest integer that an event may carry."""
        if self.graded_bits is None:
            return 0, 1
        if self.signed:
            return -(2 ** (self.graded_bits - 1)), 2 ** (self.graded_bits - 1) - 1
        return 0, 2**self.graded_bits - 1


@dataclass(frozen=True, eq=False)
class Projection:
    """A connection between two populations.

    Attributes:
        pre, post: names of populations.
        connection: the linear map; float weights.
        delay: steps from the spike to its arrival, >= 1: a number; for Dense and Sparse also an array (post,), or one a
            synapse in the shape of the weights.

    Raises:
        DlmError: a delay below 1 or of the wrong shape.
    """

    pre: str
    post: str
    connection: Connection
    delay: int | NDArray[np.int64] = 1

    __repr__ = told

    def __post_init__(self) -> None:
        object.__setattr__(self, "delay", checked_delay(self.delay, self.connection))
        if self.connection.integer:
            object.__setattr__(self, "connection", self.connection.astype(np.float64))

    @property
    def name(self) -> str:
        """``pre->post``."""
        return f"{self.pre}->{self.post}"

    @cached_property
    def parts(self) -> tuple[tuple[int, Connection], ...]:
        """(delay, connection) for each distinct delay."""
        return split_by_delay(self.connection, self.delay)

    def sums(self, connection: Connection, x: NDArray) -> NDArray:
        """Drive that presynaptic values (sample, pre) cause through one part."""
        return connection.apply(x)


@dataclass(frozen=True, eq=False)
class IntegerProjection:
    """A connection in the integers of a fixed-point target.

    drive = (weight x) * 2^weight_exp, floored, one sum for each emission step and delay.

    Attributes:
        pre, post, delay: as in Projection; delay <= 63.
        connection: integer weights: excitatory 0..255, inhibitory -255..0, mixed even -256..254; a Conv2d of 8 bits
            and weight_exp 0 may hold any integer of -256..255, since no target drops its low bits. A Chain is
            multiplied out first.
        weight_exp: -8..7.
        num_weight_bits: 1..8; weights are multiples of 2^(8 - num_weight_bits), doubled if mixed.
        sign_mode: "mixed", "excitatory" or "inhibitory".

    Raises:
        DlmError: a value that the target cannot hold.

    Source: lava-nc 0.10.0, lava/proc/dense/models.py and lava/utils/weightutils.py.
    """

    pre: str
    post: str
    connection: Connection
    delay: int | NDArray[np.int64] = 1
    weight_exp: int = 0
    num_weight_bits: int = 8
    sign_mode: SignMode = "mixed"

    __repr__ = told

    def __post_init__(self) -> None:
        object.__setattr__(self, "delay", checked_delay(self.delay, self.connection))
        if np.max(self.delay) > MAX_DELAY:
            raise DlmError(f"{self.name}: delay {np.max(self.delay)} exceeds {MAX_DELAY}")
        for field, low, high in (("weight_exp", -8, 7), ("num_weight_bits", 1, 8)):
            value = checked_parameter(f"{self.name}: {field}", getattr(self, field), 1, int, low, high)
            object.__setattr__(self, field, value)
        low, high, grain = self.grid
        if not self.connection.integer:
            raise DlmError(f"{self.name}: float weights in an integer projection; quantize the network")
        if isinstance(self.connection, Chain):
            raise DlmError(f"{self.name}: a Chain in an integer projection; multiply it out with chain.merged()")
        weight = self.connection.weight
        if weight.size and (weight.min() < low or weight.max() > high or np.any(weight % grain)):
            raise DlmError(
                f"{self.name}: weights {weight.min()}..{weight.max()} are not multiples of {grain} in {low}..{high} "
                f"({self.sign_mode}, {self.num_weight_bits} bits)"
            )

    @property
    def name(self) -> str:
        """``pre->post``."""
        return f"{self.pre}->{self.post}"

    @property
    def grid(self) -> tuple[int, int, int]:
        """Smallest weight, largest weight and grain; a convolution without exponent takes every integer of 8 bits."""
        low, high, grain = weight_grid(self.sign_mode, self.num_weight_bits)
        if isinstance(self.connection, Conv2d) and self.weight_exp == 0 and self.num_weight_bits == 8:
            return low, high + grain - 1, 1
        return low, high, grain

    @cached_property
    def parts(self) -> tuple[tuple[int, Connection], ...]:
        """(delay, connection) for each distinct delay."""
        return split_by_delay(self.connection, self.delay)

    def sums(self, connection: Connection, x: NDArray) -> NDArray[np.int64]:
        """Drive that presynaptic values (sample, pre) cause through one part: the shifted sum, floored."""
        a = connection.apply(x)
        return a << self.weight_exp if self.weight_exp > 0 else a >> -self.weight_exp


def _stands_beside(neuron: type, kind: type) -> bool:
    """Whether a type is a model of another package, of the same arithmetic."""
    model = model_of(kind)
    return model is not None and model.integer == (neuron is IntegerLIF)


@dataclass(frozen=True, eq=False, repr=False)
class _Graph:
    """Populations and projections with their time structure: what Network and IntegerNetwork share."""

    populations: Mapping[str, Any]
    projections: Sequence[Any]

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    def _check(self, neuron: type, projection: Any) -> None:
        object.__setattr__(self, "populations", dict(self.populations))
        object.__setattr__(self, "projections", tuple(self.projections))
        if not self.populations:
            raise DlmError("a network needs at least one population")
        for name, population in self.populations.items():
            check_identifier(name)
            if not isinstance(population, (Input, neuron)) and not _stands_beside(neuron, type(population)):
                raise DlmError(
                    f"population '{name}' is a {type(population).__name__}, not an Input or {neuron.__name__}"
                )
        for p in self.projections:
            if not isinstance(p, projection):
                raise DlmError(f"projection {p!r} is not a {projection.__name__}")
            for end in (p.pre, p.post):
                if end not in self.populations:
                    raise DlmError(f"{p.name}: no population '{end}'; {nearest(end, self.populations)}")
            if isinstance(self.populations[p.post], Input):
                raise DlmError(f"{p.name}: an Input receives no projection")
            if not spikes(self.populations[p.pre]):
                kind = type(self.populations[p.pre]).__name__
                raise DlmError(f"{p.name}: '{p.pre}' ({kind}) never spikes and sends nothing; read its v")
            self._check_shapes(p)

    def _check_shapes(self, p: Any) -> None:
        """Sizes must agree; shapes too where the population and the connection both are images."""
        connection: Connection = p.connection
        ends = (("post", p.post, connection.post_shape), ("pre", p.pre, connection.pre_shape))
        sizes = tuple(self.populations[name].n for _, name, _ in ends)
        if (connection.n_post, connection.n_pre) != sizes:
            given = (connection.n_post, connection.n_pre)
            form = "weight of shape" if isinstance(connection, Dense) else f"{type(connection).__name__} of"
            raise DlmError(f"{p.name}: {form} {given}, expected {sizes} (post, pre)")
        for end, name, shape in ends:
            declared = self.populations[name].shape
            if len(shape) == len(declared) == 3 and shape != declared:
                raise DlmError(
                    f"{p.name}: {type(connection).__name__} has the {end} shape {shape}, population '{name}' {declared}"
                )

    @property
    def inputs(self) -> dict[str, Input]:
        """The Input populations by name."""
        return {name: p for name, p in self.populations.items() if isinstance(p, Input)}

    @property
    def neurons(self) -> dict[str, Any]:
        """The neuron populations by name, in the order in which a window step computes them."""
        return {name: self.populations[name] for name in self.order if name not in self.inputs}

    def into(self, name: str) -> list[Any]:
        """The projections that reach a population."""
        return [p for p in self.projections if p.post == name]

    @cached_property
    def depth(self) -> dict[str, int]:
        """Fewest steps from any data Input to each population; see timing.depths."""
        data = [n for n, p in self.inputs.items() if not p.aligned]
        aligned = [n for n, p in self.inputs.items() if p.aligned]
        edges = [(p.pre, p.post, int(np.min(p.delay))) for p in self.projections]
        return timing.depths(list(self.populations), data, aligned, edges)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Populations by depth, aligned Inputs first: the order in which a step of window time is computed."""
        return tuple(sorted(self.populations, key=lambda n: (not self._aligned(n), self.depth[n])))

    def _aligned(self, name: str) -> bool:
        population = self.populations[name]
        return isinstance(population, Input) and population.aligned

    def lag(self, projection: Any, delay: int) -> int:
        """Steps of window time between emission and arrival: delay - depth(post) + depth(pre); aligned Inputs: 0."""
        if self._aligned(projection.pre):
            return 0
        return delay - self.depth[projection.post] + self.depth[projection.pre]

    def lags(self, projection: Any) -> tuple[int, ...]:
        """The lag of each part of a projection, in the order of ``projection.parts``."""
        return tuple(self.lag(projection, delay) for delay, _ in projection.parts)

    @property
    def unbalanced(self) -> list[str]:
        """Names of the projections with a lag above 0; a net without any is balanced."""
        return [p.name for p in self.projections if any(self.lags(p))]

    def memory(self, name: str) -> int:
        """How many past steps of a population's events are still in flight: its largest outgoing lag."""
        return max((lag for p in self.projections if p.pre == name for lag in self.lags(p)), default=0)

    def digest(self) -> str:
        """SHA-256 over structure and parameters, the same on every machine."""
        return digest(self)


@dataclass(frozen=True, eq=False, repr=False)
class Network(_Graph):
    """A network of float neurons: Input and LIF populations, Projections between them.

    Attributes:
        populations: name -> Input, LIF or LI, or a float model of the entry-point group ``dlm_snn.neurons``.
        projections: of float weights.

    Raises:
        DlmError: an unknown population, or a weight matrix that does not fit.
    """

    populations: Mapping[str, Input | LIF | LI]
    projections: Sequence[Projection] = ()

    def __post_init__(self) -> None:
        self._check(LIF, Projection)


@dataclass(frozen=True, eq=False, repr=False)
class IntegerNetwork(_Graph):
    """The same with integers only: exactly what a fixed-point target computes.

    Attributes:
        populations: name -> Input, IntegerLIF or IntegerLI.
        projections: IntegerProjections.
    """

    populations: Mapping[str, Input | IntegerLIF | IntegerLI]
    projections: Sequence[IntegerProjection] = ()

    def __post_init__(self) -> None:
        self._check(IntegerLIF, IntegerProjection)
