"""Every connection is the linear map that torch computes, in each of its forms."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlm_snn import (
    LIF,
    Chain,
    Conv2d,
    Dense,
    DlmError,
    Input,
    IntegerLIF,
    IntegerNetwork,
    IntegerProjection,
    Network,
    Pool2d,
    Projection,
    Sparse,
)
from dlm_snn.networks import artifact

SEEDS = st.integers(0, 2**32 - 1)


def convolution(rng, integer=False):
    """A convolution drawn from all that there is: groups, and unequal strides, paddings and dilations."""
    groups, inner, outer = (int(n) for n in rng.integers(1, 4, 3))
    kernel = tuple(int(n) for n in rng.integers(1, 4, 2))
    stride, padding, dilation = (tuple(int(n) for n in rng.integers(least, 3, 2)) for least in (1, 0, 1))
    least = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    image = (groups * inner, *(n + int(rng.integers(0, 4)) for n in least))
    weight = rng.integers(-9, 9, (groups * outer, inner, *kernel))
    return Conv2d(weight if integer else weight / 8, image, stride, padding, dilation, groups)


def sparse(rng, integer=False, density=0.3):
    shape = tuple(int(n) for n in rng.integers(1, 12, 2))
    matrix = rng.integers(-9, 9, shape) * (rng.random(shape) < density)
    return Sparse.from_dense(matrix if integer else matrix / 8)


FORMS = {
    "dense": lambda rng, integer: Dense(rng.integers(-9, 9, (5, 7)) / (1 if integer else 8)).astype(
        np.int64 if integer else np.float64
    ),
    "sparse": sparse,
    "conv2d": convolution,
    "pool2d": lambda rng, integer: Pool2d((2, 5, 6), (2, 3), (1, 2), 1, weight=3 if integer else 0.375),
}


@given(SEEDS, st.sampled_from(sorted(FORMS)), st.booleans())
def test_apply_is_the_matrix_of_its_synapses(seed, form, integer):
    rng = np.random.default_rng(seed)
    connection = FORMS[form](rng, integer)
    assert connection.integer is integer
    matrix = connection.sparse().dense()
    assert matrix.shape == (connection.n_post, connection.n_pre)
    x = rng.integers(-3, 4, (2, 3, connection.n_pre))
    sums = connection.apply(x)
    assert sums.dtype == (np.int64 if integer else np.float64)
    np.testing.assert_array_equal(sums, x @ matrix.T)
    np.testing.assert_array_equal(connection.transpose().apply(sums), sums @ matrix)
    np.testing.assert_array_equal(connection.fan_in(), np.count_nonzero(matrix, axis=1))
    np.testing.assert_array_equal(connection.fan_out(), np.count_nonzero(matrix, axis=0))
    np.testing.assert_array_equal(connection.absolute_sums(), np.abs(matrix).sum(axis=1))


@given(SEEDS)
def test_a_convolution_is_that_of_torch(seed):
    rng = np.random.default_rng(seed)
    conv = convolution(rng)
    x = rng.integers(0, 2, (2, conv.n_pre)).astype(float)
    image = torch.from_numpy(x.reshape(2, *conv.input_shape))
    expected = torch.nn.functional.conv2d(
        image, torch.tensor(conv.weight), None, conv.stride, conv.padding, conv.dilation, conv.groups
    )
    assert expected.shape[1:] == conv.output_shape
    np.testing.assert_array_equal(conv.apply(x), expected.numpy().reshape(2, -1))


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, None, 0), ((2, 3), (1, 2), 1), (3, 2, 1)])
def test_pooling_is_the_mean_of_torch(kernel, stride, padding):
    x = np.random.default_rng(1).random((2, 3 * 7 * 8))
    pool = Pool2d((3, 7, 8), kernel, stride, padding)
    expected = torch.nn.functional.avg_pool2d(torch.from_numpy(x.reshape(2, 3, 7, 8)), kernel, stride, padding)
    assert expected.shape[1:] == pool.output_shape
    np.testing.assert_allclose(pool.apply(x), expected.numpy().reshape(2, -1), rtol=1e-14)


@given(SEEDS, st.booleans())
def test_a_chain_is_its_parts_one_after_another(seed, integer):
    rng = np.random.default_rng(seed)
    first = convolution(rng, integer)
    second = Pool2d(first.output_shape, (1, 1), weight=2 if integer else 0.5)
    third = Dense(rng.integers(-3, 4, (4, second.n_post)) / (1 if integer else 4)).astype(
        np.int64 if integer else np.float64
    )
    chain = Chain((first, second, third))
    x = rng.integers(-2, 3, (3, chain.n_pre))
    expected = third.apply(second.apply(first.apply(x)))
    np.testing.assert_array_equal(chain.apply(x), expected)
    merged = chain.merged()
    assert isinstance(merged, Dense | Sparse)
    assert merged.integer is chain.integer is integer
    np.testing.assert_array_equal(merged.apply(x), expected)


def test_a_product_is_kept_in_the_smaller_form():
    narrow = Chain((Pool2d((1, 8, 8), 2), Pool2d((1, 4, 4), 2)))
    assert isinstance(narrow.merged(), Sparse)
    assert isinstance(Chain((Pool2d((1, 8, 8), 8), Dense([[1.0], [2.0]]))).merged(), Dense)


def test_synapses_are_sorted_and_scipy_entries_added():
    import scipy

    unsorted = Sparse((3, 4), [2, 0, 0], [1, 3, 0], [1, 2, 3])
    assert unsorted.post.tolist() == [0, 0, 2]
    assert unsorted.pre.tolist() == [0, 3, 1]
    assert unsorted.weight.tolist() == [3, 2, 1]
    entries = scipy.sparse.coo_matrix(([1.5, 2.0, 4.0], ([0, 0, 2], [1, 1, 0])), shape=(3, 2))
    np.testing.assert_array_equal(Sparse.from_scipy(entries).dense(), entries.toarray())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sparse((0, 2), [], [], []), r"shape \(0, 2\) of a sparse connection"),
        (lambda: Sparse((2, 2), [0, 1], [0], [1.0, 1.0]), r"shapes \(2,\), \(1,\) and \(2,\)"),
        (lambda: Sparse((2, 2), [2], [0], [1.0]), r"post\[0\] = 2 is not in 0\.\.1"),
        (lambda: Sparse((2, 2), [0], [-1], [1.0]), r"pre\[0\] = -1 is not in 0\.\.1"),
        (lambda: Sparse((2, 2), [1, 0, 1], [0, 0, 0], [1.0, 2.0, 3.0]), r"\(post, pre\) = \(1, 0\) is given twice"),
        (lambda: Conv2d(np.ones((2, 3)), (3, 4, 4)), "is not .output channel"),
        (lambda: Conv2d(np.ones((2, 3, 1, 1)), (3, 4)), r"input_shape = \(3, 4\) is not"),
        (lambda: Conv2d(np.ones((2, 3, 1, 1)), (4, 4, 4)), "takes 3 input channels in 1 groups"),
        (lambda: Conv2d(np.ones((3, 1, 1, 1)), (2, 4, 4), groups=2), "groups = 2 does not divide the 3 output"),
        (lambda: Conv2d(np.ones((2, 3, 3, 3)), (3, 4, 4), dilation=2), "larger than the padded image"),
        (lambda: Conv2d(np.ones((2, 3, 3, 3)), (3, 4, 4), stride=0), "stride = 0 is not an integer >= 1"),
        (lambda: Conv2d(np.ones((2, 3, 3, 3)), (3, 4, 4), padding=(1, -1)), r"padding = \(1, -1\)"),
        (lambda: Pool2d((1, 2, 2), 3), "a window of .3, 3. is larger"),
        (lambda: Pool2d((1, 2, 2), 2, weight=[1.0, 2.0]), "is not one number"),
        (lambda: Chain((Dense([[1.0]]),)), "at least two connections, got 1"),
        (lambda: Chain((Dense([[1.0]]), Dense([[1.0, 2.0]]))), r"part 0 of a Chain gives \(1,\), part 1 takes \(2,\)"),
        (lambda: Chain((Pool2d((1, 2, 2), 1), Pool2d((1, 1, 4), 1))), "they do not chain"),
        (lambda: Chain((Dense([[1.0]]), Dense([[1]]))), "mixes float and integer"),
        (
            lambda: Projection("a", "b", Pool2d((1, 2, 2), 1), delay=np.array([1, 2, 1, 2])),
            r"delay of shape \(4,\) for a Pool2d; give one number",
        ),
        (
            lambda: IntegerProjection("a", "b", Chain((Dense([[2]]), Dense([[2]])))),
            r"a->b: a Chain in an integer projection; multiply it out with chain.merged",
        ),
        (lambda: IntegerProjection("a", "b", Conv2d([[[[3]]]], (1, 2, 2)), weight_exp=-1), "not multiples of 2"),
        (lambda: IntegerProjection("a", "b", Conv2d([[[[257]]]], (1, 2, 2))), r"weights 257..257"),
        (
            lambda: Network(
                {"in": Input((1, 4, 2)), "out": LIF((1, 2, 2), dv=0.1)},
                [Projection("in", "out", Pool2d((1, 2, 4), (1, 2)))],
            ),
            r"in->out: Pool2d has the pre shape \(1, 2, 4\), population 'in' \(1, 4, 2\)",
        ),
        (
            lambda: Network(
                {"in": Input((8,)), "out": LIF((5,), dv=0.1)}, [Projection("in", "out", Pool2d((1, 2, 4), (1, 2)))]
            ),
            r"in->out: Pool2d of \(4, 8\), expected \(5, 8\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(make, message):
    with pytest.raises(DlmError, match=message) as refused:
        make()
    assert "\n" not in str(refused.value)


def test_an_integer_convolution_of_eight_bits_may_be_odd():
    assert IntegerProjection("a", "b", Conv2d([[[[255, -3]]]], (1, 2, 2))).connection.integer


def test_delays_of_a_sparse_connection_are_one_a_synapse_or_one_a_post_neuron():
    synapses = Sparse((3, 4), [0, 0, 2, 2], [1, 2, 0, 3], [1.0, 2.0, 3.0, 4.0])
    of_post = Projection("a", "b", synapses, delay=np.array([5, 6, 7]))
    assert of_post.delay.tolist() == [5, 5, 7, 7]
    each = Projection("a", "b", synapses, delay=np.array([1, 2, 1, 3]))
    assert [(d, part.weight.tolist()) for d, part in each.parts] == [(1, [1.0, 3.0]), (2, [2.0]), (3, [4.0])]


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("integer", [False, True])
def test_every_form_goes_to_disk_and_back(tmp_path, form, integer):
    connection = FORMS[form](np.random.default_rng(2), integer)
    if integer:
        connection = connection.with_weight(connection.weight * 2)
    n_post, n_pre = connection.n_post, connection.n_pre
    if integer:
        network = IntegerNetwork(
            {"in": Input((n_pre,)), "out": IntegerLIF((n_post,), dv=1, v_threshold=1, period=7)},
            [IntegerProjection("in", "out", connection)],
        )
    else:
        half = Chain((connection, Dense(np.ones((1, n_post)))))
        network = Network(
            {"in": Input((n_pre,)), "out": LIF((n_post,), dv=0.1), "one": LIF((1,), dv=0.1, period=3)},
            [Projection("in", "out", connection, delay=2), Projection("in", "one", half)],
        )
    artifact.save(network, tmp_path / "net")
    loaded = artifact.load(tmp_path / "net")
    assert loaded.digest() == network.digest()
    assert type(loaded.projections[0].connection) is type(connection)
    x = np.ones((1, n_pre))
    for before, after in zip(network.projections, loaded.projections, strict=True):
        np.testing.assert_array_equal(after.connection.apply(x), before.connection.apply(x))


def test_a_huge_convolution_takes_no_memory_until_it_is_used():
    conv = Conv2d(np.ones((1, 1, 3, 3)), (1, 10**7, 10**7), padding=1)
    assert conv.n_post == prod(conv.input_shape) == 10**14
