"""The door for numbers from users: arrays, lists and tensors of any kind come out as plain NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError

NUMBERS = "biuf"
"""Kinds of NumPy's dtypes that hold numbers."""
_WIDE = {4: np.float32, 8: np.float64}
"""Float types that stay, by their bytes; all others become float64."""


def as_array(given: Any, name: str) -> NDArray:
    """Numbers as a plain array: Booleans, integers of any width, float32 or float64, in the machine's byte order.

    Tensors come from any device and with any gradient; half, bfloat16 and long double become float64. Values are not
    copied where they are such an array already, and may still be read-only or in any order; no stride is negative.

    Args:
        given: an array, nested lists, a number, or a tensor.
        name: of what it is, for errors.

    Raises:
        DlmError: values under a mask, rows of unequal length, a tensor without values, or what are no numbers.
    """
    array = _plain(given, name)
    if array.dtype == object and not array.size:
        array = array.astype(np.float64)
    if array.dtype == object or (not array.ndim and array.dtype.kind not in NUMBERS):
        raise DlmError(_no_numbers(array, name))
    if array.dtype.kind == "V" and array.dtype.names is None and "float" in array.dtype.name:
        array = array.astype(np.float64)
    if array.dtype.kind not in NUMBERS:
        raise DlmError(f"{name} is of {array.dtype}; give numbers")
    native = array.dtype.newbyteorder("=")
    if array.dtype.kind == "f":
        native = np.dtype(_WIDE.get(native.itemsize, np.float64))
    turned = any(stride < 0 for stride in array.strides) or not array.flags.aligned
    return np.array(array, native, order="C") if turned else array.astype(native, copy=False)


def as_floats(given: Any, name: str) -> NDArray[np.float64]:
    """Numbers as float64, for whoever computes with them; see ``as_array``."""
    return as_array(given, name).astype(np.float64, copy=False)


def as_integers(given: Any, name: str, low: int, high: int) -> NDArray[np.int64]:
    """Whole numbers in low..high as int64, from any type that holds them.

    Args:
        given, name: see ``as_array``.
        low, high: the smallest and the largest that are allowed.

    Raises:
        DlmError: see ``as_array``; the first value that is no whole number in the range.
    """
    array = as_array(given, name)
    if array.dtype.kind == "f":
        check_each(array, name, array == np.round(array), "a whole number")
    check_each(array, name, (array >= low) & (array <= high), f"in {low}..{high}")
    return array.astype(np.int64, copy=False)


def as_spikes(given: Any, name: str, n: int) -> NDArray[np.bool_]:
    """Spikes of n neurons in one step as Booleans, from Booleans or from numbers 0 and 1.

    Args:
        given: (n,), one entry a neuron.
        name: see ``as_array``.
        n: neurons.

    Raises:
        DlmError: another shape, such as that of a list of indices; values other than 0 and 1.
    """
    if type(given) is np.ndarray and given.dtype == bool and given.shape == (n,):
        return given
    spikes = as_array(given, name)
    if spikes.shape != (n,):
        raise DlmError(f"{name} has shape {spikes.shape}; give 0 or 1 for each of {n} neurons, not their indices")
    check_each(spikes, name, (spikes == 0) | (spikes == 1), "0 or 1")
    return spikes.astype(bool)


def check_each(array: NDArray, name: str, allowed: NDArray[np.bool_], what: str) -> None:
    """Raise unless every value is allowed.

    Args:
        array: the values.
        name: of them.
        allowed: which are, of the same shape.
        what: is allowed, for the error.

    Raises:
        DlmError: the first value that is not, with its place.
    """
    if not allowed.all():
        at = tuple(int(i) for i in np.argwhere(~allowed)[0])
        place = f"[{', '.join(map(str, at))}]" if at else ""
        raise DlmError(f"{name}{place} = {array[at]} is not {what}")


def is_whole(given: Any) -> bool:
    """Whether it is one whole number, Python's or NumPy's; True and False are none."""
    return isinstance(given, (int, np.integer)) and not isinstance(given, bool)


def check_generator(rng: Any) -> None:
    """Raise unless random numbers can be drawn from it.

    Raises:
        DlmError: a seed, or nothing, in place of a generator.
    """
    if not isinstance(rng, np.random.Generator):
        seed = rng if is_whole(rng) else 0
        raise DlmError(f"rng = {rng!r} is no generator of random numbers; give numpy.random.default_rng({seed})")


def check_seconds(given: Any, name: str) -> None:
    """Raise unless it is a length of time.

    Raises:
        DlmError: no number, or none above 0.
    """
    if isinstance(given, bool) or not isinstance(given, (int, float, np.number)) or not 0 < given < np.inf:
        raise DlmError(f"{name} = {given!r} is not a number of seconds above 0")


def slices(n: int, size: int) -> list[slice]:
    """0..n-1 in slices of at most ``size``, for work that is done block by block."""
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def is_tensor(given: Any) -> bool:
    """Whether it is a torch.Tensor; torch is not imported for it."""
    return any(base.__module__ == "torch" and base.__name__ == "Tensor" for base in type(given).__mro__)


def _plain(given: Any, name: str) -> NDArray:
    """What NumPy reads: tensors on the host and without their gradient, lists of them too; nothing under a mask."""
    if type(given) is np.ndarray:
        return given
    if isinstance(given, np.ma.MaskedArray):
        hidden = np.count_nonzero(np.ma.getmaskarray(given))
        if hidden:
            raise DlmError(f"{name} has {hidden} masked values; fill them in first, as with .filled(0)")
        return np.asarray(given.data)
    if is_tensor(given):
        return _of_tensor(given, name)
    if isinstance(given, (list, tuple)) and any(_array_like(each) for each in given):
        given = [_plain(each, name) for each in given]
        shapes = {each.shape for each in given}
        if len(shapes) > 1:
            first, second = sorted(shapes)[:2]
            raise DlmError(
                f"{name} is a ragged list, with parts of shapes {first} and {second}; give rows of one length"
            )
    try:
        return np.asarray(given)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise DlmError(
            f"{name} is a {type(given).__name__} that is no array ({_line(str(error))}); give numbers"
        ) from error


def _array_like(given: Any) -> bool:
    return isinstance(given, (list, tuple, np.ndarray)) or is_tensor(given)


def _of_tensor(given: Any, name: str) -> NDArray:
    if given.device.type == "meta":
        raise DlmError(f"{name} is a tensor on the device 'meta', which holds no values; give one with values")
    try:
        tensor = given.detach()
        tensor = tensor.dequantize() if tensor.is_quantized else tensor
        tensor = tensor if str(tensor.layout) == "torch.strided" else tensor.to_dense()
        tensor = tensor.float() if tensor.is_floating_point() and tensor.element_size() < 4 else tensor
        return np.asarray(tensor.numpy(force=True))
    except (TypeError, RuntimeError) as error:
        raise DlmError(
            f"{name} is a {type(given).__name__} whose values cannot be read ({_line(str(error))})"
        ) from error


def _no_numbers(array: NDArray, name: str) -> str:
    if not array.ndim:
        hint = "; give its .toarray()" if hasattr(array[()], "toarray") else ""
        return f"{name} = {_line(repr(array[()]))} is not a number{hint}"
    found = [each for each in array.flat if not isinstance(each, int) or abs(each) >= 2**63] or list(array.flat)
    return f"{name} holds {_line(repr(found[0]))}, a {type(found[0]).__name__}; give numbers of at most 64 bits"


def _line(text: str) -> str:
    return " ".join(text.split())[:160]
