"""Numbers and metrics as words and table rows; plain Python values in, text out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlm_snn.networks.known import ARITHMETICS
from dlm_snn.runs.metrics import silence, silent_populations, wilson_95
from dlm_snn.runs.run_metrics import Activity, DatasetSize, LossPart, Number, RunMetrics

NOTHING = "—"
"""What a table shows where there is no value."""

_TITLES = {
    "bias_error": "Bias error, of the threshold",
    "clip_loss": "Largest part of a weight clipped away",
    "clipped": "Weights clipped",
    "bias": "Bias, integer",
    "bias_lost": "Neurons whose bias became 0",
    "bias_off": "Neurons whose bias is off by more than 5 % of itself",
    "du": "du, integer",
    "du_error": "Error of du, of itself",
    "du_lost": "Neurons whose du became -1",
    "dv": "dv, integer",
    "dv_error": "Error of dv, of itself",
    "dv_lost": "Neurons whose dv became 0",
    "equal": "Places (sample, step, neuron) that are equal",
    "floor_loss": "Lost to the floor of the sum, of the threshold",
    "lost": "Spikes per sample, only in float",
    "odd": "Weights that the target alone would floor",
    "populations": "Population",
    "projections": "Projection",
    "rescaled": "Weights shrunk for headroom, to",
    "rounding_rms": "Rounding error (root mean square), of the weights' own",
    "saturations": "Saturations of v",
    "scale": "Integer per float unit",
    "sign_mode": "Sign of the weights",
    "spikes_float": "Spikes per sample, float",
    "spikes_integer": "Spikes per sample, integer",
    "threshold_error": "Threshold error",
    "u_bound": "Largest |u| that any input could cause, of 24 bits",
    "u_peak": "Largest |u| measured, of 24 bits",
    "v_error": "Error of v (root mean square), of its range",
    "v_peak": "Largest |v| measured, of 24 bits",
    "v_range": "Range of v, float units",
    "v_threshold": "Threshold, integer",
    "weight_exp": "Weight exponent",
    "won": "Spikes per sample, only in integer",
    "wraps": "Wraps of u",
    "zeroed": "Nonzero weights that became 0",
}
_SHARES = (
    *("bias_error", "clip_loss", "du_error", "dv_error", "equal", "floor_loss", "odd", "rescaled", "rounding_rms"),
    *("threshold_error", "u_bound", "u_peak", "v_error", "v_peak", "zeroed"),
)
"""Quantities of the loss budget that are shown as percent."""


@dataclass(frozen=True)
class Table:
    """Column titles and rows of text."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Tile:
    """One figure of the header.

    Attributes:
        value, label: the figure, and what it is.
        form: of the network that it was measured on.
        good: whether it is good news; None: neither.
    """

    value: str
    label: str
    form: str = ""
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
        return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else _significant(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {number(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(number, value))
    return str(value)


def _significant(value: float) -> str:
    """Four digits, or more where four would turn nearly all into all."""
    text = f"{value:.4g}"
    return f"{value:.8g}" if text in ("1", "100") else text


def three_digits(value: float) -> str:
    """A measured value, without a power of ten where 1,000 is as short."""
    return number(float(f"{value:.3g}"))


def percent(share: Any) -> str:
    """A share as percent, to a tenth."""
    return f"{share:.1%}".replace("%", "\u00a0%") if isinstance(share, (int, float)) else NOTHING


def hertz(per_step: Number, seconds: float) -> str:
    """A rate in spikes per step as one in Hz."""
    return NOTHING if per_step is None or math.isnan(per_step) else three_digits(per_step / seconds)


def between(metrics: RunMetrics, run: str) -> str:
    """The 95 % interval of an accuracy on the samples that it was measured on; empty where it is not known."""
    share, samples = ((of or {}).get(run) for of in (metrics.accuracy, metrics.accuracy_samples))
    if share is None or not samples or not 0 <= share <= 1:
        return ""
    low, high = wilson_95(share, int(samples))
    return f"{100 * low:.1f} to {percent(high)}"


def quantity(key: str, value: Any) -> str:
    """A value of the loss budget."""
    if key in _SHARES and isinstance(value, (int, float)) and not isinstance(value, bool):
        text = f"{value * 100:.3g}"
        return (number(value * 100.0) if text == "100" else text) + "\u00a0%"
    return number(value)


def title(key: str) -> str:
    """A metrics key as a column title in plain words."""
    return _TITLES.get(key) or (key[:1].upper() + key[1:].replace("_", " "))


def table(parts: Sequence[LossPart], heading: str) -> Table:
    """One column a part, under its name, and one row a quantity: the union of their keys, in the order they come in.

    A network has few parts and a part has many quantities: upright, the table fits a page and a phone.
    """
    keys = list(dict.fromkeys(key for part in parts for key in part.extra))
    columns = [title(heading), *(number(part.name) for part in parts)]
    return Table(columns, [[title(key), *(quantity(key, part.extra.get(key)) for part in parts)] for key in keys])


def labels(metrics: RunMetrics) -> dict[str, str]:
    """What the two forms of the network are called on the page."""
    bits = metrics.loss_budget and metrics.loss_budget.bits
    return {"float": "float", "integer": "integer" if bits is None else f"{bits}-bit"}


def agreeing(metrics: RunMetrics) -> tuple[int, int]:
    """How many simulator pairs agree, and how many were compared."""
    verdicts = [row.equal for row in metrics.agreement or ()]
    return sum(v is True for v in verdicts), sum(v is not None for v in verdicts)


def _cost(metrics: RunMetrics) -> tuple[str, Activity | None]:
    """The form of the network whose activity the header tells: integer where it was measured."""
    kind = "integer" if metrics.active("integer") else "float"
    return kind, metrics.active(kind)


def _silence(metrics: RunMetrics, kind: str) -> str:
    """What a network's accuracy must not be shown without; empty where there is nothing to say, or nothing is known."""
    rates = (metrics.active(kind) or Activity()).rates
    return silence(metrics.unanswered(kind), silent_populations(rates)).replace("%", "\u00a0%")


def sentence(metrics: RunMetrics) -> str:
    """The result in one sentence."""
    name, accuracy, dataset = labels(metrics), metrics.accuracy or {}, metrics.dataset or DatasetSize()
    parts = []
    if "float" in accuracy:
        of = "" if dataset.test is None else f" of {number(dataset.test)} test samples"
        on = "" if dataset.name is None else f"on {dataset.name}, "
        parts.append(f"{on}the float network gets {percent(accuracy['float'])}{of} right{_aside(metrics, 'float')}")
    if "integer" in accuracy:
        parts.append(f"its {name['integer']} form {percent(accuracy['integer'])}{_aside(metrics, 'integer')}")
    agree, compared = agreeing(metrics)
    if compared:
        share = f"all {agree}" if agree == compared else f"{agree} of {compared}"
        parts.append(f"{share} simulator pairs agree spike for spike")
    kind, cost = _cost(metrics)
    if cost:
        spikes, operations = number(cost.spikes), number(cost.synaptic_operations)
        parts.append(f"a sample costs {spikes} spikes and {operations} synaptic operations ({name[kind]})")
    text = "; ".join(parts) or "this run stored no figures"
    return text[0].upper() + text[1:] + "."


def _aside(metrics: RunMetrics, kind: str) -> str:
    quiet = _silence(metrics, kind)
    return f" ({quiet})" if quiet else ""


def tiles(metrics: RunMetrics) -> list[Tile]:
    """The figures of the header."""
    name, accuracy = labels(metrics), metrics.accuracy or {}
    found = []
    for kind in (kind for kind in ARITHMETICS if kind in accuracy):
        quiet = _silence(metrics, kind)
        interval = between(metrics, kind)
        label = "; ".join(filter(None, ("test accuracy", interval and f"95 % interval {interval}", quiet)))
        found.append(Tile(percent(accuracy[kind]), label, name[kind]))
    agree, compared = agreeing(metrics)
    if compared:
        found.append(Tile(f"{agree} of {compared}", "simulator pairs equal", good=agree == compared))
    kind, cost = _cost(metrics)
    if cost and cost.spikes is not None:
        found.append(Tile(number(cost.spikes), "spikes per sample", name[kind]))
    if cost and cost.synaptic_operations is not None:
        found.append(Tile(number(cost.synaptic_operations), "synaptic operations per sample", name[kind]))
    return found


def results(metrics: RunMetrics, seconds: Callable[[str], float]) -> Table | None:
    """Accuracy, silence and activity of each network and simulator that was measured.

    Args:
        seconds: of a step of a population, by which its rate is in Hz.
    """
    accuracy, silent, samples = metrics.accuracy or {}, metrics.silent or {}, metrics.accuracy_samples or {}
    activity = {run: cost or Activity() for run, cost in (metrics.activity or {}).items()}
    populations = list(dict.fromkeys(p for cost in activity.values() for p in cost.rates))
    columns = ["Run", "Accuracy", "95 % interval", "Samples", "Silent", "Spikes", "Synaptic operations"]
    rows = []
    for run in dict.fromkeys([*accuracy, *silent, *activity]):
        cost = activity.get(run, Activity())
        rows.append(
            [
                labels(metrics).get(run, run),
                percent(accuracy.get(run)),
                between(metrics, run) or NOTHING,
                number(samples.get(run)),
                number(silent.get(run)),
                number(cost.spikes),
                number(cost.synaptic_operations),
                *(hertz(cost.rates.get(population), seconds(population)) for population in populations),
            ]
        )
    return Table([*columns, *(f"Rate of {p}, Hz" for p in populations)], rows) if rows else None
