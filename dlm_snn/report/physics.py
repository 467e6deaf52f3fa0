"""The thermodynamics of a run on the page: what training gave off, layer by layer, and what the membranes did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dlm_snn.report import figures
from dlm_snn.report.panels import Panel
from dlm_snn.report.svg import inline
from dlm_snn.report.wording import NOTHING, Table
from dlm_snn.runs.run_metrics import Books, MembraneEnergy, Number, Numbers, RunMetrics

_FIELDS: tuple[tuple[Callable[[Books], Number], str, str], ...] = (
    (lambda of: of.energy, "Energy", "Loss of the batches, and kinetic energy of the weights; a mean over the epoch."),
    (
        lambda of: of.entropy_production,
        "Entropy production",
        "Heat over temperature, in nats per unit of time; undefined at T = 0. It is a rate, not dissipated joules.",
    ),
    (
        lambda of: of.information_current,
        "Information current",
        "How fast paired weights circulate around each other; 0 without a current.",
    ),
    (
        lambda of: of.dissipation,
        "Dissipation",
        "Heat that the weights give to their bath, in units of the loss per unit of time.",
    ),
    (
        lambda of: of.temperature,
        "Temperature",
        "Of the noise, as it was set. Weights keep to it on a smooth loss of one batch, overdamped or with the current "
        "as a drift or off. By default the current is a force: the weights are driven, and hotter.",
    ),
)
_WORKS: tuple[tuple[Callable[[Books], Numbers | Number], str], ...] = (
    (lambda of: of.heat, "Heat to the bath"),
    (lambda of: of.work_current, "Work by the current"),
    (lambda of: of.work_injection, "Work by injection"),
    (lambda of: of.work_switching, "Work by switching batches"),
    (lambda of: of.work_synaptic, "Work by synaptic dissipation"),
    (lambda of: of.surrogate_work, "Work of the surrogate"),
    (lambda of: of.energy_change, "Energy change within steps"),
)
_MEMBRANE: tuple[tuple[Callable[[MembraneEnergy], Number], str], ...] = (
    (lambda of: of.injected, "Brought in"),
    (lambda of: of.leak, "Leaked"),
    (lambda of: of.reset, "Thrown away at resets"),
    (lambda of: of.clip, "Lost to saturation"),
    (lambda of: of.stored, "Stored at the end"),
    (lambda of: of.residual, "Fails to close"),
)


def fields(metrics: RunMetrics) -> list[Panel]:
    """The five fields of the thermodynamic state by epoch; none where training kept no books."""
    epochs = metrics.books
    found = []
    for value_of, title, caption in _FIELDS:
        points = figures.points((epoch, value_of(books)) for epoch, books in epochs)
        if not points:
            continue
        alt = f"{title} by epoch over {len(epochs)} epochs, ending at {points[-1][1]:.3g}."
        figure = figures.curve({title.lower(): points}, title.lower())
        found.append(Panel(title, inline(figure, f"physics-{title.lower().replace(' ', '_')}", alt), caption))
    return found


def works(metrics: RunMetrics) -> Table | None:
    """Heat and works of the whole training, by layer where they have layers."""
    epochs = [books for _, books in metrics.books]
    if not epochs:
        return None
    layers = list(epochs[0].heat or ())
    lines = []
    for value_of, title in _WORKS:
        values: list[Any] = [value for books in epochs if (value := value_of(books)) is not None]
        if not values:
            continue
        by_layer = isinstance(values[0], Mapping)
        parts = [sum(value[layer] for value in values) for layer in layers] if by_layer else []
        cells = [_shown(part) for part in parts] if by_layer else [NOTHING] * len(layers)
        lines.append([title, *cells, _shown(sum(parts) if by_layer else sum(values))])
    return Table(["Over the whole training", *layers, "All layers"], lines)


def membranes(metrics: RunMetrics, labels: Mapping[str, str]) -> Table | None:
    """The membranes' ledger of a test batch, one column a population and arithmetic."""
    columns = [(kind, name, of) for kind, named in (metrics.membranes or {}).items() for name, of in named.items()]
    if not columns:
        return None
    lines = [[title, *(_shown(value_of(of)) for _, _, of in columns)] for value_of, title in _MEMBRANE]
    names = (f"{name}, {labels.get(kind, kind)}" for kind, name, _ in columns)
    return Table(["Energy of the membranes, per sample", *names], lines)


def _shown(value: float | None) -> str:
    if value is None:
        return NOTHING
    return "0" if value == 0 else f"{value:.4g}"


def closing(metrics: RunMetrics) -> Sequence[str]:
    """What the numbers mean, in a line each."""
    lines = []
    if metrics.books:
        lines.append(
            "The gradient of a spiking network is a surrogate's: what fails to close is the surrogate's work, a figure "
            "of its own and no error."
        )
    if metrics.membranes:
        lines.append("The integer ledger closes exactly; the float one within rounding.")
    return lines
