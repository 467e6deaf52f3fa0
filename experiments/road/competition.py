"""How many neurons of a population are active in a step, on the test samples and on darker and brighter ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlm_snn.backends import run
from dlm_snn.networks.network import Input, IntegerNetwork, Network
from dlm_snn.provenance import origin_text
from dlm_snn.runs.metrics import accuracy, interval
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.tasks.parts import Split
from dlm_snn.values import slices
from experiments.harness.rows import OURS, Row, read_rows
from experiments.recipes.competition import VARIANTS
from experiments.road.evaluate import BATCH
from hardware.chips import chip
from hardware.placement import place
from hardware.subset import obstacles

RESULTS = OURS / "competition.jsonl"
CONTRASTS = {"half": 0.5, "double": 2.0}
PERCENTILE = 99
_HEADING = (
    *("variant", "seeds", "float %", "8 bit %", "against exact", "active a step", "99th percentile", "spikes"),
    *("active at contrast x 1/2", "active at x 2", "float % at x 1/2", "float % at x 2"),
    *("cores of hidden", "a chip takes it"),
)


@dataclass(frozen=True)
class Active:
    """Of a population, in the steps of all samples.

    Attributes:
        mean, percentile, most: of its active neurons in a step of a sample; the percentile is PERCENTILE.
        accuracy: of the network.
    """

    mean: float
    percentile: float
    most: int
    accuracy: float


def active_neurons(raster: SpikeRaster) -> NDArray[np.int64]:
    """How many neurons spike, (sample, step)."""
    places = raster.sample.astype(np.int64) * raster.n_steps + raster.step
    return np.bincount(places, minlength=raster.n_samples * raster.n_steps).reshape(raster.n_samples, raster.n_steps)


def active_of(network: Network | IntegerNetwork, data: Split, n_steps: int, population: str) -> Active:
    """Run all test samples in the simulator ``fast`` and count."""
    found, right = [], 0.0
    for part in slices(len(data.x_test), BATCH):
        recording = run(network, {"pixels": data.x_test[part]}, n_steps, backend="fast")
        found.append(active_neurons(recording.rasters[population]))
        right += accuracy(recording.rasters["output"], data.y_test[part]) * recording.n_samples
    counts = np.concatenate(found)
    return Active(
        float(counts.mean()), float(np.percentile(counts, PERCENTILE)), int(counts.max()), right / len(data.y_test)
    )


def at_contrast(network: Network, factor: float) -> Network:
    """The network as it sees samples of another contrast: what its Inputs cause, times the factor.

    Brighter pixels than there are would be cut off; weights that are larger by the same factor cut off nothing.
    """
    projections = [
        replace(p, connection=p.connection.with_weight(p.connection.weight * factor))
        if isinstance(network.populations[p.pre], Input)
        else p
        for p in network.projections
    ]
    return replace(network, projections=projections)


def competition(
    network: Network, integer: IntegerNetwork, data: Split, n_steps: int, population: str
) -> dict[str, float]:
    """The figures of a row: of the float network "active", of the integer one "integer_active", and more."""
    figures: dict[str, float] = {}
    forms: dict[str, Network | IntegerNetwork] = {"": network, "integer_": integer}
    for name, factor in CONTRASTS.items():
        forms[f"{name}_"] = at_contrast(network, factor)
    for prefix, form in forms.items():
        found = active_of(form, data, n_steps, population)
        figures[f"{prefix}active"] = round(found.mean, 3)
        figures[f"{prefix}active_99"] = found.percentile
        figures[f"{prefix}active_most"] = found.most
        if prefix.strip("_") in CONTRASTS:
            figures[f"{prefix}accuracy"] = found.accuracy
    layers = {layer.population: layer.cores for layer in place(integer, chip("loihi2")).layers}
    figures |= {"hidden_cores": layers[population], "cores": sum(layers.values()), "obstacles": len(obstacles(integer))}
    return figures


def activity_table(by_variant: Mapping[str, Sequence[Row]]) -> list[tuple[str, ...]]:
    """Of rows that tell it, by variant: means with 95 % intervals over the seeds; the first line is the heading."""
    told = {name: rows for name, rows in by_variant.items() if all("active" in row["figures"] for row in rows)}
    if not told:
        return []
    first = {row["seed"]: row["figures"]["integer"] for row in next(iter(told.values()))}
    return [_HEADING, *(_line(name, rows, {} if name == next(iter(told)) else first) for name, rows in told.items())]


def _line(name: str, rows: Sequence[Row], first: Mapping[int, float]) -> tuple[str, ...]:
    figures = [row["figures"] for row in rows]

    def mean(key: str, factor: float = 1.0, form: str = ".2f") -> str:
        return interval([factor * of[key] for of in figures], form)

    pairs = [100 * (row["figures"]["integer"] - first[row["seed"]]) for row in rows if row["seed"] in first]
    cells = (mean("float", 100), mean("integer", 100), interval(pairs, "+.2f") if len(pairs) > 1 else "-")
    counted = (mean("integer_active", form=".1f"), mean("integer_active_99", form=".1f"), mean("spikes", form=".0f"))
    contrasts = [mean(f"{of}_active", form=".1f") for of in CONTRASTS]
    answers = [mean(f"{of}_accuracy", 100) for of in CONTRASTS]
    cores = "/".join(dict.fromkeys(f"{of['hidden_cores']:.0f}" for of in figures))
    taken = "no" if any(of["obstacles"] for of in figures) else "yes"
    return (name, str(len(rows)), *cells, *counted, *contrasts, *answers, cores, taken)


def table(results: Path) -> str:
    """The rows of the experiment as a table of the documentation, and where they come from."""
    by_variant: dict[str, list[Row]] = {name: [] for name in VARIANTS}
    for row in read_rows(results):
        by_variant[row["variant"]].append(row)
    heading, *lines = activity_table({name: rows for name, rows in by_variant.items() if rows}) or [_HEADING]
    text = [f"| {' | '.join(heading)} |", f"|---{'|---:' * (len(heading) - 1)}|"]
    text += [f"| {' | '.join((f'`{name}`', *cells))} |" for name, *cells in lines]
    rows = [row for own in by_variant.values() for row in own]
    if rows:
        seeds = ", ".join(str(seed) for seed in sorted({row["seed"] for row in rows}))
        made = "; ".join(dict.fromkeys(map(origin_text, rows)))
        text += ["", f"`DLM_DATA=DIR dlm-snn experiment competition`: seeds {seeds}; {made}."]
    return "\n".join(text)
