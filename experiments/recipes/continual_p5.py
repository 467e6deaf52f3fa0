"""Split CIFAR-10 (from JPEG images), class-incremental, once, without boundaries or pre-training (P5)."""

from __future__ import annotations

from experiments.harness.cells import Entry

LEARNERS = ("readout-first", "readout", "readout-joint", "ridge", "slda", "none", "kept")
CELLS = {
    **{name: Entry("P5", name) for name in LEARNERS},
    **{f"columns-{n}": Entry("P5", "columns", {"form": "evidence", "neurons": n}) for n in (5000, 2000)},
}
"""Lines of the table; the others are compared with the first."""
SEEDS = range(10)
