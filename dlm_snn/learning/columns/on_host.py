"""Columns with one stage in host arithmetic, all others in spikes and integers: what that stage costs in spikes.

All stages on the host, in floats: ``in_floats``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.compilation import compiled
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.learning.columns._front_end_compiled import (
    UNIT,
    code_of,
    edge_step,
    empty,
    forms,
    named,
    pool_counts,
    pool_step,
    rank_codes,
    ticks_of,
)
from dlm_snn.learning.columns.front_end import FrontEnd
from dlm_snn.learning.columns.in_floats import pooled_edges, respond
from dlm_snn.learning.columns.learner import ColumnLearner, Form, Samples, chosen_form
from dlm_snn.learning.columns.options import COLUMNS_HOST, OF_STAGE
from dlm_snn.learning.columns.rule import ColumnRule
from dlm_snn.learning.learner import Setting
from dlm_snn.learning.making import typed_options
from dlm_snn.networks.network import IntegerNetwork
from dlm_snn.runs.raster import SpikeRaster

NAME = "columns-host"


def make_columns_on_host(setting: Setting, rng: np.random.Generator, **options: Any) -> HostColumnLearner:
    """The learner ``columns-host``: the ramp form of ``columns``, one stage of it on the host.

    "rate": in every step an edge gets sum k p / pixel_threshold, p the pixels themselves, instead of spikes.
    "edges": at the first step a pool gets, from every place, the largest response r = sum k n to the spikes n of its
    pixels, where r >= the edges' threshold, and sums that up to ``latency``: no k-winners-take-all, no inhibition.
    "code": x = round(L sqrt(c) / |sqrt(c)|), c the spikes that the pools counted and L = sqrt(2^shift / gain), in place
    of the ranks that a counter of spikes closes.
    "winner": the largest v = w . x, and y = v, in place of a ramp and the first spike.

    Args:
        setting: images of one channel.
        rng: not used; nothing here is drawn.
        options: ``stage``, one of these; ``neurons`` of all columns together; ``novelty``, a step of the ramp, of which
            "winner" takes the v that it stands for; and of "rate" ``pixel_threshold``, of "edges" ``latency``, of
            "code" ``gain``.

    Raises:
        DlmError: other images, no stage, an unknown option or one of another stage, or a value that does not fit.
    """
    if len(setting.shape) != 3 or setting.shape[0] != 1:
        raise DlmError(f"{NAME} takes images of one channel; these samples have the shape {setting.shape}")
    stage = typed_options(NAME, {"stage": options.get("stage")}, COLUMNS_HOST)["stage"]
    options = typed_options(NAME, options, {**COLUMNS_HOST, **OF_STAGE[stage]})
    return HostColumnLearner(chosen_form(setting, {"form": "ramp", **_chosen(stage, setting), **options}), stage)


def _chosen(stage: str, setting: Setting) -> dict[str, Any]:
    """Constants that differ from those of the ramp form; chosen on held-out training images of MNIST, 0..255."""
    if stage == "rate":
        return {"pixel_threshold": max(1, round(144 * setting.scale / 255))}
    return {"edges": {"latency": 640}, "code": {"gain": 8}}.get(stage, {})


class HostColumnLearner(ColumnLearner):
    """The learner ``columns-host``; see ``make``.

    Attributes:
        stage: which one is on the host.
    """

    def __init__(self, form: Form, stage: str) -> None:
        super().__init__(replace(form, rule=largest(form.rule)) if stage == "winner" else form)
        self.stage = stage
        edges = self.declaration.front_end
        said: dict[str, dict[str, str]] = {
            "rate": {"front_end": f"host: pixels as numbers; {edges}"},
            "edges": {
                "front_end": f"host: the largest of {self.front_end.directions} edge directions of pixels' spikes"
            },
            "code": {"normalization": "host: unit length"},
            "winner": {"winner": "host: the largest v, ties by the lower index"},
        }
        self.declaration = replace(self.declaration, **said[stage])  # type: ignore[arg-type]
        if stage == "code":
            self.levels = 1

    def codes(self, x: Samples) -> tuple[NDArray[np.uint8], dict[str, int]]:
        """The codes of images (sample, code), and the spikes of the stages that spike.

        Raises:
            UnsupportedError: recordings.
        """
        if isinstance(x, SpikeRaster):
            raise UnsupportedError(NAME, "recordings", "use the learner columns")
        found = {"rate": rank_codes_of_numbers, "edges": rank_codes_of_largest, "winner": rank_codes}
        if self.stage != "code":
            return found[self.stage](self.front_end, x)
        counts, spikes = pool_counts(self.front_end, x)
        return of_length(counts, np.sqrt(2**self.rule.shift / self.rule.gain)), spikes

    def freeze(self) -> IntegerNetwork:
        """Refused: a stage is host arithmetic.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError(NAME, "a network of spikes", "use the learner columns")

    def info(self) -> Mapping[str, Any]:
        """Neurons, synapses, spikes of the stages that spike, ties."""
        return {key: value for key, value in super().info().items() if key != "steps"}


def largest(rule: ColumnRule) -> ColumnRule:
    """The rule by the largest v: a fresh neuron where no v would have crossed by the step of novelty."""
    return replace(rule, winner="largest", evidence=1, novelty=rule.threshold - rule.ramp * rule.novelty + 1)


def of_length(counts: NDArray[np.int32], length: float) -> NDArray[np.uint8]:
    """round(length sqrt(c) / |sqrt(c)|), at most 255; 0 where nothing is counted.

    Args:
        counts: (sample, pool), c.
        length: of each sample's code.
    """
    norm = np.sqrt(counts.sum(axis=1, keepdims=True))
    return np.minimum(np.rint(length * np.sqrt(counts) / np.maximum(norm, 1)), 255).astype(np.uint8)


def pixel_spikes(front_end: FrontEnd, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How often each pixel spikes, floor(steps / ceil(threshold / pixel))."""
    every = -(-front_end.pixel_threshold // np.maximum(images, 1).astype(np.int64))
    return np.where(images > 0, front_end.pixel_steps // every, 0).astype(np.uint8)


def rank_codes_of_numbers(front_end: FrontEnd, images: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], dict[str, int]]:
    """Rank codes of edges that are driven by the pixels themselves; ``pixel_threshold`` stands for a spike."""
    kernels, pools, edges, code = forms(front_end)
    unit = UNIT * front_end.pixel_threshold
    inhibition = unit * front_end.inhibition, front_end.inhibition_delay
    edges = (False, edges[1], unit * front_end.edge_threshold - 1, inhibition, *edges[4:])
    counts, codes, spikes = empty(front_end, len(images))
    _codes_of_numbers(
        images, front_end.pixel_steps, kernels.astype(np.int64), pools, edges, code, counts, codes, spikes
    )
    return codes, named(spikes)


def rank_codes_of_largest(front_end: FrontEnd, images: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], dict[str, int]]:
    """Rank codes of pools that sum up, a step, the largest responses of the places of their window."""
    _, pools, _, code = forms(front_end)
    _, codes, spikes = empty(front_end, len(images))
    seen = pixel_spikes(front_end, images)
    spikes[0] = seen.sum()
    pooled = pooled_edges(
        seen, front_end.shape, front_end.channels, front_end.edge_threshold - 1, pools, front_end.n_codes
    )
    _codes_of_counts(pooled.astype(np.int32), code, codes, spikes)
    return codes, named(spikes)


@compiled
def _codes_of_numbers(images, pixel_steps, kernels, pools, edges, code, counts, codes, spikes):  # type: ignore[no-untyped-def]
    rows, columns = edges[1]
    drive = np.zeros((rows * columns, kernels.shape[2]), np.int64)
    v = np.zeros_like(drive)
    before = np.zeros((2, rows * columns), np.int64)
    events = np.zeros(drive.size, np.int32)
    inputs = np.zeros(drive.size * pixel_steps, np.int32)
    begin = np.zeros(pixel_steps + 1, np.int64)
    for b in range(images.shape[0]):
        drive[:] = 0
        v[:] = 0
        before[:] = 0
        respond(images[b], rows, columns, kernels, drive)
        found = 0
        for t in range(pixel_steps):
            v += drive
            new = edge_step(v, kernels, rows, columns, inputs[:0], before, edges, events)
            inputs[found : found + new] = events[:new]
            found += new
            begin[t + 1] = found
        spikes[1] += found
        # The first of the constants says that inputs are edges already.
        code_of(inputs, begin, kernels, pools, edges, code, counts[b], codes[b], spikes)


@compiled
def _codes_of_counts(counts, form, codes, spikes):  # type: ignore[no-untyped-def]
    _, latency, flush, per_level, levels = form
    for b in range(counts.shape[0]):
        v = np.zeros(counts.shape[1], np.int32)
        at = np.full(counts.shape[1], -1, np.int32)
        for t in range(flush + levels):
            pool_step(counts[b], v, at, latency, t)
        ticks_of(at, flush + levels, flush, per_level, levels, codes[b], spikes)
