"""An integer network and its windows as a bundle's data: plain numbers for JSON, and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.dense import Dense
from dlm_snn.networks.clocked import as_convolution, clocked_delay
from dlm_snn.networks.network import IntegerNetwork, IntegerProjection
from hardware.windows import Windows


def as_data(windows: Windows) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Populations, inputs and projections of a network that runs window after window.

    Returns:
        What goes into the record, and the arrays: ``POPULATION.bias_mant`` where neurons differ, and ``NUMBER.FIELD``
        of the projection of that number.
    """
    arrays: dict[str, NDArray] = {}
    network = windows.network
    populations = {name: _population(network, name, arrays) for name in network.neurons}
    projections = []
    for number, projection in enumerate(network.projections):
        told, own = _projection(network, projection)
        arrays |= {f"{number}.{key}": array for key, array in own.items()}
        projections.append({"name": projection.name, **told, "arrays": sorted(own)})
    inputs = {
        name: {
            **{key: getattr(part, key) for key in ("n", "graded_bits", "signed", "aligned")},
            "n_steps": windows.period if name in windows.events else windows.n_steps,
        }
        for name, part in network.inputs.items()
    }
    times = {"n_steps": windows.n_steps, "period": windows.period}
    return {**times, "inputs": inputs, "populations": populations, "projections": projections}, arrays


def _population(network: IntegerNetwork, name: str, arrays: dict[str, NDArray]) -> dict[str, Any]:
    neuron = network.neurons[name]
    bias = np.unique(np.asarray(neuron.bias_mant))
    if len(bias) > 1:
        arrays[f"{name}.bias_mant"] = np.asarray(neuron.bias_mant, dtype=np.int32)
    return {
        "n": neuron.n,
        "depth": network.depth[name],
        "reset_interval": neuron.period,
        **{key: int(np.max(getattr(neuron, key))) for key in ("du", "dv", "v_threshold", "bias_exp")},
        "bias_mant": int(bias[0]) if len(bias) == 1 else None,
    }


def _projection(network: IntegerNetwork, p: IntegerProjection) -> tuple[dict[str, Any], dict[str, NDArray]]:
    told = {
        "pre": p.pre,
        "post": p.post,
        "weight_exp": p.weight_exp,
        "num_weight_bits": p.num_weight_bits,
        "sign_mode": p.sign_mode,
    }
    delay = clocked_delay(network, p)
    convolution = as_convolution(network, p)
    if convolution is not None:
        stride, padding, dilation = convolution.spacing
        spacing = {"stride": stride, "padding": padding, "dilation": dilation, "groups": convolution.groups}
        image = {"kind": "conv", "delay": 1, "input_shape": convolution.input_shape, **spacing}
        return {**told, **image}, {"weight": np.asarray(convolution.weight, dtype=np.int32)}
    form: dict[str, Any]
    if isinstance(p.connection, Dense):
        form, own = {"kind": "dense"}, {"weight": np.asarray(p.connection.weight, dtype=np.int32)}
    else:
        synapses = p.connection.sparse()
        form = {"kind": "sparse", "n_post": synapses.shape[0], "n_pre": synapses.shape[1]}
        own = {"weight": synapses.weight, "post_index": synapses.post, "pre_index": synapses.pre}
        own = {key: np.asarray(array, dtype=np.int32) for key, array in own.items()}
    if np.ndim(delay):
        return {**told, **form}, {**own, "delay": _each(delay, own["weight"].shape)}
    return {**told, **form, "delay": int(delay)}, own


def _each(delay: NDArray, shape: tuple[int, ...]) -> NDArray:
    """A delay for each weight, where one is given for each neuron."""
    delay = np.asarray(delay, dtype=np.int32)
    return delay if delay.shape == shape else np.broadcast_to(delay[:, None], shape).copy()


def stimulus_arrays(windows: Windows, stimulus: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """Input -> (window, step, neuron) values; windows or steps 1 where all are alike.

    Args:
        windows: whose Inputs; those of its events do the same in every window.
        stimulus: (sample, step or 1, neuron) of each other Input.
    """
    found = {**stimulus, **{name: np.asarray(values)[None] for name, values in windows.events.items()}}
    return {name: _narrow(found[name]) for name in windows.network.inputs}


def _narrow(values: NDArray) -> NDArray:
    """In the smallest integers that hold them."""
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    kind = next(k for k in (np.uint8, np.int16, np.int32) if np.iinfo(k).min <= low and high <= np.iinfo(k).max)
    return values.astype(kind)
