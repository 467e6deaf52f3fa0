"""Numbers and metrics as words and table rows; plain Python values in, text out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlm_snn.report.folder import ARITHMETICS

NOTHING = "—"
"""What a table shows where there is no value."""

_TITLES = {
    "accumulator": "Accumulator headroom",
    "bias_error": "Largest bias error",
    "clipped": "Weights clipped",
    "decay_error": "Decay error",
    "dv": "Decay dv",
    "du": "Decay du",
    "name": "Name",
    "num_weight_bits": "Weight bits",
    "saturations": "Saturations of v",
    "scale": "Scale",
    "sign_mode": "Sign",
    "v_threshold": "Threshold",
    "weight_exp": "Weight exponent",
    "wraps": "Wraps of u",
}


@dataclass(frozen=True)
class Table:
    """Column titles and rows of text."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Tile:
    """One figure of the header: the value, what it is, and whether it is good news (None: neither)."""

    value: str
    label: str
    good: bool | None = None


def number(value: Any) -> str:
    """A value with as many digits as tell something; text as it is."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return f"{int(value):,}"
        return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {number(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(number, value))
    return str(value)


def percent(share: Any) -> str:
    """A share as per cent, to a tenth."""
    return f"{share:.1%}".replace("%", "\u00a0%") if isinstance(share, (int, float)) else NOTHING


def title(key: str) -> str:
    """A metrics key as a column title in plain words."""
    return _TITLES.get(key) or (key[:1].upper() + key[1:].replace("_", " "))


def table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """A table whose columns are the union of the keys, in the order in which they come."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return Table([title(key) for key in keys], [[number(row.get(key)) for key in keys] for row in rows])


def labels(metrics: Mapping[str, Any]) -> dict[str, str]:
    """What the two forms of the network are called on the page."""
    bits = (metrics.get("loss_budget") or {}).get("bits")
    return {"float": "float", "integer": "integer" if bits is None else f"{bits}-bit"}


def agreeing(metrics: Mapping[str, Any]) -> tuple[int, int]:
    """How many simulator pairs agree, and how many were compared."""
    verdicts = [row.get("equal") for row in metrics.get("agreement") or []]
    return sum(v is True for v in verdicts), sum(v is not None for v in verdicts)


def _cost(metrics: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The form of the network whose activity the header tells: integer where it was measured."""
    activity = metrics.get("activity") or {}
    kind = "integer" if activity.get("integer") else "float"
    return kind, activity.get(kind) or {}


def sentence(metrics: Mapping[str, Any]) -> str:
    """The result in one sentence."""
    name, accuracy, dataset = labels(metrics), metrics.get("accuracy") or {}, metrics.get("dataset") or {}
    parts = []
    if "float" in accuracy:
        of = f" of {number(dataset['test'])} test samples" if "test" in dataset else ""
        on = f"on {dataset['name']}, " if "name" in dataset else ""
        parts.append(f"{on}the float network gets {percent(accuracy['float'])}{of} right")
    if "integer" in accuracy:
        parts.append(f"its {name['integer']} form {percent(accuracy['integer'])}")
    agree, compared = agreeing(metrics)
    if compared:
        share = f"all {agree}" if agree == compared else f"{agree} of {compared}"
        parts.append(f"{share} simulator pairs agree spike for spike")
    kind, cost = _cost(metrics)
    if cost:
        spikes, operations = number(cost.get("spikes")), number(cost.get("synaptic_operations"))
        parts.append(f"a sample costs {spikes} spikes and {operations} synaptic operations ({name[kind]})")
    text = "; ".join(parts) or "this run stored no figures"
    return text[0].upper() + text[1:] + "."


def tiles(metrics: Mapping[str, Any]) -> list[Tile]:
    """The figures of the header."""
    name, accuracy = labels(metrics), metrics.get("accuracy") or {}
    found = [Tile(percent(accuracy[k]), f"{name[k]} accuracy") for k in ARITHMETICS if k in accuracy]
    agree, compared = agreeing(metrics)
    if compared:
        found.append(Tile(f"{agree} of {compared}", "simulator pairs equal", agree == compared))
    kind, cost = _cost(metrics)
    if "spikes" in cost:
        found.append(Tile(number(cost["spikes"]), f"spikes per sample ({name[kind]})"))
    if "synaptic_operations" in cost:
        found.append(Tile(number(cost["synaptic_operations"]), f"synaptic operations per sample ({name[kind]})"))
    return found


def results(metrics: Mapping[str, Any]) -> Table | None:
    """Accuracy, silence and activity of each network and simulator that was measured."""
    accuracy, silent, activity = (metrics.get(key) or {} for key in ("accuracy", "silent", "activity"))
    names = list(dict.fromkeys([*accuracy, *silent, *activity]))
    populations = list(dict.fromkeys(p for cost in activity.values() for p in cost.get("rates", {})))
    columns = ["Run", "Accuracy", "Silent samples", "Spikes", "Synaptic operations"]
    rows = []
    for run in names:
        cost = activity.get(run) or {}
        rows.append(
            [
                labels(metrics).get(run, run),
                percent(accuracy.get(run)),
                number(silent.get(run)),
                number(cost.get("spikes")),
                number(cost.get("synaptic_operations")),
                *(number(cost.get("rates", {}).get(population)) for population in populations),
            ]
        )
    return Table([*columns, *(f"Rate of {p}" for p in populations)], rows) if rows else None
