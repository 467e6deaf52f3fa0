"""Integer networks as lava-dl's ``.net`` files."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.connection import Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.connections.pool2d import Pool2d
from dlm_snn.errors import UnsupportedError
from dlm_snn.exchange.guarded import hdf5
from dlm_snn.exchange.guarded.hdf5 import hdf5_file
from dlm_snn.exchange.netx.neurons import BIAS_EXP
from dlm_snn.exchange.netx.notes import NOTE
from dlm_snn.exchange.netx.reader import CURRENT_BITS
from dlm_snn.files.atomic import writing
from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import Input, IntegerNetwork, IntegerProjection, Network
from dlm_snn.neurons.integer_lif import IntegerLIF
from dlm_snn.neurons.li import IntegerLI

_TARGET = "a .net file"
NET = hdf5_file(_TARGET, lambda file: NOTE in file.attrs)


def write_net(network: IntegerNetwork | Network, path: str | os.PathLike[str], replace: bool = False) -> None:
    """Write a chain of populations as lava-dl's HDF5 file; ``read_net`` gives a network of the same digest.

    A Sparse connection is written, and comes back, as a dense one. Names, scales and the sign modes of the weights
    stand in an attribute that netx does not read. A last IntegerLI is a dense layer without neurons, which holds the
    sum of all that came.

    Args:
        network: one Input, then populations one after another; each may have a recurrent Dense projection.
        path: the file; written aside, then renamed.
        replace: a .net file of that name gives way, if we wrote it.

    Raises:
        UnsupportedError: branches, loops over layers, competition, a period (netx takes it as its own argument), a
            weight exponent that shifts sums, a bias that is no multiple of the threshold's unit; an IntegerLI with a
            leak, a filter or a bias, or behind a convolution.
    """
    if isinstance(network, Network):
        raise UnsupportedError(_TARGET, "a network of floats", "quantize it first")
    check_known(network, _TARGET)
    chain = _chain(network)
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        layers = file.create_group("layer")
        first = chain[0] if _is_current(network, chain[0]) else None
        source = network.inputs[chain[0].pre]
        if first is None:
            _put(layers.create_group("0"), {"type": _type("input"), "shape": source.shape})
        image = False
        for projection in chain:
            neuron: Any = network.neurons[projection.post]
            silent = type(neuron) is IntegerLI
            if silent:
                _check_integrator(projection, neuron)
            if image and not isinstance(projection.connection, (Conv2d, Pool2d)):
                flat = {"type": _type("flatten"), "shape": (projection.connection.n_pre,)}
                _put(layers.create_group(str(len(layers))), flat)
            group = layers.create_group(str(len(layers)))
            if projection is first:
                _put(group, {"type": _type("input"), "shape": neuron.shape})
            else:
                _put(group, _layer(projection, neuron, _loop(network, projection.post)))
            if not silent:
                _put(group.create_group("neuron"), _neuron(projection.post, neuron))
            image = len(neuron.shape) == 3
        file.attrs[NOTE] = note = json.dumps(_note(network, chain))
        file.attrs[hdf5.CHECKSUM] = hdf5.checksum(file, note)
    with writing(Path(path), NET, replace) as target:
        target.write(hdf5.sealed(held.getvalue()))


def _put(group: h5py.Group, values: dict[str, Any]) -> None:
    for key, value in values.items():
        group.create_dataset(key, data=value)


def _type(kind: str) -> NDArray[np.bytes_]:
    """As SLAYER writes the type of a layer."""
    return np.array([kind.encode()], "S10")


def _chain(network: IntegerNetwork) -> list[IntegerProjection]:
    """The projections from the Input to the last population."""
    forward = [p for p in network.projections if p.pre != p.post]
    sources = list(network.inputs)
    remedy = "export each chain of layers by itself"
    if len(sources) != 1 or not forward:
        raise UnsupportedError(_TARGET, f"{len(sources)} Inputs and {len(forward)} forward projections", remedy)
    chain: list[IntegerProjection] = []
    at = sources[0]
    while following := [p for p in forward if p.pre == at]:
        if len(following) > 1 or len(chain) == len(forward):
            raise UnsupportedError(_TARGET, f"the branch or loop {following[-1].name}", remedy)
        chain.append(following[0])
        at = following[0].post
    if len(chain) < len(forward) or len(chain) + 1 < len(network.populations):
        reached = {p.post for p in chain} | set(sources)
        left = [p.name for p in forward if p not in chain] or [n for n in network.populations if n not in reached]
        raise UnsupportedError(_TARGET, f"{left[0]} beside one chain of layers", remedy)
    return chain


def _is_current(network: IntegerNetwork, first: IntegerProjection) -> bool:
    """Whether the first projection only carries a current into neurons: a layer of type "input" with neurons."""
    source, neuron = network.populations[first.pre], network.neurons[first.post]
    given = first.connection
    return (
        isinstance(source, Input)
        and type(neuron) is IntegerLIF
        and (source.graded_bits, source.signed) == (CURRENT_BITS, True)
        and isinstance(given, Sparse)
        and given.weight.size == given.n_pre == given.n_post
        and bool(np.all(given.post == given.pre) and np.all(given.weight == 1))
        and (first.weight_exp, first.sign_mode, np.max(first.delay)) == (0, "excitatory", 1)
        and bool(np.all(np.asarray(neuron.du) == 4095) and not np.any(neuron.bias))
        and _loop(network, first.post) is None
    )


def _loop(network: IntegerNetwork, name: str) -> IntegerProjection | None:
    loops = [p for p in network.into(name) if p.pre == name]
    if len(loops) > 1 or (loops and not isinstance(loops[0].connection, (Dense, Sparse))):
        raise UnsupportedError(_TARGET, f"{loops[-1].name} of a {type(loops[-1].connection).__name__}", "use one Dense")
    return loops[0] if loops else None


def _layer(projection: IntegerProjection, neuron: IntegerLIF, loop: IntegerProjection | None) -> dict[str, Any]:
    connection = projection.connection
    values: dict[str, Any] = {"shape": neuron.shape}
    if isinstance(connection, (Conv2d, Pool2d)):
        if loop is not None:
            raise UnsupportedError(_TARGET, f"{loop.name} beside a {type(connection).__name__}", "use dense layers")
        values |= _convolution(projection, connection)
    else:
        values |= {"type": _type("dense"), "inFeatures": connection.n_pre, "outFeatures": connection.n_post}
        values["weight"] = _plain(projection, _matrix(connection))
        if loop is not None:
            values |= {"type": _type("dense_rec"), "weight_rec": _plain(loop, _matrix(loop.connection))}
    delay = _delay(projection)
    if loop is not None and not np.array_equal(_delay(loop), delay):
        raise UnsupportedError(_TARGET, f"different delays of {projection.name} and {loop.name}", "use one delay")
    if np.ndim(delay) or delay:
        values["delay"] = delay
    if np.any(neuron.bias):
        values["bias"] = _bias(projection.post, neuron)
    return values


def _convolution(projection: IntegerProjection, connection: Conv2d | Pool2d) -> dict[str, Any]:
    weight = _plain(projection, connection.weight)
    if isinstance(connection, Pool2d):
        kernel: Any = connection.kernel
        weight = np.full((1, 1, *kernel), weight[0])
        form: dict[str, Any] = {"type": _type("pool"), "dilation": (1, 1)}
    else:
        kernel = connection.weight.shape[2:]
        inputs, outputs = connection.input_shape[0], len(connection.weight)
        form = {"type": _type("conv"), "dilation": connection.dilation, "groups": connection.groups}
        form |= {"inChannels": inputs, "outChannels": outputs}
    spacing = {"kernelSize": kernel, "stride": connection.stride, "padding": connection.padding}
    return form | spacing | {"weight": weight[..., None]}


def _matrix(connection: Any) -> NDArray[np.int64]:
    return connection.weight if isinstance(connection, Dense) else connection.dense()


def _plain(projection: IntegerProjection, weight: NDArray[np.int64]) -> NDArray[np.float32]:
    """weight * 2^weight_exp, which the format holds without an exponent."""
    exponent = projection.weight_exp
    if exponent < 0 and np.any(weight % 2**-exponent):
        raise UnsupportedError(
            _TARGET,
            f"weight_exp {exponent} of {projection.name}, which shifts sums",
            "feed spikes instead of graded values, so that no shift is needed",
        )
    plain = weight * 2**exponent if exponent > 0 else weight >> -exponent
    if plain.size and (plain.min() < -256 or plain.max() > 255):
        raise UnsupportedError(
            _TARGET, f"weights {plain.min()}..{plain.max()} of {projection.name}", "quantize to 8 bits without exponent"
        )
    return plain.astype(np.float32)


def _delay(projection: IntegerProjection) -> Any:
    """Steps beyond the one that every connection takes: a number, or one a neuron."""
    delay = np.asarray(projection.delay) - 1
    if delay.ndim == 0:
        return int(delay)
    if delay.ndim == 2 and np.array_equal(delay, np.broadcast_to(delay[:, :1], delay.shape)):
        return delay[:, 0]
    raise UnsupportedError(
        _TARGET, f"a delay for each synapse of {projection.name}", "give one delay, or one a postsynaptic neuron"
    )


def _bias(name: str, neuron: IntegerLIF) -> NDArray[np.float32]:
    bias = np.broadcast_to(neuron.bias, (neuron.n,))
    unit = 2**BIAS_EXP
    if np.any(bias % unit):
        raise UnsupportedError(
            _TARGET,
            f"the bias {bias[bias % unit != 0][0]} of '{name}', no multiple of {unit}",
            "round it to the threshold's unit",
        )
    return (bias // unit).astype(np.float32)


def _neuron(name: str, neuron: IntegerLIF) -> dict[str, Any]:
    if neuron.winners is not None:
        raise UnsupportedError(_TARGET, f"the competition of '{name}'", "export a network trained without it")
    if neuron.period is not None:
        raise UnsupportedError(_TARGET, f"the period of '{name}'", "leave it out; netx takes it as reset_interval")
    return {
        "type": "CUBA",
        "iDecay": np.asarray(neuron.du) + 1,
        "vDecay": neuron.dv,
        "vThMant": neuron.v_threshold,
        "refDelay": 1,
        "gradedSpike": False,
    }


def _check_integrator(projection: IntegerProjection, neuron: IntegerLI) -> None:
    """Refuse what a layer without neurons has not: netx reads nothing of one but its dense weights."""
    name = f"'{projection.post}', which never spikes"
    remedy = "give it dv=0, du=4095 and no bias, or export the layers before it"
    for thing, has in (
        (f"the leak of {name} (dv = {np.max(neuron.dv)})", np.any(neuron.dv)),
        (f"the filtered current of {name} (du = {np.min(neuron.du)})", np.any(np.asarray(neuron.du) != 4095)),
        (f"the bias of {name}", np.any(neuron.bias)),
    ):
        if has:
            raise UnsupportedError(_TARGET, thing, remedy)
    if neuron.period is not None:
        raise UnsupportedError(_TARGET, f"the period of {name}", "leave it out; netx takes it as reset_interval")
    if not isinstance(projection.connection, (Dense, Sparse)):
        kind = type(projection.connection).__name__
        raise UnsupportedError(
            _TARGET, f"{name}, behind a {kind}", "feed it by a Dense, or export the layers before it"
        )


def _note(network: IntegerNetwork, chain: list[IntegerProjection]) -> dict[str, Any]:
    populations = {}
    for name, p in network.populations.items():
        if isinstance(p, Input):
            populations[name] = {
                "graded_bits": p.graded_bits,
                "scale": p.scale,
                "signed": p.signed,
                "aligned": p.aligned,
            }
        else:
            populations[name] = {"scale": p.scale, "bias_exp": p.bias_exp, "one_bias": np.ndim(p.bias) == 0}
    modes = ("weight_exp", "num_weight_bits", "sign_mode")
    return {
        "chain": [chain[0].pre, *(p.post for p in chain)],
        "populations": populations,
        "projections": {p.name: {mode: getattr(p, mode) for mode in modes} for p in network.projections},
    }
