"""The networks on which simulators must agree, as data.

FLOAT and INTEGER: name -> function(rng) -> (network, stimulus, n_steps). Weights, thresholds and values are multiples
of 1/64 and decays multiples of 1/4096, so that no sum depends on its order. SPECIAL names the nets that are meant to
fire outside 2-40 %: all others can see a small error (a busy net hides it).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

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
    SpikeRaster,
)
from dlm_snn.neurons.models import MODELS, Model, is_integer, models, spikes
from dlm_snn.physics.membranes.noise import antisymmetric_ring, normal, uniform, with_integer_noise, with_noise

Made = tuple[Any, dict[str, Any], int]
Build = Callable[[Generator], Made]

FLOAT: dict[str, Build] = {}
INTEGER: dict[str, Build] = {}
ADDED: dict[str, Build] = {}
"""One for each neuron model of another package."""
SPECIAL = {"silent", "saturated", "int_silent"}

DV = 410 / 4096


def _float(build: Build) -> Build:
    FLOAT[build.__name__] = build
    return build


def _integer(build: Build) -> Build:
    INTEGER[build.__name__] = build
    return build


@cache
def make(name: str) -> Made:
    """The network, the stimulus and the number of steps of a case; the same in every process."""
    return {**FLOAT, **INTEGER, **ADDED}[name](np.random.default_rng(zlib.crc32(name.encode())))


def answers(name: str) -> dict[str, tuple[str, ...]]:
    """What a run of a case records for its spikes to be compared: v too of what never spikes."""
    return {n: ("s",) if spikes(p) else ("s", "v") for n, p in make(name)[0].neurons.items()}


def events(rng: Generator, n_samples: int, n_steps: int, n: int, rate: float) -> NDArray[np.int64]:
    return (rng.random((n_samples, n_steps, n)) < rate).astype(np.int64)


def dyadic(rng: Generator, post: int, pre: int, low: int, high: int, unit: int = 64) -> Dense:
    return Dense(rng.integers(low, high + 1, (post, pre)) / unit)


def chain(rng: Generator, *neurons: LIF | LI, rate: float = 0.2, low: int = -16, high: int = 32, **kwargs: Any) -> Made:
    """Twelve binary inputs and one population after the other."""
    populations: dict[str, Any] = {"pixels": Input((12,))}
    projections = []
    for i, neuron in enumerate(neurons):
        pre = list(populations)[-1]
        populations[f"layer{i}"] = neuron
        # Later layers hear fewer spikes: stronger weights keep them at work.
        weight = dyadic(rng, neuron.n, populations[pre].n, *((low, high) if i == 0 else (3 * low, 2 * high)))
        projections.append(Projection(pre, f"layer{i}", weight, **kwargs))
    return Network(populations, projections), {"pixels": events(rng, 3, 24, 12, rate)}, 24


@_float
def plain(rng: Generator) -> Made:
    return chain(rng, LIF((16,), dv=DV), LIF((6,), dv=DV))


@_float
def one_neuron(rng: Generator) -> Made:
    network = Network(
        {"pixels": Input((1,)), "cell": LIF((1,), dv=0.25)}, [Projection("pixels", "cell", Dense([[0.75]]))]
    )
    return network, {"pixels": events(rng, 3, 24, 1, 0.4)}, 24


@_float
def wide(rng: Generator) -> Made:
    network = Network(
        {"pixels": Input((40,)), "hidden": LIF((150,), dv=DV), "output": LIF((10,), dv=DV, v_threshold=2.0)},
        [
            Projection("pixels", "hidden", dyadic(rng, 150, 40, -16, 24)),
            Projection("hidden", "output", dyadic(rng, 10, 150, -12, 14)),
        ],
    )
    return network, {"pixels": SpikeRaster.from_dense(events(rng, 2, 20, 40, 0.15))}, 20


@_float
def image(rng: Generator) -> Made:
    """Three-axis shapes, and pixels held constant ("direct coding") as integers."""
    network = Network(
        {
            "pixels": Input((2, 3, 4), graded_bits=5, scale=16),
            "hidden": LIF((3, 2, 2), dv=DV),
            "output": LIF((5,), dv=DV),
        },
        [
            Projection("pixels", "hidden", dyadic(rng, 12, 24, -10, 12)),
            Projection("hidden", "output", dyadic(rng, 5, 12, -16, 48)),
        ],
    )
    return network, {"pixels": rng.integers(0, 17, (3, 2, 3, 4)).astype(np.uint8)}, 20


@_float
def graded_steps(rng: Generator) -> Made:
    """Real values of either sign that change from step to step."""
    network = Network(
        {"signal": Input((6,), graded_bits=8, scale=64, signed=True), "hidden": LIF((10,), dv=0.125)},
        [Projection("signal", "hidden", dyadic(rng, 10, 6, -24, 32))],
    )
    return network, {"signal": rng.integers(-64, 100, (3, 20, 6)) / 64}, 20


@_float
def delays(rng: Generator) -> Made:
    network, stimulus, n_steps = chain(rng, LIF((10,), dv=DV), LIF((8,), dv=DV))
    first, second = network.projections
    slow = [
        Projection("pixels", "layer0", first.connection, delay=3),
        Projection("layer0", "layer1", second.connection, delay=2),
    ]
    return Network(network.populations, slow), stimulus, n_steps


@_float
def delay_per_post(rng: Generator) -> Made:
    network = Network(
        {"pixels": Input((12,)), "hidden": LIF((10,), dv=DV)},
        [Projection("pixels", "hidden", dyadic(rng, 10, 12, -16, 32), delay=np.arange(10) % 5 + 1)],
    )
    return network, {"pixels": events(rng, 2, 24, 12, 0.2)}, 24


@_float
def delay_per_synapse(rng: Generator) -> Made:
    network = Network(
        {"pixels": Input((8,)), "hidden": LIF((10,), dv=DV), "output": LIF((4,), dv=DV)},
        [
            Projection("pixels", "hidden", dyadic(rng, 10, 8, -16, 48), delay=rng.integers(1, 6, (10, 8))),
            Projection("hidden", "output", dyadic(rng, 4, 10, -40, 56), delay=rng.integers(2, 5, (4, 10))),
        ],
    )
    return network, {"pixels": events(rng, 2, 24, 8, 0.2)}, 24


@_float
def parallel(rng: Generator) -> Made:
    """Two projections between one pair of populations, and two inputs of unequal delay."""
    network = Network(
        {"left": Input((6,)), "right": Input((5,)), "hidden": LIF((9,), dv=DV)},
        [
            Projection("left", "hidden", dyadic(rng, 9, 6, -16, 32)),
            Projection("left", "hidden", dyadic(rng, 9, 6, -16, 32), delay=4),
            Projection("right", "hidden", dyadic(rng, 9, 5, -16, 32), delay=2),
        ],
    )
    return network, {"left": events(rng, 2, 20, 6, 0.2), "right": events(rng, 2, 20, 5, 0.2)}, 20


@_float
def skip(rng: Generator) -> Made:
    network = Network(
        {
            "pixels": Input((10,)),
            "first": LIF((9,), dv=DV),
            "second": LIF((8,), dv=DV),
            "output": LIF((5,), dv=DV),
        },
        [
            Projection("pixels", "first", dyadic(rng, 9, 10, -16, 32)),
            Projection("first", "second", dyadic(rng, 8, 9, -16, 48)),
            Projection("second", "output", dyadic(rng, 5, 8, -16, 48)),
            Projection("pixels", "output", dyadic(rng, 5, 10, -16, 16)),
            Projection("first", "output", dyadic(rng, 5, 9, -16, 24), delay=3),
        ],
    )
    return network, {"pixels": events(rng, 2, 20, 10, 0.2)}, 20


@_float
def recurrent(rng: Generator) -> Made:
    network = Network(
        {"pixels": Input((10,)), "hidden": LIF((12,), dv=DV)},
        [
            Projection("pixels", "hidden", dyadic(rng, 12, 10, -16, 32)),
            Projection("hidden", "hidden", dyadic(rng, 12, 12, -32, 24)),
        ],
    )
    return network, {"pixels": events(rng, 2, 24, 10, 0.2)}, 24


@_float
def loop(rng: Generator) -> Made:
    """Feedback over two populations, and a slow recurrence."""
    network = Network(
        {"pixels": Input((10,)), "first": LIF((8,), dv=DV), "second": LIF((7,), dv=0.125)},
        [
            Projection("pixels", "first", dyadic(rng, 8, 10, -16, 32)),
            Projection("first", "second", dyadic(rng, 7, 8, -16, 48), delay=2),
            Projection("second", "first", dyadic(rng, 8, 7, -32, 24)),
            Projection("second", "second", dyadic(rng, 7, 7, -24, 16), delay=3),
        ],
    )
    return network, {"pixels": events(rng, 2, 24, 10, 0.2)}, 24


@_float
def bias(rng: Generator) -> Made:
    """The second layer's bias crosses the threshold before the window, into a window that is not open yet either."""
    neurons = LIF((10,), dv=DV, bias=-0.0625), LIF((6,), dv=DV, bias=0.1875), LIF((5,), dv=DV)
    return chain(rng, *neurons, low=-16, high=32, delay=3)


@_float
def bias_per_neuron(rng: Generator) -> Made:
    return chain(rng, LIF((10,), dv=DV, bias=rng.integers(-8, 16, 10) / 128))


@_float
def bias_filtered(rng: Generator) -> Made:
    """A bias is added to v, never to the current."""
    return chain(rng, LIF((10,), dv=DV, du=0.5, bias=0.03125), low=-12, high=18)


@_float
def pacemaker(rng: Generator) -> Made:
    """A population that no input reaches, driven by its bias."""
    network = Network(
        {"pixels": Input((8,)), "pace": LIF((3,), dv=0.125, bias=0.1875), "hidden": LIF((8,), dv=DV)},
        [
            Projection("pixels", "hidden", dyadic(rng, 8, 8, -16, 32)),
            Projection("pace", "hidden", dyadic(rng, 8, 3, -48, 64)),
        ],
    )
    return network, {"pixels": events(rng, 3, 24, 8, 0.2)}, 24


@_float
def early_bias(rng: Generator) -> Made:
    """A bias that alone would cross the threshold before the window opens, into a target whose window is open."""
    network = Network(
        {"pixels": Input((8,)), "first": LIF((8,), dv=DV), "late": LIF((4,), dv=DV, bias=0.375)},
        [
            Projection("pixels", "first", dyadic(rng, 8, 8, -16, 32)),
            Projection("first", "late", dyadic(rng, 4, 8, -48, 16), delay=4),
            Projection("late", "first", dyadic(rng, 8, 4, -32, 16)),
        ],
    )
    return network, {"pixels": events(rng, 2, 24, 8, 0.25)}, 24


@_float
def relayed_bias(rng: Generator) -> Made:
    """The same at second hand: ``late`` wakes ``relay`` before its window, whose spikes come to an open one."""
    network = Network(
        {
            "pixels": Input((8,)),
            "late": LIF((4,), dv=DV, bias=0.375),
            "relay": LIF((4,), dv=DV, v_threshold=0.5),
        },
        [
            Projection("pixels", "late", dyadic(rng, 4, 8, -12, 16), delay=4),
            Projection("late", "relay", dyadic(rng, 4, 4, -8, 40)),
            Projection("relay", "late", dyadic(rng, 4, 4, -48, 0)),
        ],
    )
    return network, {"pixels": events(rng, 2, 24, 8, 0.25)}, 24


@_float
def alone(rng: Generator) -> Made:
    """No input at all: one sample, paced by biases, a chain that no input reaches."""
    network = Network(
        {"pace": LIF((6,), dv=0.0625, bias=rng.integers(12, 28, 6) / 64), "next": LIF((5,), dv=DV)},
        [Projection("pace", "next", dyadic(rng, 5, 6, -16, 48))],
    )
    return network, {}, 30


@_float
def apart(rng: Generator) -> Made:
    """Three parts that no synapse joins, one of them a neuron on its own."""
    sides = {"x": Input((20,)), "y": Input((20,))}
    neurons = {name: LIF((20,), dv=410 / 4096) for name in ("left", "right")}
    lone = LIF((3,), dv=0.125, bias=0.25)
    projections = tuple(
        Projection(x, name, dyadic(rng, 20, 20, -16, 32)) for x, name in zip(sides, neurons, strict=True)
    )
    network = Network({**sides, **neurons, "lone": lone}, projections)
    return network, {name: events(rng, 3, 30, 20, 0.2) for name in sides}, 30


@_float
def noise(rng: Generator) -> Made:
    """Noise as a signed, graded, aligned Input, on a driven population and on one that nothing else reaches."""
    one_to_one = Dense(np.eye(8))
    network = Network(
        {
            "pixels": Input((8,)),
            "noise": Input((8,), graded_bits=7, scale=64, signed=True, aligned=True),
            "hidden": LIF((8,), dv=DV),
            "source": LIF((8,), dv=DV, v_threshold=1.25),
            "output": LIF((5,), dv=DV),
        },
        [
            Projection("pixels", "hidden", dyadic(rng, 8, 8, -16, 32)),
            Projection("noise", "hidden", one_to_one),
            Projection("noise", "source", one_to_one),
            Projection("hidden", "output", dyadic(rng, 5, 8, -16, 48)),
            Projection("source", "output", dyadic(rng, 5, 8, -16, 48)),
        ],
    )
    return network, {"pixels": events(rng, 3, 24, 8, 0.2), "noise": rng.integers(-64, 64, (3, 24, 8))}, 24


@_float
def constant_one(rng: Generator) -> Made:
    """Biases of a filtered current: a constant aligned Input ``one``."""
    network = Network(
        {
            "pixels": Input((10,)),
            "one": Input((1,), graded_bits=1, aligned=True),
            "hidden": LIF((8,), dv=DV, du=0.5),
            "output": LIF((5,), dv=DV, du=0.25),
        },
        [
            Projection("pixels", "hidden", dyadic(rng, 8, 10, -12, 16)),
            Projection("one", "hidden", dyadic(rng, 8, 1, -4, 8)),
            Projection("hidden", "output", dyadic(rng, 5, 8, -8, 16)),
            Projection("one", "output", dyadic(rng, 5, 1, -2, 4)),
        ],
    )
    return network, {"pixels": events(rng, 3, 24, 10, 0.2), "one": np.ones((3, 1), dtype=int)}, 24


@_float
def threshold_per_neuron(rng: Generator) -> Made:
    return chain(rng, LIF((12,), dv=DV, v_threshold=rng.integers(40, 120, 12) / 64))


@_float
def decay_per_neuron(rng: Generator) -> Made:
    return chain(rng, LIF((12,), dv=rng.integers(50, 1000, 12) / 4096, du=rng.integers(1024, 4097, 12) / 4096))


@_float
def filtered(rng: Generator) -> Made:
    return chain(rng, LIF((12,), dv=DV, du=1229 / 4096), LIF((6,), dv=DV, du=0.5), low=-10, high=14)


@_float
def filtered_recurrent(rng: Generator) -> Made:
    network = Network(
        {"pixels": Input((10,)), "hidden": LIF((12,), dv=DV, du=0.5)},
        [
            Projection("pixels", "hidden", dyadic(rng, 12, 10, -12, 18)),
            Projection("hidden", "hidden", dyadic(rng, 12, 12, -16, 12)),
        ],
    )
    return network, {"pixels": events(rng, 2, 24, 10, 0.2)}, 24


@_float
def extremes(rng: Generator) -> Made:
    """No leak at all, then nothing kept at all, then a current that is never lost."""
    return chain(
        rng, LIF((10,), dv=0.0), LIF((8,), dv=1.0), LIF((6,), dv=0.5, v_threshold=4.0, du=0.0), low=-16, high=32
    )


@_float
def threshold_met(rng: Generator) -> Made:
    """Quarters and halves: v equals v_threshold exactly, again and again, and must not spike."""
    network = Network(
        {"pixels": Input((8,)), "hidden": LIF((12,), dv=0.5), "output": LIF((6,), dv=0.0)},
        [
            Projection("pixels", "hidden", dyadic(rng, 12, 8, -2, 4, unit=4)),
            Projection("hidden", "output", dyadic(rng, 6, 12, -2, 3, unit=4)),
        ],
    )
    return network, {"pixels": events(rng, 3, 20, 8, 0.25)}, 20


@_float
def subtract(rng: Generator) -> Made:
    return chain(rng, LIF((12,), dv=DV, reset="subtract"), LIF((6,), dv=DV, reset="subtract"), low=-20)


@_float
def subtract_filtered(rng: Generator) -> Made:
    return chain(rng, LIF((12,), dv=DV, du=0.5, reset="subtract"), low=-12, high=20)


@_float
def subtract_recurrent(rng: Generator) -> Made:
    network = Network(
        {"pixels": Input((10,)), "hidden": LIF((12,), dv=DV, reset="subtract")},
        [
            Projection("pixels", "hidden", dyadic(rng, 12, 10, -16, 28)),
            Projection("hidden", "hidden", dyadic(rng, 12, 12, -32, 20)),
        ],
    )
    return network, {"pixels": events(rng, 2, 24, 10, 0.2)}, 24


@_float
def subtract_kwta(rng: Generator) -> Made:
    return chain(rng, LIF((12,), dv=DV, reset="subtract", winners=3), rate=0.3)


@_float
def subtract_kwta_filtered(rng: Generator) -> Made:
    return chain(rng, LIF((12,), dv=DV, du=0.5, reset="subtract", winners=2, groups=2), rate=0.25)


@_float
def refractory(rng: Generator) -> Made:
    return chain(rng, LIF((12,), dv=DV, refractory=2), LIF((6,), dv=DV, du=0.5, refractory=1), rate=0.35)


@_float
def kwta(rng: Generator) -> Made:
    return chain(rng, LIF((16,), dv=DV, winners=3), LIF((6,), dv=DV, winners=1), rate=0.35)


@_float
def kwta_columns(rng: Generator) -> Made:
    """Four columns that compete apart; they rank by v - v_threshold."""
    return chain(rng, LIF((16,), dv=DV, v_threshold=rng.integers(40, 90, 16) / 64, winners=1, groups=4), rate=0.35)


@_float
def kwta_ties(rng: Generator) -> Made:
    """Twins with equal weights: exact rank ties, which the lower index wins."""
    half = rng.integers(-2, 5, (8, 12)) / 4
    network = Network(
        {"pixels": Input((12,)), "hidden": LIF((16,), dv=0.25, winners=3, groups=2)},
        [Projection("pixels", "hidden", Dense(half[rng.integers(0, 8, 16)]))],
    )
    return network, {"pixels": events(rng, 3, 20, 12, 0.3)}, 20


@_float
def kwta_recurrent(rng: Generator) -> Made:
    """Twins here too."""
    twins = np.arange(12) % 4
    network = Network(
        {"pixels": Input((10,)), "hidden": LIF((12,), dv=DV, winners=2)},
        [
            Projection("pixels", "hidden", Dense(rng.integers(-16, 33, (4, 10))[twins] / 64)),
            Projection("hidden", "hidden", Dense(rng.integers(-24, 25, (4, 12))[twins] / 64)),
        ],
    )
    return network, {"pixels": events(rng, 2, 24, 10, 0.3)}, 24


@_float
def kwta_filtered(rng: Generator) -> Made:
    return chain(rng, LIF((12,), dv=DV, du=0.5, v_threshold=rng.integers(32, 160, 12) / 64, winners=2), rate=0.35)


@_float
def silent(rng: Generator) -> Made:
    return chain(rng, LIF((6,), dv=DV, v_threshold=1000.0), LIF((4,), dv=DV))


@_float
def saturated(rng: Generator) -> Made:
    """Every neuron in every step."""
    return chain(rng, LIF((6,), dv=DV, v_threshold=0.125), LIF((4,), dv=DV), rate=1.0, low=16)


@_float
def read_out(rng: Generator) -> Made:
    """A read-out without spikes, one value of each decay a neuron, beside one that hears the input alone."""
    out = LI((6,), dv=rng.integers(50, 1000, 6) / 4096, bias=rng.integers(-8, 16, 6) / 128)
    network, stimulus, n_steps = chain(rng, LIF((16,), dv=DV), out)
    beside = LI((4,), dv=0.0)
    direct = Projection("pixels", "beside", dyadic(rng, 4, 12, -16, 32), delay=2)
    return (
        Network({**network.populations, "beside": beside}, [*network.projections, direct]),
        stimulus,
        n_steps,
    )


@_float
def read_out_filtered(rng: Generator) -> Made:
    """A filtered current whose bias comes from ``one``, a skip, and a periodic reset."""
    network = Network(
        {
            "pixels": Input((10,)),
            "one": Input((1,), graded_bits=1, aligned=True),
            "hidden": LIF((12,), dv=DV),
            "output": LI((5,), dv=rng.integers(0, 1000, 5) / 4096, du=rng.integers(1024, 4097, 5) / 4096, period=9),
        },
        [
            Projection("pixels", "hidden", dyadic(rng, 12, 10, -16, 32)),
            Projection("hidden", "output", dyadic(rng, 5, 12, -40, 56)),
            Projection("pixels", "output", dyadic(rng, 5, 10, -16, 16), delay=4),
            Projection("one", "output", dyadic(rng, 5, 1, -8, 12)),
        ],
    )
    return network, {"pixels": events(rng, 3, 24, 10, 0.2)}, 24


def even(rng: Generator, post: int, pre: int, low: int, high: int) -> Dense:
    """Mixed 8-bit weights are even."""
    return Dense(2 * rng.integers(low // 2, high // 2 + 1, (post, pre)))


def integer_chain(rng: Generator, *neurons: IntegerLIF | IntegerLI, rate: float = 0.2, **kwargs: Any) -> Made:
    populations: dict[str, Any] = {"pixels": Input((12,))}
    projections = []
    for i, neuron in enumerate(neurons):
        pre = list(populations)[-1]
        populations[f"layer{i}"] = neuron
        low, high = (-64, 128) if i == 0 else (-192, 254)
        projections.append(
            IntegerProjection(pre, f"layer{i}", even(rng, neuron.n, populations[pre].n, low, high), **kwargs)
        )
    return IntegerNetwork(populations, projections), {"pixels": events(rng, 3, 24, 12, rate)}, 24


@_integer
def int_plain(rng: Generator) -> Made:
    return integer_chain(rng, IntegerLIF((16,), dv=410, v_threshold=256), IntegerLIF((6,), dv=410, v_threshold=256))


@_integer
def int_one_sign(rng: Generator) -> Made:
    """Odd weights, all >= 0 in one projection and all <= 0 in the other; their sums add."""
    network = IntegerNetwork(
        {"up": Input((8,)), "down": Input((4,)), "hidden": IntegerLIF((10,), dv=410, v_threshold=600)},
        [
            IntegerProjection("up", "hidden", Dense(rng.integers(0, 256, (10, 8))), sign_mode="excitatory"),
            IntegerProjection("down", "hidden", Dense(rng.integers(-255, 1, (10, 4))), sign_mode="inhibitory"),
        ],
    )
    return network, {"up": events(rng, 3, 24, 8, 0.2), "down": events(rng, 3, 24, 4, 0.2)}, 24


@_integer
def int_floor(rng: Generator) -> Made:
    """A negative weight_exp floors each projection's own sum, and of negative sums too."""
    network = IntegerNetwork(
        {"left": Input((6,)), "right": Input((6,)), "hidden": IntegerLIF((12,), dv=300, v_threshold=20)},
        [
            IntegerProjection("left", "hidden", even(rng, 12, 6, -60, 120), weight_exp=-3),
            IntegerProjection("right", "hidden", even(rng, 12, 6, -60, 120), weight_exp=-4),
        ],
    )
    return network, {"left": events(rng, 3, 24, 6, 0.3), "right": events(rng, 3, 24, 6, 0.3)}, 24


@_integer
def int_weight_exp(rng: Generator) -> Made:
    return integer_chain(
        rng,
        IntegerLIF((12,), dv=410, v_threshold=4 * 256),
        IntegerLIF((6,), dv=410, v_threshold=4 * 256),
        weight_exp=2,
    )


@_integer
def int_bias(rng: Generator) -> Made:
    return integer_chain(
        rng,
        IntegerLIF((10,), dv=410, v_threshold=256, bias_mant=rng.integers(-20, 30, 10), bias_exp=6),
        IntegerLIF((6,), dv=410, v_threshold=256, bias_mant=-333),
    )


@_integer
def int_pacemaker(rng: Generator) -> Made:
    network = IntegerNetwork(
        {
            "pixels": Input((8,)),
            "pace": IntegerLIF((3,), dv=512, v_threshold=100, bias_mant=19, bias_exp=6),
            "hidden": IntegerLIF((8,), dv=410, v_threshold=256),
        },
        [
            IntegerProjection("pixels", "hidden", even(rng, 8, 8, -64, 128)),
            IntegerProjection("pace", "hidden", even(rng, 8, 3, -192, 254)),
        ],
    )
    return network, {"pixels": events(rng, 3, 24, 8, 0.2)}, 24


@_integer
def int_early_bias(rng: Generator) -> Made:
    network = IntegerNetwork(
        {
            "pixels": Input((8,)),
            "first": IntegerLIF((8,), dv=410, v_threshold=256),
            "late": IntegerLIF((4,), dv=410, v_threshold=256, bias_mant=96, bias_exp=6),
        },
        [
            IntegerProjection("pixels", "first", even(rng, 8, 8, -64, 128)),
            IntegerProjection("first", "late", even(rng, 4, 8, -192, 64), delay=4),
            IntegerProjection("late", "first", even(rng, 8, 4, -128, 64)),
        ],
    )
    return network, {"pixels": events(rng, 2, 24, 8, 0.25)}, 24


@_integer
def int_held(rng: Generator) -> Made:
    """du = -1: the current is never lost."""
    network = IntegerNetwork(
        {"pixels": Input((12,)), "hidden": IntegerLIF((10,), dv=410, v_threshold=1000, du=-1)},
        [IntegerProjection("pixels", "hidden", even(rng, 10, 12, -60, 80))],
    )
    return network, {"pixels": events(rng, 3, 24, 12, 0.1)}, 24


@_integer
def int_filtered(rng: Generator) -> Made:
    """Both currents and voltages truncate toward zero, from either side."""
    return integer_chain(
        rng,
        IntegerLIF((12,), dv=410, du=1228, v_threshold=700),
        IntegerLIF((6,), dv=77, du=2047, v_threshold=800),
    )


@_integer
def int_filtered_recurrent(rng: Generator) -> Made:
    network = IntegerNetwork(
        {"pixels": Input((10,)), "hidden": IntegerLIF((12,), dv=123, du=1023, v_threshold=1200)},
        [
            IntegerProjection("pixels", "hidden", even(rng, 12, 10, -64, 128)),
            IntegerProjection("hidden", "hidden", even(rng, 12, 12, -128, 96), delay=2),
        ],
    )
    return network, {"pixels": events(rng, 2, 30, 10, 0.2)}, 30


@_integer
def int_undecayed(rng: Generator) -> Made:
    """du = 0 still loses 1/4096, dv = 0 loses nothing."""
    network = IntegerNetwork(
        {"pixels": Input((12,)), "hidden": IntegerLIF((10,), dv=0, v_threshold=3000, du=0)},
        [IntegerProjection("pixels", "hidden", even(rng, 10, 12, -90, 110))],
    )
    return network, {"pixels": events(rng, 3, 24, 12, 0.15)}, 24


@_integer
def int_few_bits(rng: Generator) -> Made:
    network = IntegerNetwork(
        {
            "pixels": Input((12,)),
            "hidden": IntegerLIF((12,), dv=410, v_threshold=300),
            "output": IntegerLIF((6,), dv=410, v_threshold=400),
        },
        [
            IntegerProjection("pixels", "hidden", Dense(32 * rng.integers(-3, 5, (12, 12))), num_weight_bits=4),
            IntegerProjection(
                "hidden",
                "output",
                Dense(32 * rng.integers(0, 8, (6, 12))),
                num_weight_bits=3,
                sign_mode="excitatory",
            ),
        ],
    )
    return network, {"pixels": events(rng, 3, 24, 12, 0.2)}, 24


@_integer
def int_pixels(rng: Generator) -> Made:
    """8-bit pixels held constant through weight_exp = -8."""
    network = IntegerNetwork(
        {
            "pixels": Input((3, 2, 2), graded_bits=8, scale=255),
            "hidden": IntegerLIF((2, 2, 3), dv=410, v_threshold=256),
            "output": IntegerLIF((5,), dv=410, v_threshold=256),
        },
        [
            IntegerProjection("pixels", "hidden", even(rng, 12, 12, -64, 90), weight_exp=-8),
            IntegerProjection("hidden", "output", even(rng, 5, 12, -64, 200)),
        ],
    )
    return network, {"pixels": rng.integers(0, 256, (3, 3, 2, 2)).astype(np.uint8)}, 20


@_integer
def int_noise(rng: Generator) -> Made:
    one_to_one = Dense(2 * np.eye(8, dtype=int))
    network = IntegerNetwork(
        {
            "pixels": Input((8,)),
            "noise": Input((8,), graded_bits=6, signed=True, aligned=True),
            "hidden": IntegerLIF((8,), dv=410, v_threshold=150, bias_mant=64),
            "output": IntegerLIF((6,), dv=410, v_threshold=256),
        },
        [
            IntegerProjection("pixels", "hidden", even(rng, 8, 8, -64, 128)),
            IntegerProjection("noise", "hidden", one_to_one),
            IntegerProjection("hidden", "output", even(rng, 6, 8, -64, 200)),
        ],
    )
    return network, {"pixels": events(rng, 3, 24, 8, 0.2), "noise": rng.integers(-32, 32, (3, 24, 8))}, 24


@_integer
def int_threshold_met(rng: Generator) -> Made:
    """dv = 2048 and multiples of 64: v equals v_threshold exactly, again and again."""
    network = IntegerNetwork(
        {"pixels": Input((8,)), "hidden": IntegerLIF((12,), dv=2048, v_threshold=128)},
        [IntegerProjection("pixels", "hidden", Dense(64 * rng.integers(-1, 3, (12, 8))))],
    )
    return network, {"pixels": events(rng, 3, 20, 8, 0.25)}, 20


@_integer
def int_threshold_per_neuron(rng: Generator) -> Made:
    return integer_chain(rng, IntegerLIF((12,), dv=410, v_threshold=rng.integers(150, 400, 12)))


@_integer
def int_decay_per_neuron(rng: Generator) -> Made:
    neuron = IntegerLIF((12,), dv=rng.integers(50, 1000, 12), du=rng.integers(1023, 4096, 12), v_threshold=400)
    return integer_chain(rng, neuron)


@_integer
def int_delays(rng: Generator) -> Made:
    """The sums of each delay are floored apart."""
    network = IntegerNetwork(
        {
            "pixels": Input((8,)),
            "hidden": IntegerLIF((10,), dv=410, v_threshold=40),
            "output": IntegerLIF((5,), dv=410, v_threshold=128),
        },
        [
            IntegerProjection(
                "pixels", "hidden", even(rng, 10, 8, -80, 220), delay=rng.integers(1, 6, (10, 8)), weight_exp=-3
            ),
            IntegerProjection("hidden", "output", even(rng, 5, 10, -128, 160), delay=5),
        ],
    )
    return network, {"pixels": events(rng, 2, 24, 8, 0.3)}, 24


@_integer
def int_recurrent(rng: Generator) -> Made:
    network = IntegerNetwork(
        {
            "pixels": Input((10,)),
            "hidden": IntegerLIF((12,), dv=410, v_threshold=256),
            "output": IntegerLIF((5,), dv=410, v_threshold=256),
        },
        [
            IntegerProjection("pixels", "hidden", even(rng, 12, 10, -64, 128)),
            IntegerProjection("hidden", "hidden", even(rng, 12, 12, -128, 96)),
            IntegerProjection("hidden", "output", even(rng, 5, 12, -64, 160)),
            IntegerProjection("pixels", "output", even(rng, 5, 10, -64, 64)),
        ],
    )
    return network, {"pixels": events(rng, 2, 24, 10, 0.2)}, 24


@_integer
def int_kwta(rng: Generator) -> Made:
    """Twins among few distinct weights: integer rank ties are common."""
    rows = 64 * rng.integers(-1, 3, (6, 12))
    network = IntegerNetwork(
        {
            "pixels": Input((12,)),
            "hidden": IntegerLIF((16,), dv=410, v_threshold=256, winners=3),
            "output": IntegerLIF((6,), dv=410, v_threshold=256, winners=1, groups=2),
        },
        [
            IntegerProjection("pixels", "hidden", Dense(rows[rng.integers(0, 6, 16)])),
            IntegerProjection("hidden", "output", even(rng, 6, 16, -64, 200)),
        ],
    )
    return network, {"pixels": events(rng, 3, 24, 12, 0.3)}, 24


@_integer
def int_kwta_recurrent(rng: Generator) -> Made:
    hidden = IntegerLIF((12,), dv=410, v_threshold=rng.integers(64, 448, 12), winners=1, groups=2)
    network = IntegerNetwork(
        {"pixels": Input((10,)), "hidden": hidden},
        [
            IntegerProjection("pixels", "hidden", even(rng, 12, 10, -64, 128)),
            IntegerProjection("hidden", "hidden", even(rng, 12, 12, -96, 96)),
        ],
    )
    return network, {"pixels": events(rng, 2, 24, 10, 0.3)}, 24


@_integer
def int_wrap(rng: Generator) -> Made:
    """Sums above 2^17 flip the sign of u; with weight_exp 2 some leave the 24 bits altogether."""
    network = IntegerNetwork(
        {"pixels": Input((6,), graded_bits=8), "hidden": IntegerLIF((8,), dv=410, du=2047, v_threshold=90000)},
        [IntegerProjection("pixels", "hidden", even(rng, 8, 6, -160, 254), weight_exp=2)],
    )
    return network, {"pixels": rng.integers(0, 256, (3, 20, 6))}, 20


@_integer
def int_saturation(rng: Generator) -> Made:
    """v held at both ends of its 24 bits; losers of the competition stay at the upper one."""
    network = IntegerNetwork(
        {"pixels": Input((4,), graded_bits=8), "hidden": IntegerLIF((8,), dv=0, v_threshold=131071, winners=1)},
        [IntegerProjection("pixels", "hidden", even(rng, 8, 4, -128, 200))],
    )
    return network, {"pixels": rng.integers(0, 256, (3, 24, 4))}, 24


@_integer
def int_silent(rng: Generator) -> Made:
    return integer_chain(rng, IntegerLIF((6,), dv=410, v_threshold=131071), IntegerLIF((4,), dv=410, v_threshold=100))


@_integer
def int_read_out(rng: Generator) -> Made:
    """Its v passes the highest threshold of a LIF, 2^17 - 1, and stays."""
    network, stimulus, n_steps = integer_chain(
        rng,
        IntegerLIF((16,), dv=410, v_threshold=256),
        IntegerLI((6,), dv=rng.integers(0, 200, 6), bias_mant=rng.integers(-333, 500, 6), bias_exp=3),
    )
    beside = IntegerProjection("pixels", "beside", even(rng, 4, 12, 64, 254), delay=2, weight_exp=7)
    return (
        IntegerNetwork({**network.populations, "beside": IntegerLI((4,), dv=0)}, [*network.projections, beside]),
        stimulus,
        n_steps,
    )


@_integer
def int_read_out_filtered(rng: Generator) -> Made:
    out = IntegerLI((6,), dv=rng.integers(0, 500, 6), du=rng.integers(1023, 4096, 6), period=9)
    return integer_chain(rng, IntegerLIF((16,), dv=410, v_threshold=256), out)


def tags(network: Network | IntegerNetwork) -> frozenset[str]:
    """What a network asks of a simulator: the words of the tables of refusals."""
    neurons = list(network.neurons.values())
    found = {
        "integer": isinstance(network, IntegerNetwork),
        "float": isinstance(network, Network),
        "per-neuron threshold": any(np.ndim(n.v_threshold) for n in neurons),
        "per-neuron decay": any(np.ndim(n.du) or np.ndim(n.dv) for n in neurons),
        "per-neuron bias": any(np.ndim(n.bias) for n in neurons),
        "filtered": any(_keeps_current(n) for n in neurons),
        "bias": any(np.any(n.bias) for n in neurons),
        "bias filtered": any(np.any(n.bias) and _keeps_current(n) for n in neurons),
        "kwta": any(n.winners is not None for n in neurons),
        "kwta filtered zero": any(n.winners is not None and _keeps_current(n) and _reset(n) == "zero" for n in neurons),
        "subtract": any(_reset(n) == "subtract" for n in neurons),
        "subtract filtered": any(_reset(n) == "subtract" and _keeps_current(n) for n in neurons),
        "subtract kwta": any(_reset(n) == "subtract" and n.winners is not None for n in neurons),
        "refractory": any(getattr(n, "refractory", 0) for n in neurons),
        "recurrent": any(p.pre == p.post for p in network.projections),
        "unbalanced": bool(network.unbalanced),
        "delay": any(np.max(p.delay) > 1 for p in network.projections),
        "delay array": any(np.ndim(p.delay) for p in network.projections),
        "graded": any(i.graded_bits is not None for i in network.inputs.values()),
        "signed": any(i.signed for i in network.inputs.values()),
        "aligned": any(i.aligned for i in network.inputs.values()),
        "no input": not network.inputs,
        "never spikes": any(not spikes(n) for n in neurons),
        "early bias": bool(_awake_early(network)),
    }
    return frozenset(tag for tag, present in found.items() if present)


def _keeps_current(neuron: Any) -> bool:
    return bool(np.any(np.asarray(neuron.du) < (4095 if is_integer(neuron) else 1)))


def _reset(neuron: Any) -> str:
    return getattr(neuron, "reset", "zero")


def _awake_early(network: Network | IntegerNetwork) -> set[str]:
    """Populations that a bias lets spike before their window, and that a spike in flight carries into an open one.

    Nothing rests on a clocked target: a bias is integrated from its first step, and what it wakes wakes others.
    """
    awake = {name for name in network.neurons if _crosses_before_window(network, name)}
    while more := {p.post for p in network.projections if p.pre in awake} - awake:
        awake |= more
    return {p.pre for p in network.projections if p.pre in awake and any(network.lags(p))}


def _crosses_before_window(network: Network | IntegerNetwork, name: str) -> bool:
    neuron = network.neurons[name]
    integer = is_integer(neuron)
    keep = 1 - np.asarray(neuron.dv) / (4096 if integer else 1)
    v = np.zeros(neuron.n)
    for _ in range(network.depth[name]):
        v = v * keep + neuron.bias
        if np.any(v > neuron.v_threshold * (64 if integer else 1)):
            return True
    return False


@_float
def sparse(rng: Generator) -> Made:
    """Synapses as lists; in the second projection each has a delay of its own."""
    first = Sparse.from_dense(rng.integers(-16, 49, (14, 12)) / 64 * (rng.random((14, 12)) < 0.5))
    second = Sparse.from_dense(rng.integers(-40, 81, (8, 14)) / 64 * (rng.random((8, 14)) < 0.5))
    network = Network(
        {"pixels": Input((12,)), "hidden": LIF((14,), dv=DV), "output": LIF((8,), dv=DV)},
        [
            Projection("pixels", "hidden", first),
            Projection("hidden", "output", second, delay=rng.integers(1, 4, second.weight.size)),
        ],
    )
    return network, {"pixels": events(rng, 2, 24, 12, 0.2)}, 24


def _kernel(rng: Generator, integer: bool) -> Conv2d:
    """A convolution with everything that it may have, from 4 channels of 5 x 6 to 6 of 3 x 3."""
    weight = 2 * rng.integers(-60, 101, (6, 2, 2, 3))
    return Conv2d(weight if integer else weight / 256, (4, 5, 6), (2, 2), (1, 1), (2, 1), groups=2)


@_float
def convolution(rng: Generator) -> Made:
    """A convolution, and a pooling followed by a matrix."""
    pooling = Pool2d((6, 3, 3), (2, 3), 1)
    chained = Chain((Pool2d((6, 3, 3), (2, 3), 1, weight=0.25), dyadic(rng, 7, 12, -64, 160)))
    network = Network(
        {
            "pixels": Input((4, 5, 6), graded_bits=4, scale=16),
            "hidden": LIF((6, 3, 3), dv=DV, v_threshold=2.0),
            "pooled": LIF(pooling.output_shape, dv=DV, v_threshold=0.25),
            "output": LIF((7,), dv=DV, v_threshold=7.0),
        },
        [
            Projection("pixels", "hidden", _kernel(rng, False)),
            Projection("hidden", "pooled", pooling.with_weight(0.125), delay=2),
            Projection("hidden", "output", chained),
        ],
    )
    return network, {"pixels": rng.integers(0, 16, (2, 24, 4, 5, 6))}, 24


@_float
def periodic(rng: Generator) -> Made:
    """Populations that are reset together, each in its own rhythm, with all that a state may hold."""
    return chain(
        rng,
        LIF((16,), dv=DV, du=0.25, v_threshold=1.5, period=5),
        LIF((6,), dv=DV, period=7),
    )


@_float
def periodic_delays(rng: Generator) -> Made:
    """What is on its way when a population is reset arrives after all; inhibition of its own group, two steps later."""
    network = Network(
        {
            "pixels": Input((10,)),
            "hidden": LIF((12,), dv=0.0, period=5, winners=1, groups=4),
            "output": LIF((6,), dv=DV, v_threshold=2.0, period=7),
        },
        [
            Projection("pixels", "hidden", dyadic(rng, 12, 10, -8, 32)),
            Projection("hidden", "hidden", Dense(np.kron(np.eye(4), np.full((3, 3), -0.5))), delay=2),
            Projection("hidden", "output", dyadic(rng, 6, 12, -16, 64), delay=3),
        ],
    )
    return network, {"pixels": events(rng, 3, 30, 10, 0.3)}, 30


@_float
def periodic_subtract(rng: Generator) -> Made:
    return chain(rng, LIF((16,), dv=DV, v_threshold=1.5, period=3, reset="subtract"), rate=0.3)


@_float
def periodic_refractory(rng: Generator) -> Made:
    return chain(rng, LIF((16,), dv=DV, period=3, refractory=4), rate=0.3)


@_integer
def int_sparse(rng: Generator) -> Made:
    first = Sparse.from_dense(2 * rng.integers(-30, 90, (14, 12)) * (rng.random((14, 12)) < 0.5))
    second = Sparse.from_dense(2 * rng.integers(-60, 127, (8, 14)) * (rng.random((8, 14)) < 0.5))
    network = IntegerNetwork(
        {
            "pixels": Input((12,)),
            "hidden": IntegerLIF((14,), dv=410, v_threshold=200),
            "output": IntegerLIF((8,), dv=410, v_threshold=40),
        },
        [
            IntegerProjection("pixels", "hidden", first),
            IntegerProjection("hidden", "output", second, rng.integers(1, 4, second.weight.size), weight_exp=-2),
        ],
    )
    return network, {"pixels": events(rng, 2, 24, 12, 0.2)}, 24


@_integer
def int_convolution(rng: Generator) -> Made:
    pooling = Pool2d((6, 3, 3), (2, 3), 1, weight=64)
    network = IntegerNetwork(
        {
            "pixels": Input((4, 5, 6), graded_bits=4),
            "hidden": IntegerLIF((6, 3, 3), dv=410, v_threshold=500),
            "output": IntegerLIF(pooling.output_shape, dv=410, v_threshold=190),
        },
        [
            IntegerProjection("pixels", "hidden", _kernel(rng, True), weight_exp=-4),
            IntegerProjection("hidden", "output", pooling, delay=2, sign_mode="excitatory"),
        ],
    )
    return network, {"pixels": rng.integers(0, 16, (2, 24, 4, 5, 6))}, 24


@_integer
def int_odd_convolution(rng: Generator) -> Made:
    """Odd weights of either sign from spikes and from a graded Input: Lava's Conv takes them."""
    shape = (4, 5, 6)
    pooling = Pool2d((6, 3, 3), (2, 3), 1, weight=101)
    kernels = [_kernel(rng, True).weight + 1, 2 * rng.integers(-5, 6, (6, 4, 3, 4)) + 1]
    network = IntegerNetwork(
        {
            "events": Input(shape),
            "pixels": Input(shape, graded_bits=4),
            "hidden": IntegerLIF((6, 3, 3), dv=410, v_threshold=420),
            "output": IntegerLIF(pooling.output_shape, dv=410, v_threshold=290),
        },
        [
            IntegerProjection("events", "hidden", Conv2d(kernels[0], shape, (2, 2), (1, 1), (2, 1), groups=2)),
            IntegerProjection("pixels", "hidden", Conv2d(kernels[1], shape)),
            IntegerProjection("hidden", "output", Conv2d(pooling.convolution().weight, (6, 3, 3), (2, 3), 1, groups=6)),
        ],
    )
    fed = {"events": rng.random((2, 24, *shape)) < 0.2, "pixels": rng.integers(0, 16, (2, 24, *shape))}
    return network, fed, 24


@_integer
def int_periodic(rng: Generator) -> Made:
    network = IntegerNetwork(
        {
            "pixels": Input((12,)),
            "hidden": IntegerLIF((14,), dv=200, du=1000, v_threshold=350, period=5),
            "output": IntegerLIF((8,), dv=410, v_threshold=200, winners=2, period=4),
        },
        [
            IntegerProjection("pixels", "hidden", Dense(2 * rng.integers(-40, 70, (14, 12)))),
            IntegerProjection("hidden", "output", Dense(2 * rng.integers(-60, 100, (8, 14)))),
        ],
    )
    return network, {"pixels": events(rng, 2, 24, 12, 0.2)}, 24


@_integer
def int_periodic_delays(rng: Generator) -> Made:
    """As the float one; sums shifted, and a slow Dense beside a slow Sparse."""
    ring = Sparse.from_dense(np.kron(np.eye(4, dtype=int), np.full((3, 3), -128)))
    network = IntegerNetwork(
        {
            "pixels": Input((10,)),
            "hidden": IntegerLIF((12,), dv=0, v_threshold=256, period=5, winners=1, groups=4),
            "output": IntegerLIF((6,), dv=410, v_threshold=400, period=7),
        },
        [
            IntegerProjection("pixels", "hidden", even(rng, 12, 10, -64, 254)),
            IntegerProjection("hidden", "hidden", ring, delay=2, sign_mode="inhibitory"),
            IntegerProjection("hidden", "output", even(rng, 6, 12, -64, 254), delay=3, weight_exp=-1),
        ],
    )
    return network, {"pixels": events(rng, 3, 30, 10, 0.3)}, 30


@_float
def thermal_ring(rng: Generator) -> Made:
    """A bath at the membranes and an information current between them: antisymmetric recurrent spikes."""
    n, n_steps = 12, 30
    driven = Network(
        {"pixels": Input((10,)), "ring": LIF((n,), dv=DV), "output": LIF((5,), dv=DV)},
        [
            Projection("pixels", "ring", dyadic(rng, n, 10, -16, 40)),
            Projection("ring", "ring", Dense(antisymmetric_ring(n, 0.375))),
            Projection("ring", "output", dyadic(rng, 5, n, -16, 40)),
        ],
    )
    network, name = with_noise(driven, "ring", temperature=0.25)
    weight = network.projections[-1].connection.with_weight(np.full(n, 0.25))
    network = replace(
        network, projections=(*network.projections[:-1], replace(network.projections[-1], connection=weight))
    )
    # Multiples of 1/64, as all values here.
    drawn = np.round(64 * normal(int(rng.integers(2**32)), name, 3, n_steps, n)) / 64
    return network, {"pixels": events(rng, 3, n_steps, 10, 0.2), name: drawn}, n_steps


@_integer
def int_thermal_ring(rng: Generator) -> Made:
    n, n_steps, bits = 12, 30, 9
    driven = IntegerNetwork(
        {
            "pixels": Input((10,)),
            "ring": IntegerLIF((n,), dv=410, v_threshold=400, bias_exp=4),
            "output": IntegerLIF((5,), dv=410, v_threshold=300),
        },
        [
            IntegerProjection("pixels", "ring", Dense(2 * rng.integers(-30, 80, (n, 10)))),
            IntegerProjection("ring", "ring", Dense(antisymmetric_ring(n, 120).astype(int))),
            IntegerProjection("ring", "output", Dense(2 * rng.integers(-30, 80, (5, n)))),
        ],
    )
    network, name = with_integer_noise(driven, "ring", bits)
    drawn = uniform(int(rng.integers(2**32)), name, 3, n_steps, n, bits)
    return network, {"pixels": events(rng, 3, n_steps, 10, 0.2), name: drawn}, n_steps


def _of_model(model: Model) -> Build:
    """A case for a neuron model of another package: its example, driven by twice as many Inputs."""

    def build(rng: Generator) -> Made:
        neurons, n_steps = model.example, 60
        pixels = Input((2 * neurons.n,))
        weight = rng.integers(-8, 24, (neurons.n, pixels.n))
        stimulus = {"pixels": events(rng, 3, n_steps, pixels.n, 1 / 3)}
        if model.integer:
            projection = IntegerProjection("pixels", "cells", Dense(2 * weight))
            return IntegerNetwork({"pixels": pixels, "cells": neurons}, [projection]), stimulus, n_steps
        network = Network({"pixels": pixels, "cells": neurons}, [Projection("pixels", "cells", Dense(weight / 64))])
        return network, stimulus, n_steps

    return build


ADDED.update({f"model_{t.__name__}": _of_model(model) for t, model in models().items() if t not in MODELS})
