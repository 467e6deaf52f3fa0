"""Float Network -> IntegerNetwork and its loss budget.

One scale per postsynaptic population, so that all projections into it stay in proportion:

    w_int = round(w scale_post 2^-weight_exp / scale_pre),  v_threshold_int = round(scale_post v_threshold),
    bias_mant 2^bias_exp = 64 scale_post bias,  du_int = round(4096 du) - 1,  dv_int = round(4096 dv),

with scale_pre the scale of a graded Input, 1 for spikes. A negative weight_exp keeps the weights at their full range
while the sums shrink, until u cannot wrap for any input and v stays in its measured range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.backends import reference
from dlm_snn.connections.chain import Chain
from dlm_snn.conversion.loss_budget import QuantizationReport
from dlm_snn.conversion.losses import HEADROOM, population_loss, projection_loss, with_answers, with_measurements
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.networks.extent import check_memory
from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import (
    Input,
    IntegerNetwork,
    IntegerProjection,
    Network,
    Projection,
)
from dlm_snn.networks.signs import SignMode, weight_grid
from dlm_snn.neurons.integer_lif import DECAY_UNITY, THRESHOLD_LIMIT, IntegerLIF
from dlm_snn.neurons.li import LI, IntegerLI
from dlm_snn.neurons.lif import LIF
from dlm_snn.neurons.models import spikes
from dlm_snn.runs.metrics import check_readable
from dlm_snn.runs.recording import Recording, before_reset
from dlm_snn.runs.stimulus import taken

LOWEST_EXPONENT = -8
CLIP_FACTORS = np.linspace(1.0, 3.0, 21)
"""How far the largest weight may reach beyond the integer range."""
MARGIN = 1.25
"""By how much v may exceed its range on the calibration data before it saturates."""
MARGIN_OF_SILENT = 2.0
"""The same where no spike resets v, which is then a sum of all that came: one of the 24 bits for samples that drive it
harder than those of the calibration."""

__all__ = ["QuantizationReport", "quantize"]


def quantize(
    network: Network,
    weight_bits: int = 8,
    calibration: Mapping[str, Any] | None = None,
    n_steps: int = 25,
    labels: ArrayLike | None = None,
    kind: str | None = None,
) -> tuple[IntegerNetwork, QuantizationReport]:
    """Convert a float network to the integers of a fixed-point target.

    u is held by a worst-case bound over all inputs (where du > 0), v by its range on the calibration data.

    Args:
        network: with zero reset and no refractory period.
        weight_bits: 8 down to 3.
        calibration: a stimulus (integers for graded Inputs) on which ranges and losses are measured; not test data.
        n_steps: steps of the calibration run.
        labels: classes of the calibration samples, for the accuracies of both networks on them.
        kind: how the class is read, see ``read_out``; needed with labels where the output never spikes.

    Returns:
        The IntegerNetwork and its loss budget.

    Raises:
        UnsupportedError: reset by subtraction, a refractory period.
        DlmError: bits outside 3..8, parameters that no scale brings into range, labels or kind that do not fit.
    """
    network = _checked(network, weight_bits, calibration, n_steps, labels)
    if labels is not None:
        check_readable(network, kind)
    measured = None if calibration is None else reference.run(network, calibration, n_steps, ("s", "u", "v"))
    choices = {name: _choose(network, name, weight_bits, measured) for name in network.neurons}
    populations = {
        name: p if isinstance(p, Input) else _integer_neuron(name, p, choices[name].scale)
        for name, p in network.populations.items()
    }
    projections = [_integer_projection(network, p, choices[p.post], weight_bits) for p in network.projections]
    integer = IntegerNetwork(populations, projections)
    report = _report(network, integer, choices, weight_bits)
    if measured is not None and calibration is not None:
        after = reference.run(integer, calibration, n_steps, ("s", "u", "v"))
        report = with_measurements(report, measured, after, calibration)
        if labels is not None:
            report = with_answers(report, measured, after, labels, kind)
    return integer, report


def _report(
    network: Network, integer: IntegerNetwork, choices: Mapping[str, _Choice], weight_bits: int
) -> QuantizationReport:
    """The loss budget without measurements."""
    projections = [
        projection_loss(a, b, _weight_scale(network, a, choices[b.post].scale, b.weight_exp))
        for a, b in zip(network.projections, integer.projections, strict=True)
    ]
    populations = [
        population_loss(
            name,
            network.neurons[name],
            neuron,
            choices[name].rescaled,
            _worst_current(integer, integer.into(name), neuron.du),
        )
        for name, neuron in integer.neurons.items()
    ]
    return QuantizationReport(weight_bits, tuple(projections), tuple(populations), samples=0, accuracy={})


def _checked(
    network: Network, weight_bits: int, calibration: Mapping[str, Any] | None, n_steps: int, labels: ArrayLike | None
) -> Network:
    """The network as it is converted, its chains multiplied out; raises where something does not fit."""
    if weight_bits not in range(3, 9):
        raise DlmError(f"weight_bits = {weight_bits!r} is not in 3..8")
    check_known(network, "quantize")
    for name, neuron in network.neurons.items():
        _check(name, neuron)
    if labels is not None and calibration is None:
        raise DlmError("labels are of the calibration samples; give calibration too")
    network = _merged(network)
    if calibration is not None:
        _check_calibration(network, taken(network, calibration, n_steps)[1], n_steps)
    return network


def _check_calibration(network: Network, n_samples: int, n_steps: int) -> None:
    if n_samples == 0:
        raise DlmError("the calibration has 0 samples; give at least one, or None")
    every = dict.fromkeys(("s", "u", "v"), tuple(network.neurons))
    check_memory(network, n_samples, n_steps, every, reference.SPIKE_BYTES, reference.SENT_BYTES)


def _check(name: str, neuron: LIF | LI) -> None:
    if neuron.reset != "zero":
        raise UnsupportedError(
            "an integer network",
            f"reset by subtraction ('{name}')",
            "train with reset='zero' (snnTorch: reset_mechanism='zero')",
        )
    if neuron.refractory:
        raise UnsupportedError(
            "an integer network",
            f"a refractory period ('{name}')",
            "train with refractory=0 (snnTorch: reset_delay=False)",
        )


def _merged(network: Network) -> Network:
    """The same network, its chains multiplied out."""
    projections = [
        replace(p, connection=p.connection.merged()) if isinstance(p.connection, Chain) else p
        for p in network.projections
    ]
    return replace(network, projections=projections)


@dataclass(frozen=True)
class _Choice:
    """The scale of one population, the exponents of the projections into it, and how far they were shrunk."""

    scale: float
    exponents: Mapping[int, int]
    rescaled: float


def _choose(network: Network, name: str, bits: int, measured: Recording | None) -> _Choice:
    """The largest scale whose weights fill their range, sums cannot wrap u, and v keeps its measured range."""
    neuron: Any = network.populations[name]
    full = {id(p): _full_range(network, p, bits) for p in network.into(name) if p.connection.weight.any()}
    widest = min(full.values(), default=_scale_without_weights(neuron))
    for exponent in range(0, LOWEST_EXPONENT - 1, -1):
        choice = _at_scale(network, name, widest * 2.0**exponent, full)
        if _room(network, name, choice.scale, measured) >= 1 and _cannot_wrap(network, name, choice, bits):
            return choice
    # No exponent is left: the weights give up a part of their range.
    rescaled = min(_room(network, name, choice.scale, measured), 1.0)
    smallest = choice.scale
    choice = _at_scale(network, name, smallest * rescaled, full, rescaled)
    while not _cannot_wrap(network, name, choice, bits):
        rescaled *= 0.95
        choice = _at_scale(network, name, smallest * rescaled, full, rescaled)
    threshold = _threshold(neuron)
    if np.any((threshold > 0) & (np.round(choice.scale * threshold) < 1)):
        raise DlmError(
            f"population '{name}' needs more than the 24 bits of u and v: its weights or bias are too large beside its "
            f"threshold of {threshold[threshold > 0].min():g}"
        )
    return choice


def _at_scale(network: Network, name: str, scale: float, full: Mapping[int, float], rescaled: float = 1.0) -> _Choice:
    exponents = {id(p): _exponent(scale / full.get(id(p), scale)) for p in network.into(name)}
    return _Choice(scale, exponents, rescaled)


def _cannot_wrap(network: Network, name: str, choice: _Choice, bits: int) -> bool:
    """Whether no input at all can drive u of the rounded network out of its range (where it decays)."""
    neuron: Any = network.populations[name]
    du = _whole(neuron.du, DECAY_UNITY, -1, -1)
    bound = _worst_current(network, [_integer_projection(network, p, choice, bits) for p in network.into(name)], du)
    return not np.isfinite(bound) or bound < HEADROOM


def _full_range(network: Network, projection: Projection, bits: int) -> float:
    """The population scale at which a projection's weights fill the integer range best, at exponent 0.

    With 8 bits that is where the largest weight is the largest integer; with few bits a finer grain is worth the
    clipping of the largest weights: the factor with the least squared error is taken.
    """
    weight = projection.connection.weight
    low, high, grain = weight_grid(_sign_mode(weight), bits)
    fill = max(high, -low if low > -256 else high) / np.abs(weight).max()
    errors = [_squared_error(weight * fill * factor, low, high, grain) / factor**2 for factor in CLIP_FACTORS]
    return float(fill * CLIP_FACTORS[int(np.argmin(errors))] * _event_scale(network, projection))


def _squared_error(exact: NDArray, low: int, high: int, grain: int) -> float:
    return float(np.mean((np.clip(grain * np.round(exact / grain), low, high) - exact) ** 2))


def _exponent(shortfall: float) -> int:
    """The smallest exponent at which weights, scaled to ``shortfall`` of their full range, still fit."""
    # A hair of slack keeps a weight that fits exactly from being pushed up by rounding.
    return int(np.clip(np.ceil(np.log2(shortfall) - 1e-9), LOWEST_EXPONENT, 7))


def _threshold(neuron: LIF | LI) -> NDArray[np.float64]:
    """The thresholds; 0 where none has to be represented."""
    return np.asarray(neuron.v_threshold) if spikes(neuron) else np.zeros(1)


def _scale_without_weights(neuron: LIF | LI) -> float:
    """A population that no weight reaches is scaled by its threshold and bias alone, to 12 bits."""
    return 4096 / (max(float(np.max(_threshold(neuron))), float(np.max(np.abs(neuron.bias)))) or 1.0)


def _event_scale(network: Network, projection: Projection) -> float:
    pre = network.populations[projection.pre]
    return pre.scale if isinstance(pre, Input) else 1.0


def _sign_mode(weight: NDArray) -> SignMode:
    if weight.min(initial=0) >= 0:
        return "excitatory"
    return "inhibitory" if weight.max() <= 0 else "mixed"


def _worst_current(network: Network | IntegerNetwork, into: list[IntegerProjection], du: Any) -> float:
    """Largest |u| / 64 that any input could cause through integer weights; infinite where u never decays."""
    drive: Any = 0.0
    for p in into:
        pre = network.populations[p.pre]
        peak = max(abs(b) for b in pre.bounds) if isinstance(pre, Input) else 1
        # The floor of a negative sum takes up to one more.
        drive = drive + np.ceil(p.connection.absolute_sums() * peak * 2.0**p.weight_exp)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.max(np.where(drive > 0, drive * DECAY_UNITY / (np.asarray(du) + 1), 0.0)))


def _room(network: Network, name: str, scale: float, measured: Recording | None) -> float:
    """Factor by which a scale may grow before a held u, v, threshold or bias leaves its range; below 1: too large."""
    neuron: Any = network.populations[name]
    held = np.asarray(neuron.du) * DECAY_UNITY < 0.5
    margin = MARGIN if spikes(neuron) else MARGIN_OF_SILENT
    current, peak = 0.0, 0.0
    if measured is not None:
        current = margin * np.max(np.abs(measured.u[name]) * held, initial=0.0)
        voltage = before_reset(measured, name)
        peak = margin * np.abs(voltage).max(initial=0.0) if voltage is not None else 0.0
    needs = [
        (current, HEADROOM - 1),
        (peak, HEADROOM - 1),
        (np.max(_threshold(neuron)), THRESHOLD_LIMIT - 1),
        (64 * np.max(np.abs(neuron.bias)), 4095 * 2**7),
    ]
    return float(min((limit / (scale * need) for need, limit in needs if need > 0), default=np.inf))


def _integer_neuron(name: str, neuron: LIF | LI, scale: float) -> IntegerLIF | IntegerLI:
    bias = np.round(64 * scale * np.asarray(neuron.bias))
    exponent = next((e for e in range(8) if np.max(np.abs(np.round(bias / 2**e))) <= 4095), 7)
    parameters: dict[str, Any] = {
        "du": _whole(neuron.du, DECAY_UNITY, -1, -1),
        "dv": _whole(neuron.dv, DECAY_UNITY, 0, 0),
        "bias_mant": np.round(bias / 2**exponent).astype(np.int64),
        "bias_exp": exponent,
        "scale": scale,
        "period": neuron.period,
    }
    try:
        if isinstance(neuron, LI):
            return IntegerLI(neuron.shape, **parameters)
        threshold = np.round(scale * np.asarray(neuron.v_threshold)).astype(np.int64)
        parameters |= {"v_threshold": threshold, "winners": neuron.winners, "groups": neuron.groups}
        return IntegerLIF(neuron.shape, **parameters)
    except DlmError as error:
        raise DlmError(f"population '{name}': {error}") from error


def _whole(share: Any, unity: int, offset: int, low: int) -> NDArray[np.int64]:
    return np.clip(np.round(np.asarray(share) * unity) + offset, low, unity - 1).astype(np.int64)


def _integer_projection(network: Network, p: Projection, choice: _Choice, bits: int) -> IntegerProjection:
    mode = _sign_mode(p.connection.weight)
    low, high, grain = weight_grid(mode, bits)
    exact = p.connection.weight * _weight_scale(network, p, choice.scale, choice.exponents[id(p)])
    weight = np.clip(grain * np.round(exact / grain), low, high).astype(np.int64)
    connection = p.connection.with_weight(weight)
    return IntegerProjection(p.pre, p.post, connection, p.delay, choice.exponents[id(p)], bits, mode)


def _weight_scale(network: Network, p: Projection, scale: float, exponent: int) -> float:
    """Integer weight per float weight."""
    return scale * 2.0**-exponent / _event_scale(network, p)
