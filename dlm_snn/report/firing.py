"""Statistics of a run's rasters on the page: the same figures as ``dlm-snn raster stats``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.finding import NOT_RESOLVED, Finding
from dlm_snn.analysis.statistics.first_order import spike_table
from dlm_snn.analysis.statistics.population import population_summary
from dlm_snn.analysis.statistics.sparsity import sparsity
from dlm_snn.networks.known import ARITHMETICS
from dlm_snn.report import choice
from dlm_snn.report.wording import NOTHING, Table, number
from dlm_snn.runs.metrics import confidence_95
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.run_folder import RunFolder


def table(run: RunFolder, labels: Mapping[str, str]) -> Table | None:
    """One column for each layer and form, one row for each figure; None where no raster is stored.

    A cell has lines: the value, its interval, and what chance gives.
    """
    columns: dict[str, dict[str, str]] = {}
    for population in (name for name in choice.order(run) if name not in choice.inputs(run)):
        for kind in ARITHMETICS:
            raster = choice.raster(run, kind, population)
            if raster is not None and raster.n_samples * raster.n_steps * raster.n_neurons:
                columns[f"{population}, {labels[kind]}"] = _column(raster)
    if not columns:
        return None
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    rows = [[name, *(column.get(name, NOTHING) for column in columns.values())] for name in names]
    return Table(["Mean over neurons", *columns], rows)


def step_ms(run: RunFolder) -> float:
    """Milliseconds that a step of the stored rasters is taken as."""
    every = [raster.dt for rasters in run.rasters.values() for raster in rasters.values()]
    return 1e3 * next(iter(every), SpikeRaster.dt)


def _column(raster: SpikeRaster) -> dict[str, str]:
    """The figures of one layer, as text by name."""
    findings = population_summary(spike_table(raster))
    found = {finding.name: _cell(finding) for finding in findings}
    rate = next((finding for finding in findings if finding.name == "rate" and finding.value is not None), None)
    per_step = {} if rate is None else {"rate per step": number(float((rate.value or 0.0) * raster.dt))}
    first, *rest = found.items()
    return {"neurons": number(raster.n_neurons), **dict([first]), **per_step, **dict(rest), **_sparsity(raster)}


def _sparsity(raster: SpikeRaster) -> dict[str, str]:
    """Sparseness over neurons and over samples, and the share of neurons that a sample makes fire."""
    of = sparsity(raster)
    found = {
        "population sparseness": of.population,
        "lifetime sparseness": of.lifetime,
        "neurons active in a sample": of.active,
    }
    return {name: _mean(values[np.isfinite(values)]) for name, values in found.items()}


def _mean(values: NDArray[np.float64]) -> str:
    """A mean with its 95 % interval (Student's t) below it; none where all are alike."""
    if len(values) < 2:
        return NOT_RESOLVED
    mean, half = confidence_95(values)
    return f"{mean:.3g}\n{mean - half:.3g} to {mean + half:.3g}" if half > 1e-12 else f"{mean:.3g}"


def _cell(finding: Finding) -> str:
    """A value with its unit; below it its 95 % interval, and what chance gives."""
    if finding.value is None:
        return NOT_RESOLVED
    lines = [f"{finding.value:.3g}" + (f" {finding.unit}" if finding.unit else "")]
    if finding.interval is not None:
        lines.append(f"{finding.interval[0]:.3g} to {finding.interval[1]:.3g}")
    lines += [f"by chance {of.value:.3g}" for of in finding.controls if of.name == "spikes by chance"]
    return "\n".join(lines)
