"""Rasters as Neo objects: a Block with a Segment a sample and a SpikeTrain a neuron."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from dlm_snn.errors import DlmError
from dlm_snn.exchange.grid import Moved, common_extent, gathered, optional, to_steps, to_times
from dlm_snn.names import check_names
from dlm_snn.raster import SpikeRaster

NOTE = "dlm_snn"
"""Annotation of the Block: the extents."""


def to_neo(rasters: Mapping[str, SpikeRaster], name: str = "dlm-snn") -> Any:
    """A neo.Block of rasters of one run; times in seconds from the sample's first step, annotated with population and
    neuron.

    Raises:
        DlmError: rasters of different extent.
        MissingError: neo is not installed.
    """
    neo = optional("neo")
    n_samples, n_steps, dt = common_extent(rasters, "a Neo block")
    extents = {population: raster.n_neurons for population, raster in rasters.items()}
    block = neo.Block(name=name)
    block.annotate(**{NOTE: {"n_samples": n_samples, "n_steps": n_steps, "dt": dt, "n_neurons": extents}})
    for sample in range(n_samples):
        segment = neo.Segment(name=f"sample {sample}", index=sample)
        for population, raster in rasters.items():
            part = raster[sample]
            order = np.argsort(part.neuron, kind="stable")
            times = to_times(part.step[order], dt)
            cuts = np.searchsorted(part.neuron[order], np.arange(part.n_neurons + 1, dtype=np.uint32))
            for neuron, (start, stop) in enumerate(pairwise(cuts)):
                segment.spiketrains.append(
                    neo.SpikeTrain(
                        times[start:stop], units="s", t_stop=n_steps * dt, population=population, neuron=neuron
                    )
                )
        block.segments.append(segment)
    return block


def from_neo(block: Any, dt: float | None = None) -> tuple[dict[str, SpikeRaster], Moved]:
    """Rasters from the spike trains of a neo.Block.

    Ours come back as they were. In others every Segment is a sample, and the n-th SpikeTrain of each is neuron n of the
    population ``units`` (or of the one that an annotation ``population`` names); times count from the train's t_start.

    Args:
        block: of Segments with spike trains.
        dt: seconds a step; needed for blocks of others.

    Raises:
        DlmError: a dt that is not that of a block of ours, a population that its annotation does not tell, times that
            are no times.
    """
    noted = block.annotations.get(NOTE)
    step_size = dt if noted is None else float(noted["dt"])
    if step_size is None:
        raise DlmError("the Neo block does not tell its steps; give dt, in seconds")
    if noted is not None and dt not in (None, step_size):
        raise DlmError(f"dt = {dt!r} of a Neo block that has steps of {step_size!r} s; leave dt out")
    trains: dict[str, list[tuple[int, int, Any]]] = {}
    if noted is not None:
        trains = {population: [] for population in noted["n_neurons"]}
    length = 0.0
    for sample, segment in enumerate(block.segments):
        numbers: dict[str, int] = {}
        for train in segment.spiketrains:
            population = str(train.annotations.get("population", "units"))
            if noted is not None and population not in trains:
                raise DlmError(f"population '{population}' of the Neo block is not in its annotation '{NOTE}'")
            number = numbers.get(population, 0)
            numbers[population] = number + 1
            neuron = int(train.annotations.get("neuron", number)) if noted is not None else number
            start = float(train.t_start.rescale("s"))
            times = np.asarray(train.rescale("s").magnitude, dtype=np.float64) - start
            length = max(length, float(train.t_stop.rescale("s")) - start)
            trains.setdefault(population, []).append((sample, neuron, times))
    check_names(trains)
    rasters, moved = {}, Moved()
    for population, own in trains.items():
        flat = np.concatenate([times for _, _, times in own]) if own else np.zeros(0)
        counts = [times.size for _, _, times in own]
        samples, neurons = (np.repeat([row[k] for row in own], counts).astype(np.int64) for k in (0, 1))
        step, off = to_steps(flat, step_size)
        if noted is not None:
            extent = noted["n_samples"], noted["n_steps"], noted["n_neurons"][population]
        else:
            # A time at the very end is rounded up to one step more.
            n_steps = max(int(np.ceil(length / step_size - 1e-6)), int(step.max(initial=-1)) + 1)
            extent = len(block.segments), n_steps, max((row[1] for row in own), default=-1) + 1
        raster, merged = gathered(samples, step, neurons, extent, step_size)
        rasters[population] = raster
        moved += off._replace(merged=merged)
    return rasters, moved
