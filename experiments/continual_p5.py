"""Split CIFAR-10 (from JPEG images), class-incremental, once, without boundaries or pre-training (P5)."""

from __future__ import annotations

from experiments.cells import Entry

CELLS = {name: Entry("P5", name) for name in ("readout-first", "readout", "readout-joint", "ridge", "none", "kept")}
"""Lines of the table; the others are compared with the first."""
SEEDS = range(10)
