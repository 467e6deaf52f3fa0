"""What each part of a network lost on its way to integers: the entries of the loss budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.conversion.loss_budget import LOUD, PopulationLoss, ProjectionLoss, QuantizationReport
from dlm_snn.networks.network import IntegerProjection, Projection
from dlm_snn.networks.signs import weight_grid
from dlm_snn.neurons.integer_lif import ALIGNMENT, DECAY_UNITY, STATE_LIMIT, IntegerLIF
from dlm_snn.neurons.li import LI, IntegerLI
from dlm_snn.neurons.lif import LIF
from dlm_snn.neurons.models import spikes
from dlm_snn.runs.metrics import accuracy, answering, unanswered
from dlm_snn.runs.recording import Recording
from dlm_snn.runs.stimulus import prepare
from dlm_snn.values import as_integers

HEADROOM = STATE_LIMIT >> ALIGNMENT
"""Largest |u| and |v| in units of weight * 2^weight_exp: 2^17."""


def projection_loss(before: Projection, after: IntegerProjection, scale: float) -> ProjectionLoss:
    """What clipping and rounding took from the weights; ``scale`` is integer weight per float weight."""
    low, high, grain = weight_grid(after.sign_mode, after.num_weight_bits)
    exact = before.connection.weight * scale
    rounded = after.connection.weight
    beyond = (exact > high + grain / 2) | (exact < low - grain / 2)
    lost = np.abs(exact - np.clip(exact, low, high))
    rms = np.sqrt(np.mean(exact**2))
    present = exact != 0
    return ProjectionLoss(
        name=before.name,
        sign_mode=after.sign_mode,
        weight_exp=after.weight_exp,
        scale=scale,
        clipped=int(beyond.sum()),
        clip_loss=float(np.max(lost[present] / np.abs(exact[present]), initial=0.0)),
        rounding_rms=float(np.sqrt(np.mean((rounded - exact) ** 2)) / rms) if rms else 0.0,
        odd=float(np.mean(np.round(exact) % grain != 0)),
        zeroed=float(np.mean(rounded[present] == 0)) if present.any() else 0.0,
        floor_loss=None,
    )


def population_loss(
    name: str, before: LIF | LI, after: IntegerLIF | IntegerLI, rescaled: float, bound: float
) -> PopulationLoss:
    """What rounding took from threshold, decays and bias; ``bound`` is the largest |u| that an input could cause."""
    spiking = spikes(before)
    bias = 64 * after.scale * np.asarray(before.bias)
    threshold = np.asarray(before.v_threshold) * after.scale if spiking else np.abs(bias) / 64
    largest = max(float(np.max(threshold)), 1e-300)
    du, dv = np.asarray(before.du, dtype=float), np.asarray(before.dv, dtype=float)
    found_du, found_dv = (np.asarray(after.du) + 1) / DECAY_UNITY, np.asarray(after.dv) / DECAY_UNITY
    found_bias = np.asarray(after.bias)
    return PopulationLoss(
        name=name,
        scale=after.scale,
        v_threshold=int(np.min(after.v_threshold)) if spiking else None,
        threshold_error=float(np.max(np.abs(after.v_threshold - threshold)) / largest) if spiking else None,
        du=int(np.min(after.du)),
        dv=int(np.min(after.dv)),
        du_error=float(np.max(_relative(found_du, du))),
        dv_error=float(np.max(_relative(found_dv, dv))),
        du_lost=_neurons(before.n, (du > 0) & (found_du == 0)),
        dv_lost=_neurons(before.n, (dv > 0) & (found_dv == 0)),
        bias=int(np.max(np.abs(found_bias))),
        bias_error=float(np.max(np.abs(found_bias - bias)) / (64 * largest)),
        bias_lost=_neurons(before.n, (bias != 0) & (found_bias == 0)),
        bias_off=_neurons(before.n, (found_bias != 0) & (_relative(found_bias, bias) > LOUD)),
        rescaled=rescaled,
        u_bound=bound / HEADROOM if np.isfinite(bound) else None,
    )


def _relative(found: NDArray, exact: NDArray) -> NDArray:
    """|found - exact| as a share of exact; 0 where both are 0."""
    gap = np.abs(found - exact)
    return np.divide(gap, np.abs(exact), out=np.where(gap == 0, 0.0, np.inf), where=exact != 0)


def _neurons(n: int, chosen: NDArray[np.bool_]) -> int:
    """How many of n neurons are meant by one value for all, or one each."""
    return int(np.count_nonzero(np.broadcast_to(chosen, (n,))))


def with_measurements(
    report: QuantizationReport, before: Recording, after: Recording, calibration: Mapping[str, Any]
) -> QuantizationReport:
    """The budget with what both networks did on the calibration samples."""
    n = before.n_samples
    populations = []
    for loss in report.populations:
        a, b = (r.rasters[loss.name].dense() for r in (before, after))
        populations.append(
            replace(
                loss,
                u_peak=float(np.abs(after.u[loss.name]).max(initial=0) / STATE_LIMIT),
                v_peak=float(np.abs(after.v[loss.name]).max(initial=0) / STATE_LIMIT),
                wraps=after.overflow[loss.name].wraps,
                saturations=after.overflow[loss.name].saturations,
                spikes_float=float(a.sum() / n),
                spikes_integer=float(b.sum() / n),
                lost=float((a & ~b).sum() / n),
                won=float((b & ~a).sum() / n),
                equal=float(np.mean(a == b)),
                **_of_v(before, after, loss.name),
            )
        )
    projections = tuple(
        replace(loss, floor_loss=_floor_loss(after, p, calibration))
        for loss, p in zip(report.projections, after.network.projections, strict=True)
    )
    return replace(report, populations=tuple(populations), projections=projections, samples=n)


def with_answers(
    report: QuantizationReport, before: Recording, after: Recording, labels: ArrayLike, kind: str | None = None
) -> QuantizationReport:
    """The budget with the accuracies of both networks on the calibration samples; ``kind``: see ``read_out``."""
    name = answering(after.network)
    known = as_integers(labels, "labels", 0, after.network.populations[name].n - 1)
    both = {"float": before, "integer": after}
    return replace(
        report,
        accuracy={of: accuracy(recording, known, kind) for of, recording in both.items()},
        unanswered={of: unanswered(recording, kind) for of, recording in both.items()},
    )


def _of_v(before: Recording, after: Recording, name: str) -> dict[str, Any]:
    """Range of v and its error, root mean square, as a share of that range, of a population that never spikes."""
    neuron: Any = after.network.populations[name]
    exact = before.v[name]
    if spikes(neuron) or not exact.size:
        return {}
    extent = float(np.ptp(exact))
    off = float(np.sqrt(np.mean((after.v[name] / (2**ALIGNMENT * neuron.scale) - exact) ** 2)))
    return {"v_range": extent, "v_error": off / extent if extent else 0.0}


def _floor_loss(after: Recording, p: Any, calibration: Mapping[str, Any]) -> float | None:
    """Mean share of the threshold, or of the largest |v| without one, that the floor of the sums takes in a step."""
    if p.weight_exp >= 0:
        return None
    post: Any = after.network.populations[p.post]
    if p.pre in after.network.inputs:
        values = prepare(after.network, calibration, after.n_steps)[0][p.pre].values
    else:
        values = after.rasters[p.pre].dense()
    taken = [(part.apply(values.reshape(-1, values.shape[-1])) % 2**-p.weight_exp).mean() for _, part in p.parts]
    whole = np.mean(post.v_threshold) if spikes(post) else np.abs(after.v[p.post]).max(initial=1) / 2**ALIGNMENT
    return float(sum(taken) * 2.0**p.weight_exp / whole)
