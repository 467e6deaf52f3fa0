"""The thermodynamics of a run on the page: what training gave off, layer by layer, and what the membranes did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlm_snn.report import figures
from dlm_snn.report.panels import Panel
from dlm_snn.report.svg import inline
from dlm_snn.report.wording import NOTHING, Table

_FIELDS = (
    ("energy", "Energy", "Loss of the batches, and kinetic energy of the weights; a mean over the epoch."),
    (
        "entropy_production",
        "Entropy production",
        "Heat over temperature, in nats per unit of time; undefined at T = 0. It is a rate, not dissipated joules.",
    ),
    (
        "information_current",
        "Information current",
        "How fast paired weights circulate around each other; 0 without a current.",
    ),
    ("dissipation", "Dissipation", "Heat that the weights give to their bath, in units of the loss per unit of time."),
    (
        "temperature",
        "Temperature",
        "Of the noise, as it was set. Weights keep to it on a smooth loss of one batch, overdamped or with the current "
        "as a drift or off. By default the current is a force: the weights are driven, and hotter.",
    ),
)
_WORKS = (
    ("heat", "Heat to the bath"),
    ("work_current", "Work by the current"),
    ("work_injection", "Work by injection"),
    ("work_switching", "Work by switching batches"),
    ("work_synaptic", "Work by synaptic dissipation"),
    ("surrogate_work", "Work of the surrogate"),
    ("energy_change", "Energy change within steps"),
)
_MEMBRANE = (
    ("injected", "Brought in"),
    ("leak", "Leaked"),
    ("reset", "Thrown away at resets"),
    ("clip", "Lost to saturation"),
    ("stored", "Stored at the end"),
    ("residual", "Fails to close"),
)


def _measured(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Epochs that kept books: epoch and its books in one row."""
    rows = metrics.get("curve") or []
    return [{"epoch": row["epoch"], **row["thermodynamics"]} for row in rows if row.get("thermodynamics")]


def fields(metrics: Mapping[str, Any]) -> list[Panel]:
    """The five fields of the thermodynamic state by epoch; none where training kept no books."""
    rows = _measured(metrics)
    found = []
    for key, title, caption in _FIELDS:
        if not any(row.get(key) is not None for row in rows):
            continue
        last = next(row[key] for row in reversed(rows) if row.get(key) is not None)
        alt = f"{title} by epoch over {len(rows)} epochs, ending at {last:.3g}."
        figure = figures.curve(rows, {key: title.lower()}, title.lower())
        found.append(Panel(title, inline(figure, f"physics-{key}", alt), caption))
    return found


def works(metrics: Mapping[str, Any]) -> Table | None:
    """Heat and works of the whole training, by layer where they have layers."""
    rows = _measured(metrics)
    if not rows:
        return None
    layers = list(rows[0]["heat"])
    lines = []
    for key, title in _WORKS:
        values = [row[key] for row in rows if row.get(key) is not None]
        if not values:
            continue
        by_layer = isinstance(values[0], Mapping)
        parts = [sum(value[layer] for value in values) for layer in layers] if by_layer else []
        cells = [_shown(part) for part in parts] if by_layer else [NOTHING] * len(layers)
        lines.append([title, *cells, _shown(sum(parts) if by_layer else sum(values))])
    return Table(["Over the whole training", *layers, "All layers"], lines)


def membranes(metrics: Mapping[str, Any], labels: Mapping[str, str]) -> Table | None:
    """The membranes' ledger of a test batch, one column a population and arithmetic."""
    found = metrics.get("membranes") or {}
    columns = [(kind, name) for kind in found for name in found[kind]]
    if not columns:
        return None
    lines = [[title, *(_shown(found[kind][name].get(key)) for kind, name in columns)] for key, title in _MEMBRANE]
    names = (f"{name}, {labels.get(kind, kind)}" for kind, name in columns)
    return Table(["Energy of the membranes, per sample", *names], lines)


def _shown(value: float | None) -> str:
    if value is None:
        return NOTHING
    return "0" if value == 0 else f"{value:.4g}"


def closing(metrics: Mapping[str, Any]) -> Sequence[str]:
    """What the numbers mean, in a line each."""
    lines = []
    if _measured(metrics):
        lines.append(
            "The gradient of a spiking network is a surrogate's: what fails to close is the surrogate's work, a figure "
            "of its own and no error."
        )
    if metrics.get("membranes"):
        lines.append("The integer ledger closes exactly; the float one within rounding.")
    return lines
