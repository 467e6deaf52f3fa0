"""The door for numbers: whatever holds them gives the same plain array; what does not is refused in one line."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dlm_snn as dlm
from dlm_snn.errors import DlmError
from dlm_snn.physics.membranes.irreversibility import path_entropy_production
from dlm_snn.physics.weights.forgetting import TwoTasks
from dlm_snn.physics.weights.plasticity import update
from dlm_snn.tasks.encoding import pixels_to_spikes
from dlm_snn.values import as_array, as_integers, check_generator, check_seconds

SMALL = hnp.arrays(np.int8, hnp.array_shapes(max_dims=3, max_side=4), elements=st.integers(-100, 100))
TYPES = ("i1", ">i2", "<i4", ">i8", "f2", ">f4", "<f8", ">f8", np.longdouble)


def forms(values: np.ndarray) -> dict[str, object]:
    """The same small integers as people hold them."""
    flipped = np.flip(values).copy()
    floats = torch.tensor(values, dtype=torch.float32)
    return {
        **{f"type {t}": values.astype(t) for t in TYPES},
        "Fortran order": np.asfortranarray(values),
        "negative strides": np.flip(flipped),
        "every second": np.repeat(values, 2, axis=-1)[..., ::2],
        "not aligned": np.frombuffer(b"x" + values.astype("<i8").tobytes(), "<i8", offset=1).reshape(values.shape),
        "lists": values.tolist(),
        "rows of arrays": list(values),
        "tensor": torch.tensor(values),
        "gradient": floats.clone().requires_grad_(),
        "parameter": torch.nn.Parameter(floats.clone()),
        "half": floats.half(),
        "bfloat16": floats.bfloat16(),
        "sparse": floats.to_sparse(),
        "list of tensors with gradients": list(floats.clone().requires_grad_()),
        "rows of tensors": [torch.tensor(part) for part in values],
        "nothing masked": np.ma.masked_array(values, mask=False),
    }


@given(SMALL)
def test_every_form_gives_the_same_plain_array(values: np.ndarray) -> None:
    for form, holder in forms(values).items():
        found = as_array(holder, "x")
        assert type(found) is np.ndarray, form
        assert found.dtype.isnative, form
        assert found.dtype.kind in "biu" or found.dtype in (np.float32, np.float64), form
        assert all(stride >= 0 for stride in found.strides), form
        np.testing.assert_array_equal(found, values, err_msg=form)


REFUSED = {
    "masked": (np.ma.masked_array([1, 2], mask=[0, 1]), r"x has 1 masked values; fill them in first, .*\.filled\(0\)"),
    "masked rows": ([np.ma.masked_array([1, 2], mask=[0, 1])] * 2, "masked values"),
    "ragged": ([[1, 2], [3]], r"x is a ragged list, with parts of shapes \(1,\) and \(2,\)"),
    "ragged inside": ([[[1], [2, 3]]], "ragged"),
    "nothing": (None, "x = None is not a number"),
    "nothing inside": ([1, None], "x holds None, a NoneType; give numbers"),
    "text": (["1"], "x is of <U1"),
    "complex": (np.ones(2, complex), "x is of complex128"),
    "complex tensor": (torch.ones(2, dtype=torch.complex64), "x is of complex64"),
    "dates": (np.zeros(2, "M8[s]"), r"x is of datetime64\[s\]"),
    "records": (np.zeros(2, [("a", int)]), "x is of "),
    "decimals": ([Decimal(1)], r"x holds Decimal\(.1.\), a Decimal"),
    "beyond 64 bits": ([2**70], f"x holds {2**70}, a int; give numbers of at most 64 bits"),
    "a generator": ((i for i in range(2)), "x = <generator .* is not a number"),
    "scipy": (scipy.sparse.eye(3), r"give its \.toarray\(\)"),
    "no values": (torch.ones(2, device="meta"), "x is a tensor on the device 'meta', which holds no values"),
}


@pytest.mark.parametrize(("holder", "message"), REFUSED.values(), ids=REFUSED)
def test_what_holds_no_numbers_is_refused_by_name(holder: object, message: str) -> None:
    with pytest.raises(DlmError, match=message) as caught:
        as_array(holder, "x")
    assert "\n" not in str(caught.value)


def test_nothing_is_an_array_of_nothing() -> None:
    for nothing in ([], np.array([], object), torch.zeros(0), np.zeros(0, ">f2")):
        assert as_array(nothing, "x").shape == (0,)
        assert as_integers(nothing, "x", 0, 3).dtype == np.int64


def test_whole_numbers_in_a_range_are_int64() -> None:
    for holder in ([0, 2], np.array([0, 2], np.uint8), np.array([0.0, 2.0]), torch.tensor([0, 2])):
        found = as_integers(holder, "labels", 0, 2)
        assert found.dtype == np.int64
        assert found.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("holder", "message"),
    [
        ([0, 3], r"labels\[1\] = 3 is not in 0\.\.2"),
        ([[-1]], r"labels\[0, 0\] = -1 is not in 0\.\.2"),
        ([0.5], r"labels\[0\] = 0\.5 is not a whole number"),
        ([np.nan], r"labels\[0\] = nan is not a whole number"),
        (np.array([2**63], np.uint64), r"labels\[0\] = 9223372036854775808 is not in"),
        (3, "labels = 3 is not in"),
    ],
)
def test_the_first_value_outside_is_named(holder: object, message: str) -> None:
    with pytest.raises(DlmError, match=message):
        as_integers(holder, "labels", 0, 2)


def test_the_door_does_not_import_torch() -> None:
    code = "import sys, dlm_snn.values as v; v.as_array([[1, 2]], 'x'); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


DOORS = {
    "Dense": lambda t: dlm.Dense(t(2, 3)).weight,
    "Sparse": lambda t: dlm.Sparse((2, 3), t(3).long() * torch.tensor([0, 1, 1]), torch.tensor([0, 1, 2]), t(3)).weight,
    "Conv2d": lambda t: dlm.Conv2d(t(1, 1, 2, 2), (1, 4, 4)).weight,
    "LIF": lambda t: dlm.LIF((3,), dv=t(3) / 4).dv,
    "from_dense": lambda t: dlm.SpikeRaster.from_dense(t(2, 5, 3)).neuron,
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_public_doors_take_tensors_with_gradients(door: str, dtype: torch.dtype) -> None:
    plain = DOORS[door](lambda *shape: torch.ones(shape))
    found = DOORS[door](lambda *shape: torch.ones(shape, dtype=dtype, requires_grad=True))
    np.testing.assert_array_equal(found, plain)


def test_functions_of_physics_compute_in_floats_of_their_own() -> None:
    """Bytes wrapped in differences; fractions were cut off."""
    rng = np.random.default_rng(0)
    v = rng.integers(0, 200, (2, 9, 3)).astype(np.uint8)
    drift, noise = rng.normal(size=(3, 3)), np.ones(3)
    exact = path_entropy_production(v.astype(float), drift, noise)
    np.testing.assert_array_equal(path_entropy_production(v, drift, noise), exact)
    np.testing.assert_array_equal(path_entropy_production(torch.tensor(v), torch.tensor(drift), [1, 1, 1]), exact)
    weight, pre, post = v[0, :2], v[1, 0], np.array([1, 0])
    exact = update(weight.astype(float), pre.astype(float), post, 0.5)
    np.testing.assert_array_equal(update(weight, pre, post.astype(np.uint8), 0.5), exact)
    plain = TwoTasks(np.eye(2), 2 * np.eye(2), np.zeros(2), np.ones(2), 0.1)
    lists = TwoTasks([[1, 0], [0, 1]], [[2, 0], [0, 2]], [0, 0], torch.ones(2), 0.1)
    np.testing.assert_array_equal(lists.optimum, plain.optimum)


def test_pixels_become_spikes_from_any_form_of_them() -> None:
    pixels = np.arange(12).reshape(2, 6)
    expected = pixels_to_spikes(pixels, 5, 15)
    for form in (pixels.astype(">u2"), torch.tensor(pixels), pixels.tolist(), np.asfortranarray(pixels)):
        assert pixels_to_spikes(form, 5, 15) == expected
    with pytest.raises(DlmError, match="n_steps = True is not a positive integer"):
        pixels_to_spikes(pixels, True, 15)
    with pytest.raises(DlmError, match="pixels of type float64"):
        pixels_to_spikes(pixels / 15, 5, 15)


def test_widths_and_chunks_are_whole_numbers(tmp_path: Path) -> None:
    raster = dlm.SpikeRaster.from_dense(np.ones((1, 6, 2)))
    for wrong in (True, 2.5, 0):
        with pytest.raises(DlmError, match=f"width = {wrong} is not a number of steps"):
            raster.binned(wrong)  # type: ignore[arg-type]
        with pytest.raises(DlmError, match=f"n_steps = {wrong} is not a number of steps"):
            next(raster.pieces(wrong))  # type: ignore[arg-type]
        with pytest.raises(DlmError, match=f"chunk = {wrong} is not a number of steps"):
            dlm.FolderSink(tmp_path / "run", chunk=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("rng", [0, None, "seed", np.random.RandomState(0)])
def test_a_seed_is_no_generator(rng):
    with pytest.raises(DlmError, match=r"is no generator of random numbers; give numpy\.random\.default_rng"):
        check_generator(rng)
    check_generator(np.random.default_rng(0))


@pytest.mark.parametrize("seconds", [0, -1.0, np.nan, np.inf, True, "5ms", None])
def test_what_is_no_length_of_time(seconds):
    with pytest.raises(DlmError, match=r"dt = .* is not a number of seconds above 0"):
        check_seconds(seconds, "dt")
    check_seconds(np.float32(1e-3), "dt")
