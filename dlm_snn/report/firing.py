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
from dlm_snn.report.wording import NOTHING, Table, number, three_digits
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


def _column(raster: SpikeRaster) -> dict[str, str]:
    """The figures of one layer, as text by name."""
    found = {finding.name: _cell(finding) for finding in population_summary(spike_table(raster))}
    return {"neurons": number(raster.n_neurons), **found, **_sparsity(raster)}


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
    spread = f"\n{three_digits(mean - half)} to {three_digits(mean + half)}" if half > 1e-12 else ""
    return three_digits(mean) + spread


def _cell(finding: Finding) -> str:
    """A value with its unit; below it its 95 % interval, and what chance gives."""
    if finding.value is None:
        return NOT_RESOLVED
    lines = [three_digits(finding.value) + (f" {finding.unit}" if finding.unit else "")]
    if finding.interval is not None:
        lines.append(" to ".join(map(three_digits, finding.interval)))
    lines += [f"by chance {three_digits(of.value)}" for of in finding.controls if of.name == "spikes by chance"]
    return "\n".join(lines)
