"""The same 200 random networks on every machine, with integers and with real weights.

A structure is drawn first, as data; both forms are made from it. Then the thresholds are set, population by population
in order of depth, until every layer fires in 2-40 % of its steps; where that cannot be, the next structure is drawn.
Half of them have a read-out, which never spikes: its v is compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial
from math import prod
from typing import Any

import numpy as np
from numpy.random import Generator

from dlm_snn import (
    LI,
    LIF,
    Chain,
    Conv2d,
    Dense,
    Input,
    IntegerLI,
    IntegerLIF,
    IntegerNetwork,
    IntegerProjection,
    Network,
    Pool2d,
    Projection,
    Sparse,
    UnsupportedError,
    run,
)
from dlm_snn.neurons.models import spikes
from lava_processes.support import check_supported

Made = tuple[Any, dict[str, Any], int]

SEEDS = range(200)
LEAST, MOST = 0.02, 0.4
WRAPPING_EVERY = 10
"""Every tenth network has weights so large that u leaves its 24 bits."""
ATTEMPTS, LOOKS = 60, 14


@dataclass
class Edge:
    """A projection to be: a connection of integers, and all that goes with it."""

    pre: str
    post: str
    connection: Any
    delay: Any = 1
    weight_exp: int = 0
    bits: int = 8
    mode: str = "mixed"


@dataclass
class Structure:
    """A network to be; neurons as the keywords of an IntegerLIF without its threshold."""

    inputs: dict[str, Input] = field(default_factory=dict)
    neurons: dict[str, dict[str, Any]] = field(default_factory=dict)
    refractory: dict[str, int] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    edges: list[Edge] = field(default_factory=list)
    stimulus: dict[str, Any] = field(default_factory=dict)
    n_steps: int = 50


@cache
def integer(seed: int) -> Made:
    """(network, stimulus, n_steps) of a seed in integers."""
    return _drawn(seed, _integer)


@cache
def floats(seed: int) -> Made:
    """The same drawing with real weights: no wraps, exponents, grids; some populations with a refractory period."""
    return _drawn(seed, _floats)


def _drawn(seed: int, form: Callable[[Structure, Generator], Any]) -> Made:
    for attempt in range(ATTEMPTS):
        rng = np.random.default_rng([2026, seed, attempt])
        structure = _structure(rng, wrapping=seed % WRAPPING_EVERY == 0)
        # From numbers of its own, so that the rest is the same with it and without.
        _add_read_out(structure, np.random.default_rng([2026, seed, attempt, 1]))
        network = form(structure, rng)
        found = _calibrated(network, structure.stimulus, structure.n_steps)
        if found is not None and _runs_on_lava(found):
            return found, structure.stimulus, structure.n_steps
    raise RuntimeError(f"no network of seed {seed} fires in {LEAST:.0%} to {MOST:.0%} of its steps")


def _runs_on_lava(network: Any) -> bool:
    """Whether stock Lava takes it: no bias may spike before its window into an open one."""
    try:
        check_supported(network, "fixed" if isinstance(network, IntegerNetwork) else "float", sequential=False)
    except UnsupportedError:
        return False
    return True


def _structure(rng: Generator, wrapping: bool) -> Structure:
    made = Structure(n_steps=int(rng.integers(50, 61)))
    samples = int(rng.integers(1, 3))
    shape = (4, 5, 6) if rng.random() < 0.65 else (int(rng.integers(20, 41)),)
    _add_input(made, rng, "pixels", shape, samples, wide=wrapping)
    before = "pixels"
    for name in ("first", "second", "third")[: int(rng.integers(1, 4))]:
        before = _add_layer(made, rng, before, name, wrapping)
    names = list(made.neurons)
    last = _add_layer(made, rng, before, "output", wrapping)
    if rng.random() < 0.35:
        _join(made, rng, "pixels", last)
    if rng.random() < 0.35:
        _join(made, rng, names[0], names[0], weak=True)
    if len(names) > 1 and rng.random() < 0.45:
        _join(made, rng, names[1], names[0], weak=True)
    if rng.random() < 0.3:
        _join(made, rng, made.edges[0].pre, made.edges[0].post)
    if rng.random() < 0.3:
        _add_input(made, rng, "context", (int(rng.integers(20, 31)),), samples)
        _join(made, rng, "context", last)
    if rng.random() < 0.3:
        n = _size(made, last)
        _add_input(made, rng, "noise", (n,), samples, aligned=True)
        line = np.arange(n)
        made.edges.append(Edge("noise", last, Sparse((n, n), line, line, np.full(n, 2 * int(rng.integers(4, 20))))))
    return made


def _add_read_out(made: Structure, rng: Generator) -> None:
    """A population that never spikes, behind one or two others."""
    if rng.random() < 0.5:
        return
    names = list(made.neurons)
    neuron = _neuron(rng, (int(rng.integers(20, 41)),), wrapping=False)
    kept = ("shape", "du", "dv", "bias_mant", "bias_exp", "period")
    made.neurons["read_out"] = {key: neuron[key] for key in kept if key in neuron}
    made.silent.add("read_out")
    for pre in {names[-1], names[int(rng.integers(len(names)))]} if rng.random() < 0.4 else {names[-1]}:
        _join(made, rng, pre, "read_out")


def _add_input(
    made: Structure, rng: Generator, name: str, shape: tuple[int, ...], samples: int, aligned: bool = False, wide=False
) -> None:
    kind = "signed" if aligned else "unsigned" if wide else rng.choice(["binary", "unsigned", "signed"])
    if kind == "binary":
        made.inputs[name] = Input(shape)
        made.stimulus[name] = (rng.random((samples, made.n_steps, *shape)) < rng.uniform(0.1, 0.3)).astype(np.uint8)
        return
    bits = 8 if wide else 4
    made.inputs[name] = Input(shape, graded_bits=bits, signed=kind == "signed", aligned=aligned)
    low, high = made.inputs[name].bounds
    steps = () if rng.random() < 0.4 and not aligned else (made.n_steps,)
    made.stimulus[name] = rng.integers(low, high + 1, (samples, *steps, *shape))


def _size(made: Structure, name: str) -> int:
    return prod(_shape(made, name))


def _shape(made: Structure, name: str) -> tuple[int, ...]:
    return made.inputs[name].shape if name in made.inputs else made.neurons[name]["shape"]


def _add_layer(made: Structure, rng: Generator, pre: str, name: str, wrapping: bool) -> str:
    """A population and the projection that reaches it; a convolution decides its shape."""
    shape = _shape(made, pre)
    connection: Any = None
    if len(shape) == 3 and rng.random() < 0.8:
        connection = _image_connection(rng, shape)
    post = connection.post_shape if connection is not None else (int(rng.integers(20, 41)),)
    made.neurons[name] = _neuron(rng, post, wrapping)
    if rng.random() < 0.3:
        made.refractory[name] = int(rng.integers(1, 5))
    if connection is None:
        _join(made, rng, pre, name, loud=wrapping)
    else:
        made.edges.append(_dressed(rng, made, Edge(pre, name, connection), loud=wrapping))
    return name


def _image_connection(rng: Generator, shape: tuple[int, ...]) -> Any:
    """A convolution, a pooling, or a chain of both, that leaves at least 20 neurons."""
    while True:
        groups = int(rng.choice([g for g in (1, 2) if shape[0] % g == 0]))
        kernel = _weights(rng, (int(rng.choice([4, 6])), shape[0] // groups, 2, int(rng.integers(1, 4))))
        numbers = [int(n) for n in rng.integers((1, 0, 1), (3, 2, 3))]
        conv = partial(Conv2d, stride=numbers[0], padding=numbers[1], dilation=numbers[2], groups=groups)
        pool = partial(Pool2d, kernel=2, stride=1, weight=2 * int(rng.integers(4, 16)))
        kind = rng.choice(["conv", "conv", "conv", "pool", "pool", "chain", "chain"])
        try:
            if kind == "conv":
                found = conv(kernel, shape)
            elif kind == "pool":
                found = pool(shape)
            else:
                unit = pool(shape).with_weight(1)
                found = Chain((unit, conv(2 * (kernel // 8), unit.output_shape)))
        except Exception as error:
            if "larger than the padded image" not in str(error):
                raise
            continue
        if found.n_post >= 20:
            return found


def _weights(rng: Generator, shape: tuple[int, ...], mode: str = "mixed", bits: int = 8) -> Any:
    grain = 2 ** (9 - bits) if mode == "mixed" else 2 ** (8 - bits)
    low, high = {"mixed": (-50, 70), "excitatory": (0, 60), "inhibitory": (-60, 1)}[mode]
    return np.rint(rng.integers(low, high, shape) / grain).astype(int) * grain


def _join(made: Structure, rng: Generator, pre: str, post: str, weak: bool = False, loud: bool = False) -> None:
    """A matrix or a list of synapses."""
    shape = _size(made, post), _size(made, pre)
    choices = ["mixed", "mixed", "excitatory", "inhibitory"] if any(e.post == post for e in made.edges) else ["mixed"]
    mode = str(rng.choice([*choices, "excitatory"]))
    bits = int(rng.choice([8, 8, 7, 6]))
    weight = _weights(rng, shape, mode, bits)
    if rng.random() < 0.4:
        weight = weight * (rng.random(shape) < 0.4)
        connection: Any = Sparse.from_dense(weight)
    else:
        connection = Dense(weight)
    made.edges.append(_dressed(rng, made, Edge(pre, post, connection, bits=bits, mode=mode), weak, loud))


def _dressed(rng: Generator, made: Structure, edge: Edge, weak: bool = False, loud: bool = False) -> Edge:
    """Delays and exponents."""
    connection = edge.connection
    kind = rng.choice(["one", "one", "later", "post", "synapse"])
    if kind == "later":
        edge.delay = int(rng.integers(2, 5))
    elif kind == "post" and isinstance(connection, Dense | Sparse):
        edge.delay = rng.integers(1, 5, connection.n_post)
    elif kind == "synapse" and isinstance(connection, Dense | Sparse):
        edge.delay = rng.integers(1, 5, connection.weight.shape)
    edge.weight_exp = int(rng.integers(5, 8)) if loud else int(rng.choice([-3, -2, -1, 0, 0, 1, 2]) - 2 * weak)
    if edge.pre in made.inputs and made.inputs[edge.pre].graded_bits and not loud:
        edge.weight_exp = int(rng.integers(-4, 0))
    return edge


def _neuron(rng: Generator, shape: tuple[int, ...], wrapping: bool) -> dict[str, Any]:
    n = prod(shape)

    def each(low: int, high: int) -> Any:
        return rng.integers(low, high, n) if rng.random() < 0.3 else int(rng.integers(low, high))

    held = rng.random() < 0.25 and not wrapping
    made: dict[str, Any] = {
        "shape": shape,
        "du": -1 if held else 4095 if rng.random() < 0.4 else each(400, 3000),
        "dv": 0 if rng.random() < 0.25 else each(100, 1500),
    }
    if rng.random() < 0.4:
        made |= {"bias_mant": each(-40, 60), "bias_exp": int(rng.integers(0, 4))}
    if rng.random() < 0.35:
        groups = int(rng.choice([g for g in (1, 2, 3, 4) if n % g == 0]))
        made |= {"groups": groups, "winners": int(rng.integers(1, max(2, n // groups // 3)))}
    if held or rng.random() < 0.25:
        made["period"] = int(rng.integers(5, 20))
    return made


def _integer(made: Structure, rng: Generator) -> IntegerNetwork:
    projections = []
    for e in made.edges:
        connection = e.connection.merged() if isinstance(e.connection, Chain) else e.connection
        projections.append(IntegerProjection(e.pre, e.post, connection, e.delay, e.weight_exp, e.bits, e.mode))
    neurons = {
        name: IntegerLI(**keywords) if name in made.silent else IntegerLIF(**keywords, v_threshold=1000)
        for name, keywords in made.neurons.items()
    }
    return IntegerNetwork({**made.inputs, **neurons}, projections)


def _floats(made: Structure, rng: Generator) -> Network:
    projections = []
    for e in made.edges:
        connection = _real(rng, e.connection, 2.0 ** min(e.weight_exp, 2) / 64)
        projections.append(Projection(e.pre, e.post, connection, e.delay))
    neurons = {}
    for name, keywords in made.neurons.items():
        kept = {key: keywords[key] for key in ("shape", "winners", "groups", "period") if key in keywords}
        kept["bias"] = np.asarray(keywords.get("bias_mant", 0)) * 2.0 ** keywords.get("bias_exp", 0) / 4096 * 1.1
        kept["du"], kept["dv"] = (np.asarray(keywords["du"]) + 1) / 4096, np.asarray(keywords["dv"]) / 4096
        neurons[name] = LI(**kept) if name in made.silent else LIF(**kept, refractory=made.refractory.get(name, 0))
    return Network({**made.inputs, **neurons}, projections)


def _real(rng: Generator, connection: Any, scale: float) -> Any:
    """Real weights near the integers; those of 0 stay 0."""
    if isinstance(connection, Chain):
        return Chain(tuple(_real(rng, part, scale**0.5) for part in connection.parts))
    weight = connection.weight
    return connection.with_weight(weight * scale * rng.uniform(0.9, 1.1, weight.shape))


def _calibrated(network: Any, stimulus: dict[str, Any], n_steps: int) -> Any:
    """The network with thresholds at which every layer fires as it should; None where there are none."""
    firing = [name for name, neuron in network.neurons.items() if spikes(neuron)]
    for _ in range(2):
        for name in firing:
            network = _threshold_found(network, name, stimulus, n_steps)
            if network is None:
                return None
    rasters = run(network, stimulus, n_steps, backend="fast").rasters
    return network if all(LEAST <= rasters[name].rate <= MOST for name in firing) else None


def _threshold_found(network: Any, name: str, stimulus: dict[str, Any], n_steps: int) -> Any:
    """By halving the logarithm of the threshold between a hair and the largest there is."""
    integers = isinstance(network, IntegerNetwork)
    low, high = (0.0, 17.0) if integers else (-12.0, 14.0)
    start = network.neurons[name].v_threshold
    tried = float(np.log2(np.mean(start)))
    for _ in range(LOOKS):
        threshold = min(round(2**tried), 2**17 - 1) if integers else 2**tried * 1.0001
        neuron = replace(network.neurons[name], v_threshold=threshold)
        changed = replace(network, populations={**network.populations, name: neuron})
        rate = run(changed, stimulus, n_steps, record={name: "s"}, backend="fast").rasters[name].rate
        if 1.3 * LEAST <= rate <= 0.8 * MOST:
            return changed
        low, high = (tried, high) if rate > MOST / 2 else (low, tried)
        tried = (low + high) / 2
    return None
