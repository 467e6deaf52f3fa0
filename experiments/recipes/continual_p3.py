"""Permuted MNIST, ten tasks, once, without boundaries (P3)."""

from __future__ import annotations

from experiments.harness.cells import Entry

BURSTS = {"directions": None, "burst": 100, "neurons": 10000}
CELLS = {
    "columns-bursts": Entry("P3", "columns-float", BURSTS),
    "columns-no-bursts": Entry("P3", "columns-float", {**BURSTS, "burst": 0}),
    "none": Entry("P3", "none"),
    "ewc": Entry("P3", "ewc", {"optimiser": "sgd", "lr": 0.05, "strength": 100.0}),
    "si": Entry("P3", "si", {"optimiser": "sgd", "lr": 0.05, "strength": 10.0}),
}
"""Lines of the table; the others are compared with the first. EWC and SI as tuned for permuted images."""
SEEDS = range(10)
