"""The neurons of a layer of a ``.net`` file, and a last layer that has none.

Source: lava-dl 0.6.0, lava/lib/dl/netx/hdf5.py, ``get_neuron_params`` and ``create_dense``.
"""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, UnsupportedError, nearest
from dlm_snn.exchange.netx.layer import Layer
from dlm_snn.neurons.integer_lif import IntegerLIF
from dlm_snn.neurons.li import IntegerLI

TARGET = "a .net import"
BIAS_EXP = 6
"""netx gives every neuron bias_exp = 6, so that the file's biases are in units of v_threshold."""
_NEURONS = ("CUBA", "LOIHI")


def neuron_of(layer: Layer, shape: tuple[int, ...], period: int | None, bias: bool = True) -> IntegerLIF:
    """The neurons of a layer: du = iDecay - 1, dv = vDecay, v_threshold = vThMant, bias_mant = bias, bias_exp = 6.

    Args:
        layer: of the file.
        shape: of the population.
        period: as of IntegerLIF.
        bias: whether the layer's bias is the neurons' own; a layer of type "input" adds it to the data.

    Raises:
        UnsupportedError: neurons of another kind, or with more to them.
        DlmError: values that do not fit.
    """
    own = layer.neurons()
    if own is None:
        raise UnsupportedError(TARGET, f"{layer} without neurons, of type 'input'", "add neurons")
    _check_usual(layer, own)
    n = int(np.prod(shape))

    def each(key: str, value: NDArray[np.int64]) -> int | NDArray[np.int64]:
        """One number, or one a neuron: a channel's value stands for all of its neurons."""
        flat = value.reshape(-1)
        if flat.size in (1, n):
            return int(flat[0]) if flat.size == 1 else flat
        if len(shape) == 3 and flat.size == shape[0]:
            return np.repeat(flat, n // shape[0])
        raise DlmError(f"{layer}/{key} has {flat.size} numbers for {n} neurons of the shape {shape}")

    biases = layer.get("bias") is not None and bias
    try:
        return IntegerLIF(
            shape,
            du=each("neuron/iDecay", own.whole("iDecay") - 1),
            dv=each("neuron/vDecay", own.whole("vDecay")),
            v_threshold=each("neuron/vThMant", own.whole("vThMant")),
            bias_mant=each("bias", layer.whole("bias")) if biases else 0,
            bias_exp=BIAS_EXP if biases else 0,
            period=period,
        )
    except DlmError as error:
        raise DlmError(f"{layer}: {error}") from error


def _check_usual(layer: Layer, own: Layer) -> None:
    """Raise UnsupportedError where neurons are of another kind, or have more to them, than is read."""
    kind = own.text("type")
    if kind not in _NEURONS:
        raise UnsupportedError(TARGET, f"the neuron type '{kind}' of {layer}", nearest(str(kind), _NEURONS))
    for key, usual, what in (
        ("refDelay", 1, "a refractory delay"),
        ("gradedSpike", 0, "graded spikes between neurons"),
        ("messageBits", 0, "graded spikes between neurons"),
        ("wgtExp", 0, "a weight exponent, which netx leaves out"),
        ("weight_exp", 0, "a weight exponent, which netx leaves out"),
    ):
        if np.any(own.whole(key, usual) != usual):
            raise UnsupportedError(TARGET, f"{what} ({own}/{key})", "train without it")


def integrator_of(layer: Layer, period: int | None) -> IntegerLI:
    """A last dense layer without neurons: its v is the sum of all that came, and never spikes.

    netx holds the current (iDecay 0), and v is the current of the step (vDecay 4096): v(t) = u(t) = 64 sum of a. Here
    v holds it: v = v + 64 a, the same integers as long as they stay within 24 bits.

    Raises:
        UnsupportedError: a layer that is not dense, or has a bias, which netx adds to v once instead of in every step.
    """
    remedy = "add neurons, or read a dense layer"
    if layer.text("type") != "dense":
        raise UnsupportedError(TARGET, f"{layer} without neurons, of type '{layer.text('type')}'", remedy)
    if layer.get("bias") is not None and np.any(layer.whole("bias")):
        raise UnsupportedError(TARGET, f"the bias of {layer}, which has no neurons", "train that layer without a bias")
    return IntegerLI((prod(layer.shape()),), dv=0, period=period)
