"""lava-dl's ``.net`` files: networks trained with SLAYER, as integer networks.

Source: lava-dl 0.6.0, lava/lib/dl/netx/hdf5.py (what netx builds), lava/lib/dl/slayer/block/base.py (what is stored).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.connections.pool2d import Pool2d
from dlm_snn.errors import DlmError, UnsupportedError, nearest
from dlm_snn.exchange.guarded import hdf5
from dlm_snn.exchange.netx.layer import Layer, cut, layers
from dlm_snn.exchange.netx.neurons import TARGET, integrator_of, neuron_of
from dlm_snn.exchange.netx.notes import NOTE, as_noted
from dlm_snn.networks.network import Input, IntegerNetwork, IntegerProjection

CURRENT_BITS = 13
"""bias_mant is a signed integer of 13 bits, and a layer of type "input" gets its data through it."""
MAX_DELAY = 62
"""Beyond it netx clamps (lava-dl 0.6.0, hdf5.py, create_dense)."""

_LAYERS = ("input", "dense", "dense_rec", "conv", "pool", "flatten")


def read_net(
    path: str | os.PathLike[str],
    input_shape: tuple[int, ...] | None = None,
    graded_bits: int | None = None,
    reset_interval: int | None = None,
    num_layers: int | None = None,
    skip_layers: int = 0,
) -> IntegerNetwork:
    """A ``.net`` file as the integer network that netx builds from it.

    Populations: ``input``, then ``layer0``, ``layer1``, ... by the number of the layer in the file. A layer of type
    "input" with neurons gets, as with netx, a constant current in every step: there ``input`` is graded and signed,
    and carries trunc(weight x + bias) of the file's layer (see ``input_transform``).

    du = iDecay - 1, dv = vDecay, v_threshold = vThMant, bias_mant = bias, bias_exp = 6. A layer's ``delay`` d adds d
    steps to its incoming synapses: a number, one a neuron, or one a presynaptic neuron. Odd weights of mixed sign up
    to 127 are doubled with weight_exp = -1, which is the same sum. A "pool" layer, which netx refuses, is a spiking
    population behind a Pool2d, as in SLAYER. A last dense layer without neurons is an IntegerLI, whose v is read.

    Args:
        path: the file.
        input_shape: of a network whose file does not tell it (a first layer "conv").
        graded_bits: of an Input whose events carry integers (netx: input_message_bits).
        reset_interval: LIFReset's, in steps: ``period`` of every population. Layer by layer one step later, as netx
            shifts its reset_offset.
        num_layers: the first so many layers only, as the file numbers them; None: all.
        skip_layers: without the first so many; the Input is what the last of them sends. With either, a file of ours
            is read as one of others: names and scales are those of netx.

    Raises:
        MissingError: no such file.
        UnsupportedError: average, convT, unpool, concat, complex weights, SDNN and RF neurons, graded spikes between
            neurons, a refractory delay.
        DlmError: a damaged file, weights outside 8 bits, shapes that do not chain; names the file and the layer.
    """
    path = Path(path)
    with hdf5.opened(path, "network that lava-dl exported (network.net)") as file:
        every = layers(path, file)
        try:
            kept, shape = cut(every, num_layers, skip_layers)
        except DlmError as error:
            raise DlmError(f"{path}: {error}") from error
        builder = _Builder(path, input_shape or shape, graded_bits, reset_interval)
        for layer in kept:
            builder.add(layer)
        note = file.attrs.get(NOTE)
        _check_sum(path, file, note)
        return as_noted(builder.network(), note if len(kept) == len(every) else None, path)


def _check_sum(path: Path, file: h5py.File, note: Any) -> None:
    """Refuse a file of ours that is not what was written."""
    written = file.attrs.get(hdf5.CHECKSUM)
    if note is not None and written is not None and written != hdf5.checksum(file, str(note)):
        raise DlmError(
            f"{path} was changed since it was written, its checksum differs; write it again, or delete the attribute "
            f"'{NOTE}' to read it as it stands"
        )


def input_transform(path: str | os.PathLike[str]) -> tuple[int, int]:
    """(weight, bias) of a first layer of type "input" with neurons: data x enter as the current weight x + bias.

    netx's defaults where the file has none: 64, 0.

    Raises:
        DlmError: the file has no such layer.
    """
    path = Path(path)
    with hdf5.opened(path, "network that lava-dl exported (network.net)") as file:
        first = layers(path, file)[0]
        if first.text("type") != "input" or "neuron" not in first.group:
            raise DlmError(f"{first} is not a layer of type 'input' with neurons; give spikes to the network")
        return int(first.whole("weight", 64).reshape(-1)[0]), int(first.whole("bias", 0).reshape(-1)[0])


class _Builder:
    """Puts layer after layer into populations and projections."""

    def __init__(self, path: Path, shape: tuple[int, ...] | None, graded_bits: int | None, period: int | None) -> None:
        self.path, self.graded_bits, self.period = path, graded_bits, period
        self.given = shape
        self.populations: dict[str, Any] = {}
        self.projections: list[IntegerProjection] = []
        self.last = ""
        self.image: tuple[int, ...] = ()

    def add(self, layer: Layer) -> None:
        """One layer."""
        kind = layer.text("type")
        if kind is None:
            raise DlmError(f"{layer} has no 'type'; it is not a layer of lava-dl")
        if kind not in _LAYERS:
            raise UnsupportedError(TARGET, f"the layer type '{kind}' of {layer}", nearest(kind, _LAYERS))
        if isinstance(layer.group.get("weight"), h5py.Group):
            raise UnsupportedError(TARGET, f"the complex weights of {layer}", "train a network of CUBA neurons")
        if kind == "flatten":
            self.image = (int(np.prod(self.image)),) if self.image else ()
        elif kind == "input":
            self._input(layer)
        else:
            self._start(layer, kind)
            connection = {"conv": self._conv, "pool": self._pool}.get(kind, self._dense)(layer)
            self._population(layer, connection, recurrent=kind == "dense_rec")

    def network(self) -> IntegerNetwork:
        """What was added."""
        if not self.projections:
            raise DlmError(f"{self.path} has no layer with neurons")
        try:
            return IntegerNetwork(self.populations, self.projections)
        except DlmError as error:
            raise DlmError(f"{self.path}: {error}") from error

    def _input(self, layer: Layer) -> None:
        if self.populations:
            raise DlmError(f"{layer} is of type 'input' but not the first layer")
        shape = self.image = layer.shape()
        if self.given is not None and tuple(self.given) != shape:
            raise DlmError(f"{layer}/shape says {shape}, not input_shape = {tuple(self.given)}; leave input_shape out")
        if "neuron" not in layer.group:
            self._source(layer, shape, self.graded_bits)
            return
        self._source(layer, shape, CURRENT_BITS, signed=True)
        n = int(np.prod(shape))
        one_to_one = Sparse((n, n), np.arange(n), np.arange(n), np.ones(n, dtype=int))
        neuron = neuron_of(layer, shape, self.period, bias=False)
        if np.any(np.asarray(neuron.du) != 4095):
            raise UnsupportedError(TARGET, f"a filtered input current (iDecay below 4096) in {layer}", "use a dense")
        self._join(layer, neuron, IntegerProjection("input", f"layer{layer.name}", one_to_one, sign_mode="excitatory"))

    def _source(self, layer: Layer, shape: tuple[int, ...], graded_bits: int | None, signed: bool = False) -> None:
        try:
            self.populations["input"] = Input(shape, graded_bits=graded_bits, signed=signed)
        except DlmError as error:
            raise DlmError(f"{layer}: {error}") from error
        self.last = "input"

    def _start(self, layer: Layer, kind: str) -> None:
        """The Input of a file that does not begin with one."""
        if self.populations:
            return
        shape = self.given
        if shape is None and kind in ("dense", "dense_rec"):
            shape = (self._matrix(layer, "weight").shape[1],)
        if shape is None:
            raise DlmError(f"{layer} does not say the shape of its input; give input_shape=(channel, row, column)")
        self.image = tuple(shape)
        self._source(layer, self.image, self.graded_bits)

    def _matrix(self, layer: Layer, key: str) -> NDArray[np.int64]:
        weight, n = layer.whole(key), int(np.prod(layer.shape()))
        if weight.size % n or (weight.ndim > 1 and len(weight) != n):
            raise DlmError(f"{layer}/{key} of shape {weight.shape} does not fit its {n} neurons")
        return weight.reshape(n, -1)

    def _dense(self, layer: Layer) -> Connection:
        return Dense(self._chained(layer, self._matrix(layer, "weight")))

    def _chained(self, layer: Layer, weight: NDArray[np.int64]) -> NDArray[np.int64]:
        n = self.populations[self.last].n
        if weight.shape[1] != n:
            raise DlmError(
                f"{layer}/weight takes {weight.shape[1]} inputs, the layer before has {n}; they do not chain"
            )
        return weight

    def _images(self, layer: Layer) -> tuple[int, int, int]:
        if len(self.image) != 3:
            raise DlmError(f"{layer} needs an image, the layer before has the shape {self.image}; they do not chain")
        return self.image  # type: ignore[return-value]

    def _conv(self, layer: Layer) -> Connection:
        weight = layer.whole("weight")
        if weight.ndim == 5 and weight.shape[-1] == 1:
            weight = weight[..., 0]
        spacing = {key: layer.pair(key, default) for key, default in (("stride", 1), ("padding", 0), ("dilation", 1))}
        return self._fitting(
            layer,
            lambda image: Conv2d(weight, image, **spacing, groups=int(layer.whole("groups", 1).reshape(-1)[0])),
        )

    def _pool(self, layer: Layer) -> Connection:
        kernel, weight = layer.pair("kernelSize"), layer.whole("weight")
        if np.ptp(weight) or layer.pair("dilation", 1) != (1, 1):
            raise UnsupportedError(TARGET, f"unequal weights or dilation in the pool of {layer}", "use a conv layer")
        return self._fitting(
            layer,
            lambda image: Pool2d(image, kernel, layer.pair("stride"), layer.pair("padding", 0), weight.reshape(-1)[:1]),
        )

    def _fitting(self, layer: Layer, make: Any) -> Connection:
        image = self._images(layer)
        try:
            connection = make(image)
        except DlmError as error:
            raise DlmError(f"{layer}: {error}") from error
        if connection.post_shape != layer.shape():
            raise DlmError(
                f"{layer}/shape says {layer.shape()}, its {type(connection).__name__} of {image} gives "
                f"{connection.post_shape}"
            )
        return connection

    def _population(self, layer: Layer, connection: Connection, recurrent: bool) -> None:
        shape = connection.post_shape if len(connection.post_shape) == 3 else (connection.n_post,)
        neuron: Any = neuron_of(layer, shape, self.period) if layer.neurons() else integrator_of(layer, self.period)
        name = f"layer{layer.name}"
        back = Dense(self._loop(layer, neuron.n)) if recurrent else None
        delay = self._delay(layer, connection)
        try:
            projections = [_projection(self.last, name, connection, delay)]
            if back is not None:
                # Per presynaptic neuron of the layer before there is no delay for a loop: as netx, refused by shape.
                own = delay if np.ndim(delay) < 2 else self._delay(layer, back)
                projections.append(_projection(name, name, back, own))
        except DlmError as error:
            raise DlmError(f"{layer}: {error}") from error
        self._join(layer, neuron, *projections)

    def _loop(self, layer: Layer, n: int) -> NDArray[np.int64]:
        weight = self._matrix(layer, "weight_rec")
        if weight.shape != (n, n):
            raise DlmError(f"{layer}/weight_rec has the shape {weight.shape}, expected {(n, n)}")
        return weight

    def _join(self, layer: Layer, neuron: Any, *projections: IntegerProjection) -> None:
        self.last = f"layer{layer.name}"
        self.populations[self.last] = neuron
        self.projections.extend(projections)
        self.image = neuron.shape

    def _delay(self, layer: Layer, connection: Connection) -> Any:
        """Steps, one more than the file's: one number, (post,) or (post, pre)."""
        if layer.get("delay") is None:
            return 1
        delay = layer.whole("delay")
        if delay.min() < 0 or delay.max() > MAX_DELAY:
            raise DlmError(f"{layer}/delay = {delay.min()}..{delay.max()} is outside 0..{MAX_DELAY}; clip it")
        flat = delay.reshape(-1) + 1
        dense = isinstance(connection, Dense)
        if flat.size == 1 or (not dense and not np.ptp(flat)):
            return int(flat[0])
        if not dense:
            raise UnsupportedError(TARGET, f"a delay for each neuron of {layer}, no dense layer", "use one delay")
        if delay.shape == connection.weight.shape or flat.size == connection.n_post:
            return delay + 1 if delay.shape == connection.weight.shape else flat
        if flat.size == connection.n_pre:
            return np.broadcast_to(flat, connection.weight.shape).copy()
        raise DlmError(f"{layer}/delay of {flat.size} numbers fits neither its neurons nor its inputs")


def _projection(pre: str, post: str, connection: Connection, delay: Any) -> IntegerProjection:
    """With the mode in which the weights need no rounding."""
    weight = connection.weight
    if isinstance(connection, Conv2d) or not np.any(weight % 2):
        return IntegerProjection(pre, post, connection, delay)
    if weight.min() >= 0 or weight.max() <= 0:
        mode: Any = "excitatory" if weight.min() >= 0 else "inhibitory"
        return IntegerProjection(pre, post, connection, delay, sign_mode=mode)
    if np.abs(weight).max() > 127:
        bad = tuple(map(int, np.argwhere(weight % 2)[0]))
        raise DlmError(
            f"weight{list(bad)} = {weight[bad]} is odd, and weights reach {np.abs(weight).max()}: together beyond 8 "
            "bits of mixed sign (even numbers -256..254)"
        )
    return IntegerProjection(pre, post, connection.with_weight(2 * weight), delay, weight_exp=-1)
