"""Split MNIST, one class at a time (P4): nothing inside a task tells classes apart."""

from __future__ import annotations

from experiments.harness.cells import Entry

CELLS = {f"columns-{n}": Entry("P4", "columns", {"form": "evidence", "neurons": n}) for n in (5000, 2000)}
"""Lines of the table; the others are compared with the first."""
SEEDS = range(10)
