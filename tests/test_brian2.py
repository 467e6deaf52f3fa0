"""The Brian2 simulator: agreement with the reference, its own competition, and what it leaves behind (nothing)."""

from __future__ import annotations

import ast
import gc
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlm_snn import (
    LIF,
    Dense,
    DlmError,
    Input,
    IntegerLIF,
    IntegerNetwork,
    IntegerProjection,
    Network,
    Projection,
    Recording,
    UnsupportedError,
    compare,
)
from dlm_snn.backends import reference
from dlm_snn.backends._brian2_import import FROZEN_BY_PYTHON

backend = pytest.importorskip("dlm_snn.backends.brian2")
brian2 = pytest.importorskip("brian2")

FOLDER = Path(reference.__file__).parent
MODULES = sorted(FOLDER.glob("*brian2*.py"))
ALL = ("s", "u", "v")
N_SAMPLES, N_STEPS = 3, 24
DV = 410 / 4096

Made = tuple[Network, dict[str, Any]]


def dyadic(rng: np.random.Generator, post: int, pre: int, low: int, high: int) -> Dense:
    """Weights in multiples of 1/64: their sums are exact in any order."""
    return Dense(rng.integers(low, high, (post, pre)) / 64)


def spikes(rng: np.random.Generator, n: int) -> np.ndarray:
    return (rng.random((N_SAMPLES, N_STEPS, n)) < 0.2).astype(int)


def layers(rng: np.random.Generator, hidden: LIF, *more: Projection, low: int = -16, high: int = 32) -> Made:
    """pixels -> hidden -> output, and more projections among them."""
    network = Network(
        {"pixels": Input((10,)), "hidden": hidden, "output": LIF((5,), dv=DV)},
        [
            Projection("pixels", "hidden", dyadic(rng, hidden.n, 10, low, high)),
            Projection("hidden", "output", dyadic(rng, 5, hidden.n, -16, 40)),
            *more,
        ],
    )
    return network, {"pixels": spikes(rng, 10)}


def balanced(rng: np.random.Generator) -> Made:
    return layers(rng, LIF((12,), dv=DV, du=0.75, bias=rng.integers(-4, 8, 12) / 128), high=28)


def skip(rng: np.random.Generator) -> Made:
    late = [Projection("pixels", "output", dyadic(rng, 5, 10, -8, 16), delay=d) for d in (1, 4)]
    return layers(rng, LIF((12,), dv=DV), *late)


def recurrent_with_delay_arrays(rng: np.random.Generator) -> Made:
    return layers(
        rng,
        LIF((12,), dv=rng.integers(100, 900, 12) / 4096, v_threshold=rng.integers(48, 90, 12) / 64, refractory=2),
        Projection("hidden", "hidden", dyadic(rng, 12, 12, -24, 16), delay=rng.integers(1, 5, (12, 12))),
        Projection("output", "hidden", dyadic(rng, 12, 5, -32, 16), delay=np.arange(12) % 3 + 1),
    )


def subtract(rng: np.random.Generator) -> Made:
    return layers(
        rng, LIF((12,), dv=DV, reset="subtract"), Projection("hidden", "hidden", dyadic(rng, 12, 12, -24, 12))
    )


def refractory(rng: np.random.Generator) -> Made:
    return layers(rng, LIF((12,), dv=DV, refractory=3), high=40)


def columns_with_ties(rng: np.random.Generator) -> Made:
    """Neurons 2i and 2i + 1 hear the same: they are equal to the last bit, and one of them often has to yield."""
    network, stimulus = layers(rng, LIF((12,), dv=DV, winners=1, groups=3))
    first, second = network.projections
    twins = Dense(np.repeat(first.connection.weight[::2], 2, axis=0))
    return Network(network.populations, [Projection("pixels", "hidden", twins), second]), stimulus


def noise(rng: np.random.Generator) -> Made:
    network, stimulus = layers(rng, LIF((12,), dv=DV))
    network = Network(
        {**network.populations, "noise": Input((12,), graded_bits=6, scale=32, signed=True, aligned=True)},
        [*network.projections, Projection("noise", "hidden", Dense(np.eye(12)))],
    )
    return network, {**stimulus, "noise": rng.integers(-32, 32, (N_SAMPLES, N_STEPS, 12))}


def unreached(rng: np.random.Generator) -> Made:
    network, stimulus = layers(rng, LIF((12,), dv=DV))
    network = Network(
        {**network.populations, "pace": LIF((4,), dv=0.125, bias=rng.integers(10, 20, 4) / 64)},
        [*network.projections, Projection("pace", "output", dyadic(rng, 5, 4, -32, 40), delay=2)],
    )
    return network, stimulus


def held_constant(rng: np.random.Generator) -> Made:
    network, _ = layers(rng, LIF((12,), dv=DV), low=-8, high=10)
    populations = {**network.populations, "pixels": Input((10,), graded_bits=4, scale=16)}
    slow = Projection("pixels", "hidden", dyadic(rng, 12, 10, -8, 10), delay=3)
    return Network(populations, [*network.projections, slow]), {"pixels": rng.integers(0, 16, (N_SAMPLES, 10))}


NETS: list[Callable[[np.random.Generator], Made]] = [
    *(balanced, skip, recurrent_with_delay_arrays, subtract, refractory, columns_with_ties, noise, unreached),
    held_constant,
]
IN_FLIGHT = [recurrent_with_delay_arrays, held_constant]


def made(build: Callable[[np.random.Generator], Made]) -> Made:
    return build(np.random.default_rng(NETS.index(build)))


def steps(stimulus: dict[str, Any], first: int, last: int) -> dict[str, Any]:
    return {name: given if given.ndim == 2 else given[:, first:last] for name, given in stimulus.items()}


def assert_same(first: Recording, second: Recording) -> None:
    comparison = compare(first, second)
    assert comparison.equal, str(comparison)
    assert comparison.ties == ()
    assert all(gap == 0 for gaps in comparison.values.values() for gap in gaps), comparison.values


@pytest.mark.parametrize("build", NETS)
def test_agrees_with_the_reference_in_every_spike_and_value(build):
    network, stimulus = made(build)
    expected = reference.run(network, stimulus, N_STEPS, record=ALL)
    rates = {name: raster.rate for name, raster in expected.rasters.items()}
    assert all(0.02 <= rate <= 0.4 for rate in rates.values()), rates
    assert_same(expected, backend.run(network, stimulus, N_STEPS, record=ALL))


def test_of_equal_voltages_the_lower_index_spikes():
    network = Network(
        {"pixel": Input((1,)), "cells": LIF((6,), dv=1.0, v_threshold=0.5, winners=2, groups=2)},
        [Projection("pixel", "cells", Dense([[1.0], [1.0], [1.0], [1.0], [1.0], [1.25]]))],
    )
    raster = backend.run(network, {"pixel": np.ones((2, 1))}, 3).rasters["cells"]
    np.testing.assert_array_equal(raster.counts(), [[3, 3, 0, 3, 0, 3]] * 2)


@pytest.mark.parametrize(("winners", "block"), [(1, 4), (2, 3), (3, 12), (12, 12), (1, 1)])
def test_competition_picks_by_value_and_then_by_index(winners, block):
    """Against the rule written out: a neuron wins if fewer than ``winners`` of its block come before it."""
    overshoot = np.random.default_rng(winners).integers(-2, 4, 48) / 4
    expected = [
        overshoot[i] > 0
        and sum((overshoot[j], -j) > (overshoot[i], -i) for j in range(i - i % block, i - i % block + block)) < winners
        for i in range(48)
    ]
    np.testing.assert_array_equal(backend_module("_brian2_blocks")._winners(overshoot, winners, block), expected)


def backend_module(name: str) -> Any:
    return sys.modules[f"dlm_snn.backends.{name}"]


@pytest.mark.parametrize("delay", [1, 2, 5])
def test_a_spike_arrives_after_its_delay(delay):
    """Two neurons in a chain, and back: each spike of the first comes back 2 + delay - 1 steps later."""
    network = Network(
        {
            "pixel": Input((1,)),
            "first": LIF((1,), dv=1.0, v_threshold=0.5),
            "second": LIF((1,), dv=1.0, v_threshold=0.5),
        },
        [
            Projection("pixel", "first", Dense([[1.0]])),
            Projection("first", "second", Dense([[1.0]])),
            Projection("second", "first", Dense([[1.0]]), delay=delay),
        ],
    )
    pulse = np.zeros((1, 15, 1))
    pulse[0, 1] = 1
    recording = backend.run(network, {"pixel": pulse}, 15)
    arrivals = np.arange(1, 15, delay + 1)
    np.testing.assert_array_equal(recording.rasters["first"].step, arrivals)
    np.testing.assert_array_equal(recording.rasters["second"].step, arrivals)


# One step is less than the longest lag: what is in flight then outlives the first steps of the second half.
@pytest.mark.parametrize("cut", [1, 9])
@pytest.mark.parametrize("simulators", [(backend, backend), (reference, backend), (backend, reference)])
@pytest.mark.parametrize("build", IN_FLIGHT)
def test_two_halves_are_one_whole(build, simulators, cut):
    network, stimulus = made(build)
    whole = reference.run(network, stimulus, N_STEPS, record=ALL)
    first = simulators[0].run(network, steps(stimulus, 0, cut), cut, record=ALL)
    second = simulators[1].run(network, steps(stimulus, cut, N_STEPS), N_STEPS - cut, record=ALL, state=first.state)
    assert second.state.step == N_STEPS
    for name in network.neurons:
        joined = np.concatenate([part.rasters[name].dense() for part in (first, second)], axis=1)
        np.testing.assert_array_equal(joined, whole.rasters[name].dense())
        for key in ("u", "v"):
            joined = np.concatenate([getattr(part, key)[name] for part in (first, second)], axis=1)
            np.testing.assert_array_equal(joined, getattr(whole, key)[name])
        for field in ("u", "v", "s", "refractory"):
            np.testing.assert_array_equal(
                getattr(second.state.neurons[name], field), getattr(whole.state.neurons[name], field)
            )
    assert second.state.flight.keys() == whole.state.flight.keys()
    for name, sent in whole.state.flight.items():
        np.testing.assert_array_equal(second.state.flight[name], sent)


def test_several_runs_equal_one():
    """Two of three samples leave a block of the second run empty."""
    network, stimulus = made(recurrent_with_delay_arrays)
    half = backend.run(network, steps(stimulus, 0, 8), 8)
    rest = steps(stimulus, 8, N_STEPS)
    one, *several = (
        backend.run(network, rest, N_STEPS - 8, record=ALL, state=half.state, samples_per_run=size)
        for size in (None, 1, 2)
    )
    for other in several:
        assert_same(one, other)
        for name in network.neurons:
            np.testing.assert_array_equal(one.state.neurons[name].v, other.state.neurons[name].v)


def test_integer_network_is_refused():
    network = IntegerNetwork(
        {"pixels": Input((2,)), "hidden": IntegerLIF((2,), dv=410, v_threshold=64)},
        [IntegerProjection("pixels", "hidden", Dense(np.full((2, 2), 32)))],
    )
    with pytest.raises(UnsupportedError, match="brian2 cannot do an IntegerNetwork"):
        backend.run(network, {"pixels": np.ones((1, 2), dtype=int)}, 3)


def test_a_state_of_other_samples_is_refused():
    network, stimulus = made(recurrent_with_delay_arrays)
    state = reference.run(network, {"pixels": stimulus["pixels"][:1]}, N_STEPS).state
    with pytest.raises(DlmError, match="the state does not fit population 'hidden' of 3 samples"):
        backend.run(network, stimulus, N_STEPS, state=state)


@pytest.mark.parametrize("samples_per_run", [0, -1, 1.5])
def test_samples_per_run_must_be_a_positive_integer(samples_per_run):
    network, stimulus = made(balanced)
    with pytest.raises(DlmError, match=f"samples_per_run = {samples_per_run} is not a positive integer"):
        backend.run(network, stimulus, N_STEPS, samples_per_run=samples_per_run)


def test_no_samples_give_empty_rasters():
    network, _ = made(balanced)
    recording = backend.run(network, {"pixels": np.zeros((0, 10))}, 4)
    assert recording.n_samples == 0
    assert all(len(raster) == 0 for raster in recording.rasters.values())


def test_nothing_of_a_run_stays_behind(capfd):
    from brian2.codegen.translation import make_statements
    from brian2.core.base import BrianObject

    network, stimulus = made(noise)

    def seen() -> tuple[Any, ...]:
        log = logging.getLogger("brian2")
        return (
            brian2.prefs.as_file,
            brian2.get_device(),
            float(brian2.defaultclock.dt),
            (log.level, tuple(log.handlers)),
            len(BrianObject.__instances__()),
            len(make_statements._cache),
        )

    before = seen()
    backend.run(network, stimulus, N_STEPS, record=ALL)
    assert seen() == before
    assert capfd.readouterr() == ("", "")


def test_runs_while_another_device_is_chosen(tmp_path):
    network, stimulus = made(balanced)
    brian2.set_device("cpp_standalone", directory=str(tmp_path / "standalone"))
    try:
        chosen = brian2.get_device()
        recording = backend.run(network, stimulus, N_STEPS, record=ALL)
        assert brian2.get_device() is chosen
    finally:
        brian2.set_device("runtime")
    assert not list(tmp_path.iterdir())
    assert_same(reference.run(network, stimulus, N_STEPS, record=ALL), recording)


def test_what_the_garbage_collector_was_told_stays():
    network, stimulus = layers(np.random.default_rng(0), LIF((8,), dv=DV))
    backend.run(network, stimulus, N_STEPS)
    assert gc.get_freeze_count() < FROZEN_BY_PYTHON
    gc.freeze()
    try:
        backend.run(network, stimulus, N_STEPS)
        assert gc.get_freeze_count() > FROZEN_BY_PYTHON
    finally:
        gc.unfreeze()


def test_import_leaves_no_files_hooks_or_handlers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, signal, sys\n"
        "before = sys.excepthook, signal.getsignal(signal.SIGINT)\n"
        "import numpy as np\n"
        "from dlm_snn import LIF, Dense, Input, Network, Projection\n"
        "from dlm_snn.backends import brian2\n"
        "net = Network({'a': Input((2,)), 'b': LIF((2,), dv=0.5)}, [Projection('a', 'b', Dense(np.eye(2)))])\n"
        "brian2.run(net, {'a': np.ones((1, 2))}, 3)\n"
        "assert (sys.excepthook, signal.getsignal(signal.SIGINT)) == before\n"
        "assert not [name for name in os.listdir(os.environ['TMPDIR']) if 'brian' in name]\n"
    )
    folder = tmp_path / "tmp"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "brian" not in done.stderr
    assert not list(folder.glob("*brian*"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports_no_step_code_of_ours(path):
    """An oracle of its own: neither the neurons nor another simulator."""
    allowed = {"_brian2_blocks", "_brian2_import"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            assert not name.startswith("dlm_snn.neurons"), name
            if name.startswith("dlm_snn.backends"):
                assert name.split(".")[2] in allowed, name


def test_there_are_modules_to_look_at():
    assert {path.stem for path in MODULES} == {"brian2", "_brian2_blocks", "_brian2_import"}


THREADS = """
import signal
from concurrent.futures import ThreadPoolExecutor
import numpy as np
import dlm_snn as dlm
before = signal.getsignal(signal.SIGINT)
rng = np.random.default_rng(0)
jobs = []
for n in (3, 5, 8, 13):
    populations = {"x": dlm.Input((n,)), "h": dlm.LIF((n,), dv=0.125)}
    network = dlm.Network(populations, [dlm.Projection("x", "h", dlm.Dense(rng.integers(-4, 9, (n, n)) / 8))])
    jobs.append((network, {"x": rng.integers(0, 2, (2, 9, n))}, 9))
with ThreadPoolExecutor(4) as pool:
    found = list(pool.map(lambda job: dlm.run(*job, backend="brian2"), jobs))
for job, recording in zip(jobs, found):
    print(recording.rasters == dlm.run(*job).rasters, len(recording.rasters["h"]) > 0)
print(signal.getsignal(signal.SIGINT) is before)
"""


def test_it_runs_in_other_threads_than_the_main_one():
    """Imported there too; several at once wait for each other."""
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True"] * 9, done.stderr
