"""The drawn networks on every simulator: here some of them, with ``make test-long`` all 200 against stock Lava."""

from __future__ import annotations

import pytest

from dlm_snn import compare, run
from dlm_snn.errors import MissingError
from dlm_snn.plugins import load
from tests import drawing
from tests.drawing import SEEDS

ALL = ("s", "u", "v")
INTEGER = {"fast": {}, "fast plain": {"compiled": False}, "torch": {}, "lava-fixed": {}, "lava-fused": {}}
FLOATS = {"fast": {}, "fast plain": {"compiled": False}, "torch": {}, "brian2": {}, "lava-float": {}, "lava-fused": {}}
"""Backend, with its options."""
SLOW = 100
"""Every so many networks go through Lava by default; those that start no process: five times as many."""


def chosen(backends):
    for backend in backends:
        stride = SLOW if backend.startswith("lava") or backend == "brian2" else SLOW // 5
        for seed in SEEDS:
            often = seed % stride == 0
            yield pytest.param(backend, seed, marks=() if often else pytest.mark.long)


def simulated(made, backend, options):
    name = backend.partition(" ")[0]
    try:
        load("dlm_snn.backends", name)
    except MissingError as error:
        pytest.skip(str(error))
    return run(*made, record=ALL, backend=name, **options)


@pytest.mark.parametrize(("backend", "seed"), list(chosen(INTEGER)))
def test_integers_differ_nowhere(backend, seed):
    made = drawing.integer(seed)
    comparison = compare(run(*made, record=ALL), simulated(made, backend, INTEGER[backend]))
    assert comparison.equal, str(comparison)
    assert all(gap == 0 for gaps in comparison.values.values() for gap in gaps)


@pytest.mark.parametrize(("backend", "seed"), list(chosen(FLOATS)))
def test_floats_differ_in_ties_only(backend, seed):
    made = drawing.floats(seed)
    comparison = compare(run(*made, record=ALL), simulated(made, backend, FLOATS[backend]))
    assert comparison.divergence is None, str(comparison)
    if not comparison.ties:
        assert all(gap < 1e-9 for gaps in comparison.values.values() for gap in gaps)
