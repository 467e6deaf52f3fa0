"""What a user gives to a run, at every backend: the same recording for every form of the numbers, one line else."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import dlm_snn as dlm
from dlm_snn import plugins
from dlm_snn.backends import declared
from dlm_snn.errors import DlmError

BACKENDS = list(plugins.names("dlm_snn.backends"))
QUICK = ("reference", "fast", "torch")
N_STEPS = 6
TYPES = (*(order + kind for order in "<>" for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")),)
FLOATS = ("f2", ">f4", "<f8", ">f8", np.longdouble)


@cache
def network(integer: bool, graded: bool) -> dlm.Network | dlm.IntegerNetwork:
    """4 Inputs, 5 and 3 neurons; dyadic weights, so that every order of adding gives the same sums."""
    rng = np.random.default_rng(1)
    x = dlm.Input((4,), graded_bits=4, scale=8) if graded else dlm.Input((4,))
    float_one = dlm.Network(
        {"x": x, "a": dlm.LIF((5,), dv=0.25), "b": dlm.LIF((3,), dv=0.25)},
        (
            dlm.Projection("x", "a", dlm.Dense(rng.integers(-8, 17, (5, 4)) / 32)),
            dlm.Projection("a", "b", dlm.Sparse.from_dense(rng.integers(-4, 17, (3, 5)) / 16)),
        ),
    )
    return dlm.quantize(float_one)[0] if integer else float_one


def of_backend(backend: str) -> dlm.Network | dlm.IntegerNetwork:
    return network(declared(backend).arithmetics == ("integer",), True)


def forms(array: NDArray, order: str, stride: int) -> NDArray:
    """The same array in another layout."""
    if order == "F":
        return np.asfortranarray(array)
    if stride < 0:
        return np.flip(np.flip(array).copy())
    return np.repeat(array, stride, axis=-1)[..., ::stride]


@settings(max_examples=40, deadline=None)
@given(
    integer=st.booleans(),
    graded=st.booleans(),
    held=st.booleans(),
    kind=st.sampled_from((*TYPES, *FLOATS)),
    order=st.sampled_from("CF"),
    stride=st.sampled_from((1, 2, -1)),
    seed=st.integers(0, 99),
)
def test_any_form_of_the_same_numbers_gives_the_same_recording(
    integer: bool, graded: bool, held: bool, kind: str, order: str, stride: int, seed: int
) -> None:
    net = network(integer, graded)
    plain = np.random.default_rng(seed).integers(0, 16 if graded else 2, (3, 4) if held else (3, N_STEPS, 4))
    expected = dlm.run(net, {"x": plain}, N_STEPS, record=("s", "u", "v"))
    values = plain
    if kind in FLOATS and graded:
        if integer:
            return
        values = plain / 8
    for backend in QUICK:
        found = dlm.run(
            net, {"x": forms(values.astype(kind), order, stride)}, N_STEPS, record=("s", "u", "v"), backend=backend
        )
        for name in ("a", "b"):
            assert found.rasters[name] == expected.rasters[name]
            np.testing.assert_array_equal(found.u[name], expected.u[name])
            np.testing.assert_array_equal(found.v[name], expected.v[name])


PLAIN = np.array([[0, 3, 15, 7], [1, 1, 0, 8]])
HOLDERS = {
    "lists": PLAIN.tolist(),
    "uint16, reversed": np.flip(np.flip(PLAIN.astype(">u2")).copy()),
    "tensor": torch.tensor(PLAIN),
    "uint16 tensor": torch.tensor(PLAIN).to(torch.uint16),
    "read only": np.broadcast_to(PLAIN, PLAIN.shape),
}
REAL = {
    "gradient": (torch.tensor(PLAIN) / 8).requires_grad_(),
    "bfloat16": (torch.tensor(PLAIN) / 8).bfloat16(),
    "half, held by a parameter": torch.nn.Parameter((torch.tensor(PLAIN) / 8).half()),
}


@pytest.mark.parametrize("backend", [b for b in BACKENDS if not b.startswith("lava")])
@pytest.mark.parametrize("holder", [*HOLDERS, *REAL])
def test_holders_of_numbers(backend: str, holder: str) -> None:
    net = of_backend(backend)
    expected = dlm.run(net, {"x": PLAIN}, N_STEPS, backend=backend)
    found = dlm.run(net, {"x": (HOLDERS | REAL)[holder]}, N_STEPS, backend=backend)
    assert found.rasters["b"] == expected.rasters["b"]
    assert len(found.rasters["b"])


@pytest.mark.parametrize("backend", ["lava-float", "lava-fixed", "lava-fused"])
def test_holders_of_numbers_in_lava(backend: str) -> None:
    net = of_backend(backend)
    expected = dlm.run(net, {"x": PLAIN}, N_STEPS)
    holder = HOLDERS["uint16, reversed"] if backend == "lava-fixed" else REAL["gradient"]
    found = dlm.run(net, {"x": holder}, N_STEPS, backend=backend)
    assert found.rasters == expected.rasters


REFUSED = {
    "masked": (np.ma.masked_array(PLAIN, mask=PLAIN > 7), "stimulus 'x' has . masked values"),
    "ragged": ([[1, 2, 3, 4], [1, 2]], "stimulus 'x' is a ragged list"),
    "objects": ([[1, 2, 3, None]], "stimulus 'x' holds None"),
    "complex": (PLAIN + 0j, "stimulus 'x' is of complex128"),
    "no values": (torch.ones(2, 4, device="meta"), "the device 'meta', which holds no values"),
    "out of range": (np.full((2, 4), 16), r"holds 16\.\.16, not whole 0\.\.15"),
    "negative": (np.full((2, 4), -1), r"holds -1\.\.-1, not whole"),
    "another shape": (np.ones((2, 5), int), r"has shape \(2, 5\); expected \(sample, 4\)"),
    "other steps": (np.ones((2, 5, 4), int), "has 5 steps, the run 6"),
}
FLOAT_REFUSED = {
    "NaN": (np.full((2, 4), np.nan), "holds NaN or infinity"),
    "pixels as floats": (PLAIN.astype(float), r"holds 0\.\.15; .* divide by 8, or give integers"),
    "far outside": (np.full((2, 4), 1e300), r"holds 1e\+300\.\.1e\+300; "),
    "NaN in another layout": (np.asfortranarray(np.full((2, 4), np.nan, ">f4")), "holds NaN or infinity"),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("what", [*REFUSED, *FLOAT_REFUSED])
def test_what_does_not_fit_is_refused_in_one_line(backend: str, what: str) -> None:
    holder, message = (REFUSED | FLOAT_REFUSED)[what]
    if backend == "lava-fixed" and what in FLOAT_REFUSED:
        message = "holds NaN" if "NaN" in what else "is of floats"
    with pytest.raises(DlmError, match=message) as caught:
        dlm.run(of_backend(backend), {"x": holder}, N_STEPS, backend=backend)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("backend", QUICK)
@pytest.mark.parametrize("what", [*REFUSED, *FLOAT_REFUSED])
def test_chunks_are_refused_alike(backend: str, what: str) -> None:
    holder, message = (REFUSED | FLOAT_REFUSED)[what]
    if what in ("another shape", "other steps", "no values", "ragged"):
        return
    chunk = np.ma.stack([holder] * 3, axis=1) if what == "masked" else np.stack([np.asarray(holder)] * 3, axis=1)
    with pytest.raises(DlmError, match=message.replace("stimulus", "(stimulus|chunk of)")):
        dlm.run(of_backend(backend), ({"x": chunk} for _ in range(2)), N_STEPS, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("n_steps", [True, 0, 2.0, "6", None])
def test_n_steps_is_a_number_of_steps(backend: str, n_steps: object) -> None:
    with pytest.raises(DlmError, match=r"n_steps = .* is not a positive integer"):
        dlm.run(of_backend(backend), {"x": PLAIN}, n_steps, backend=backend)  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", [(0, 4), (0, N_STEPS, 4)])
def test_a_batch_of_nothing_gives_an_empty_recording(backend: str, shape: tuple[int, ...]) -> None:
    net = of_backend(backend)
    found = dlm.run(net, {"x": np.zeros(shape, int)}, N_STEPS, record=("s", "u", "v"), backend=backend)
    expected = dlm.run(net, {"x": np.zeros(shape, int)}, N_STEPS, record=("s", "u", "v"))
    assert found.n_samples == 0
    assert found.rasters == expected.rasters
    assert {n: v.shape for n, v in found.v.items()} == {n: v.shape for n, v in expected.v.items()}
    assert found.v["a"].dtype == expected.v["a"].dtype
