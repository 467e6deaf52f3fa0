"""The integer network on a chip, on the page: cores, how full and how busy they are, what has to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlm_snn.report.mesh import mesh, order
from dlm_snn.report.panels import Panel
from dlm_snn.report.svg import inline
from dlm_snn.report.wording import Table
from dlm_snn.runs.run_metrics import OnChip, RunMetrics

MEMORY = "percent of a core's memory"
MESSAGES = "messages per sample that reach a core"


def cores(metrics: RunMetrics) -> list[Panel]:
    """How full the cores are, and how busy; none where the run has no placement."""
    of = metrics.on_chip or OnChip()
    told = (
        "In the order in which cores are filled, an orange mark before each population",
        "The same cores; a spike is a message to every core that has synapses of its neuron",
    )
    found: list[Panel] = []
    for title, values, label, most, caption in (
        ("How full the cores are", of.cores, MEMORY, 100.0, told[0]),
        ("How busy they are", of.messages, MESSAGES, None, told[1]),
    ):
        if values:
            figure = mesh(values, label, most)
            alt = f"{label}: {_ranges(values)}."
            found.append(Panel(title, inline(figure, f"chip-{len(found)}", alt), f"{caption}: {order(values)}."))
    return found


def _ranges(values: Mapping[str, Sequence[float]]) -> str:
    return ", ".join(f"{name} {min(found):.3g} to {max(found):.3g}" for name, found in values.items() if found)


def table(metrics: RunMetrics) -> Table | None:
    """The utilization table."""
    rows = (metrics.on_chip or OnChip()).table
    if not rows:
        return None
    return Table(list(rows[0]), [list(row.values()) for row in rows])
