"""Split MNIST, class-incremental, once, without boundaries (P2): all learners and all baselines in one table."""

from __future__ import annotations

from experiments.cells import Entry

CELLS = {
    "kept-2000": Entry("P2", "kept", {"per_class": 200}),
    "kept-5000": Entry("P2", "kept", {"per_class": 500}),
}
"""Lines of the table; the others are compared with the first."""
SEEDS = range(10)
