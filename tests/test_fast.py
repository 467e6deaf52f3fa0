"""The fast simulator in both of its forms, and what it chooses between, give what the reference gives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm_snn import Input, IntegerLIF, IntegerNetwork, IntegerProjection, Sparse, SpikeRaster, compare, run
from dlm_snn.backends import _fast_compiled, _fast_engine, _fast_plain, fast
from dlm_snn.backends._fast_plan import Link, plan_of
from dlm_snn.connections.dense import Dense
from dlm_snn.neurons.competition import winning
from dlm_snn.neurons.integer_lif import decay, wrap
from tests.nets import FLOAT, INTEGER, make

ALL = ("s", "u", "v")
SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("way", ["events", "products", "cheaper"])
@pytest.mark.parametrize("case", [*FLOAT, *INTEGER])
def test_every_form_agrees(monkeypatch, case, compiled, way):
    if way != "cheaper":
        monkeypatch.setattr(_fast_engine.Engine, "_by_product", forced(way))
    network, stimulus, n_steps = make(case)
    expected = run(network, stimulus, n_steps, record=ALL)
    for block in (None, 2):
        found = run(network, stimulus, n_steps, record=ALL, backend="fast", compiled=compiled, block=block)
        comparison = compare(expected, found)
        assert comparison.equal, str(comparison)
        assert all(gap == 0 for gaps in comparison.values.values() for gap in gaps)
        assert found.overflow == expected.overflow


def forced(way: str) -> Any:
    def by_product(self, link, sent):
        return link.dense and (way == "products" or sent.values is not None)

    return by_product


@pytest.mark.parametrize("plain", [False, True])
@given(seed=SEEDS)
def test_winners_are_those_of_the_competition(plain, seed):
    """Few distinct values, so that the index decides often."""
    rng = np.random.default_rng(seed)
    groups, size = int(rng.integers(1, 4)), int(rng.integers(1, 9))
    winners = int(rng.integers(1, size + 1))
    n = groups * size
    neuron = IntegerLIF((n,), dv=0, v_threshold=2, winners=winners, groups=groups)
    network = IntegerNetwork(
        {"in": Input((n,), graded_bits=4, signed=True), "out": neuron},
        [IntegerProjection("in", "out", Sparse((n, n), np.arange(n), np.arange(n), np.full(n, 2)))],
    )
    values = rng.integers(-4, 7, (5, 1, n))
    s = run(network, {"in": values}, 1, backend="fast", compiled=not plain).rasters["out"].dense()
    np.testing.assert_array_equal(s, winning(2 * values - 2, winners, groups))


@given(st.integers(-(2**31) + 1, 2**31 - 1), st.integers(0, 4096))
def test_decay_in_32_bits_is_exact(value, keep):
    found = _fast_compiled.decayed.py_func(np.int32(value), np.int32(keep))
    assert found == int(decay(np.array(value), 4096 - keep).astype(np.int32))


@given(st.integers(-(2**31), 2**31 - 1))
def test_wrap_in_32_bits_is_exact(value):
    assert _fast_compiled._wrap.py_func(np.int32(value)) == int(wrap(np.array(value)))


@pytest.mark.parametrize("loops", [_fast_compiled, _fast_plain])
@given(seed=SEEDS)
def test_loops_add_up_every_event(loops, seed):
    rng = np.random.default_rng(seed)
    samples, pre, post = (int(n) for n in rng.integers(1, 9, 3))
    s = (rng.random((samples, pre)) < rng.random()).astype(np.uint8)
    index, begin = np.zeros(s.size + 1, np.int32), np.zeros(samples + 1, np.int64)
    loops.extract(s, index, begin)
    assert index[: begin[-1]].tolist() == np.nonzero(s)[1].tolist()
    weight = rng.integers(-256, 256, (post, pre)) * (rng.random((post, pre)) < 0.5)
    link = Link("a", "b", 1, 0, Sparse.from_dense(weight), 0, 1.0)
    matrix = Link("a", "b", 1, 0, Dense(weight), 0, 1.0)
    sums = [rng.integers(-9, 9, (samples, post)).astype(np.int32) for _ in range(3)]
    before = [array.copy() for array in sums]
    values = rng.integers(-7, 8, (samples, pre))
    loops.add_rows(sums[0], matrix.columns, index, begin)
    loops.add_synapses(sums[1], *link.synapses, index, begin)
    loops.add_values(sums[2], *link.synapses, values)
    for found, first, x in zip(sums, before, (s.astype(int), s.astype(int), values), strict=True):
        np.testing.assert_array_equal(found, first + x @ weight.T)


def test_sums_beyond_32_bits_are_shifted_before_they_are_cut():
    """30 inputs of 24 bits times 254: the sum needs 37 bits, its shifted form does not."""
    n = 300
    network = IntegerNetwork(
        {"in": Input((n,), graded_bits=24), "out": IntegerLIF((2,), dv=100, v_threshold=1000)},
        [IntegerProjection("in", "out", Dense(np.array([[254] * n, [-256] * n])), weight_exp=-8)],
    )
    assert plan_of(network).links["out"][0].wide
    stimulus = {"in": np.random.default_rng(1).integers(0, 2**24, (2, 6, n))}
    for compiled in (True, False):
        found = run(network, stimulus, 6, record=ALL, backend="fast", compiled=compiled)
        assert compare(run(network, stimulus, 6, record=ALL), found).equal
        assert found.overflow["out"].wraps > 0


def driven(values: list[int], exponent: int, **fields: Any) -> tuple[IntegerNetwork, dict[str, Any]]:
    """64 graded inputs of 24 bits onto two neurons, one of them inhibited; a sample for each value."""
    weight = np.outer([128, -128], np.ones(64, int))
    neuron = IntegerLIF((2,), **{"dv": 0, "v_threshold": 131071, "bias_mant": 4095, **fields})
    network = IntegerNetwork(
        {"in": Input((64,), graded_bits=24), "out": neuron},
        [IntegerProjection("in", "out", Dense(weight), weight_exp=exponent)],
    )
    return network, {"in": np.repeat(np.array(values)[:, None], 64, axis=1)}


@pytest.mark.parametrize("options", [{"compiled": True}, {"compiled": False}, {"backend": "torch"}])
@pytest.mark.parametrize("exponent", [7, 0, -8])
@pytest.mark.parametrize("fields", [{}, {"du": -1}, {"du": 100}, {"bias_exp": 7}])
def test_wraps_of_32_bits_are_counted_as_the_reference_counts_them(options, exponent, fields):
    """A drive of a power of 2 beyond 2^32 leaves 0 behind in 32 bits, but it has wrapped."""
    network, stimulus = driven([2**p - q for p in range(0, 24) for q in (0, 1)], exponent, **fields)
    expected = run(network, stimulus, 7, record=ALL)
    found = run(network, stimulus, 7, record=ALL, **{"backend": "fast", **options})
    assert compare(expected, found).equal
    assert found.overflow == expected.overflow
    assert expected.overflow["out"].wraps > 0


@pytest.mark.parametrize("compiled", [True, False])
def test_a_held_current_that_grows_beyond_32_bits_is_counted(compiled):
    """Each step adds a little more than a wrap takes off: u creeps up until 32 bits wrap too."""
    network, stimulus = driven([64], 0, du=-1)
    expected = run(network, stimulus, 200, record=ALL)
    found = run(network, stimulus, 200, record=ALL, backend="fast", compiled=compiled)
    assert np.abs(expected.u["out"]).max() > 2**30
    assert compare(expected, found).equal
    assert found.overflow == expected.overflow


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("sparse", [True, False])
def test_sums_between_31_and_32_bits_are_shifted_before_they_are_cut(compiled, sparse):
    """700 inputs of 14 bits times 254: 1.36 times 2^31 before the shift, 24 bits after it."""
    n = 700
    weight = np.full((2, n), 254)
    connection = Sparse.from_dense(weight) if sparse else Dense(weight)
    network = IntegerNetwork(
        {"in": Input((n,), graded_bits=14), "out": IntegerLIF((2,), dv=0, v_threshold=100000)},
        [IntegerProjection("in", "out", connection, weight_exp=-8)],
    )
    link = plan_of(network).links["out"][0]
    assert 2**31 < link.bound < 2**32
    assert "out" not in plan_of(network).wide
    stimulus = {"in": np.full((1, 4, n), 2**14 - 1)}
    expected = run(network, stimulus, 4, record=ALL)
    found = run(network, stimulus, 4, record=ALL, backend="fast", compiled=compiled)
    assert compare(expected, found).equal
    assert found.overflow == expected.overflow


@pytest.mark.parametrize(("n", "wide"), [(16, set()), (17, {"out"})])
def test_only_populations_that_may_need_it_are_stepped_in_64_bits(n, wide):
    """n times 128 times (2^14 - 1), shifted by 6 bits: 2^31 less a little for n = 16."""
    network = IntegerNetwork(
        {"in": Input((n,), graded_bits=14), "out": IntegerLIF((1,), dv=0, v_threshold=1)},
        [IntegerProjection("in", "out", Dense(np.full((1, n), 128)))],
    )
    assert plan_of(network).wide == wide
    assert not any(plan_of(make(case)[0]).wide for case in INTEGER)


def test_products_in_float32_are_used_only_where_they_are_exact():
    for n, dtype in ((259, np.float32), (260, np.float64)):
        network = IntegerNetwork(
            {"in": Input((n,), graded_bits=8), "out": IntegerLIF((1,), dv=0, v_threshold=1)},
            [IntegerProjection("in", "out", Dense(np.full((1, n), -254)), weight_exp=-8)],
        )
        link = plan_of(network).links["out"][0]
        assert link.bound == n * 254 * 255
        assert link.matrix.dtype == dtype


def test_a_plan_is_kept_as_long_as_its_network():
    network, _, _ = make("plain")
    assert plan_of(network) is plan_of(network)
    assert plan_of(replace(network)) is not plan_of(network)


def test_rasters_and_arrays_are_cut_into_blocks_alike():
    network, _, n_steps = make("plain")
    dense = np.random.default_rng(4).random((37, n_steps, 12)) < 0.2
    whole = run(network, {"pixels": dense}, n_steps)
    for given_ in (dense, SpikeRaster.from_dense(dense)):
        assert run(network, {"pixels": given_}, n_steps, backend="fast", block=16).rasters == whole.rasters


def test_blocks_are_no_larger_than_what_fits_and_never_tiny():
    small, large = (IntegerNetwork({"out": IntegerLIF((n,), dv=0, v_threshold=1)}) for n in (10, 10**6))
    assert fast._block(small) == fast.LARGEST
    assert fast._block(large) == fast.SMALLEST
