"""Runs the columns inside Lava, learning included: what ``ColumnLearner`` computes, bit for bit."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.learning.batches import checked_features
from dlm_snn.learning.columns.front_end import DECIDE, FrontEnd, front_end_parts
from dlm_snn.learning.columns.rule import ColumnRule, Columns
from dlm_snn.networks.network import Input, IntegerNetwork
from dlm_snn.values import as_integers
from lava_processes import job
from lava_processes.hosts import Progress

NO_TEACHER = -1


def run_columns(
    front_end: FrontEnd,
    rule: ColumnRule,
    columns: Columns,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    stepwise: bool = False,
    timeout: float = 120.0,
    progress: Progress | None = None,
    reuse: bool | None = None,
) -> NDArray[np.int64]:
    """Show samples to the columns in one run of Lava, one after another.

    Args:
        front_end, rule: the constants.
        columns: what has been learned; changed in place when the run is over.
        images: (sample, pixel) 0..scale.
        labels: (sample,), the class that the teacher opens and that learns; -1: no teacher, the sample is classified.
        stepwise: as a graph of processes, spike by spike, each sample in a period of its own; else a whole sample in
            every step of one Process, some hundred times as fast.
        timeout: seconds without progress after which Lava is stopped.
        progress: called with (steps done, steps in all).
        reuse: False has Lava start anew, and leave nothing for the next call; see hosts.

    Returns:
        (sample,): the class whose output neuron spiked first, the lower one of several; -1 where none did. In the
        fused form -1 too where there was a teacher.

    Raises:
        DlmError: arrays that do not fit together.
        LavaError: an error inside Lava, a killed process, or the time-out; nothing of it is left behind.
    """
    if front_end.is_camera:
        raise UnsupportedError("run_columns", "recordings", "use the learner columns")
    images = checked_features(images, front_end.n_inputs, front_end.scale)
    labels = as_integers(labels, "labels", NO_TEACHER, rule.n_columns - 1)
    if labels.shape != (len(images),) or not len(labels):
        raise DlmError(
            f"labels of shape {labels.shape} for {len(images)} images; give one each, and at least one image"
        )
    write = partial(_write_job, front_end, rule, columns, images, labels, stepwise)
    with job.done(write, timeout, progress, reuse) as (folder, given):
        columns.weight[:], columns.wins[:] = np.load(folder / "weight.npy"), np.load(folder / "wins.npy")
        rows = np.load(folder / "classes.npy")[given["first"] :]
        return _classes(rows, len(labels), given["period"])


def front_end_network(front_end: FrontEnd, period: int) -> IntegerNetwork:
    """The front end, at rest again every ``period`` steps."""
    populations, projections = front_end_parts(front_end)
    periodic = {
        name: part if isinstance(part, Input) else replace(part, period=period) for name, part in populations.items()
    }
    return IntegerNetwork(periodic, projections)


def columns_depth(front_end: FrontEnd) -> int:
    """Depth of the columns behind a front end: what lifts them and the holders arrive in one step."""
    return front_end_network(front_end, 1).depth["holders"] + 1


def _write_job(
    front_end: FrontEnd,
    rule: ColumnRule,
    columns: Columns,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    stepwise: bool,
    folder: Path,
) -> job.Job:
    """Put all where the child finds it; ``first`` is the row of the first sample's first output."""
    depth = columns_depth(front_end) if stepwise else 0
    period = front_end.last_level + rule.n_steps + depth + 2 if stepwise else 1
    # The teacher's spike, and the clock's to the columns, count in the step after they arrive.
    _write_source(folder, "pixels", images[:, None])
    teacher = np.zeros((len(labels), period, rule.n_columns), dtype=np.uint8)
    taught = np.flatnonzero(labels != NO_TEACHER)
    teacher[taught, depth - 1 if stepwise else 0, labels[taught]] = 1
    _write_source(folder, "teacher", teacher)
    if stepwise:
        clock = front_end.clock(period)
        _write_source(folder, "clock", np.broadcast_to(clock, (len(labels), *clock.shape)))
        lift = np.roll(clock[:, DECIDE], depth - 1)[:, None]
        _write_source(folder, "lift", np.broadcast_to(lift, (len(labels), *lift.shape)))
    np.save(folder / "weight.npy", columns.weight)
    np.save(folder / "wins.npy", columns.wins)
    first = depth + 1 if stepwise else 0
    length = len(labels) * period + first
    job.empty_array(folder / "classes.npy", np.uint8, (length, rule.n_columns))
    told = {"target": "columns", "stepwise": stepwise, "front": asdict(front_end), "rule": asdict(rule)}
    return told | {"samples": len(labels), "first": first, "period": period, "length": length}


def _write_source(folder: Path, name: str, values: NDArray) -> None:
    job.put_stimulus(folder, name, values.astype(np.int32))


def _classes(rows: NDArray[np.uint8], samples: int, period: int) -> NDArray[np.int64]:
    """The class of the first spike of each sample; -1 without one."""
    spikes = rows.reshape(samples, -1).astype(bool) if period == 1 else rows.reshape(samples, period, -1).astype(bool)
    flat = spikes.reshape(samples, -1)
    return np.where(flat.any(axis=1), flat.argmax(axis=1) % rows.shape[1], NO_TEACHER)
