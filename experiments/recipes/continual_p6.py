"""Split MNIST with the task of a test sample told (P6)."""

from __future__ import annotations

from experiments.harness.cells import Entry

TOLD = {"label_at_test": True}
CELLS = {
    **{name: Entry("P6", name) for name in ("packnet", "progressive")},
    **{name: Entry("P6", name, TOLD) for name in ("none", "ewc", "si")},
    "columns-2000": Entry("P6", "columns", {"form": "evidence", "neurons": 2000}),
}
"""Lines of the table; the others are compared with the first. The columns are not told the task."""
SEEDS = range(10)
