"""Permuted MNIST, ten tasks, once, without boundaries (P3)."""

from __future__ import annotations

from experiments.cells import Entry

BURSTS = {"directions": None, "burst": 100, "neurons": 10000}
CELLS = {
    "columns-bursts": Entry("P3", "columns-float", BURSTS),
    "columns-no-bursts": Entry("P3", "columns-float", {**BURSTS, "burst": 0}),
    **{name: Entry("P3", name) for name in ("none", "ewc", "si")},
}
"""Lines of the table; the others are compared with the first."""
SEEDS = range(10)
