"""Split MNIST, class-incremental, once, without boundaries (P2): all learners and all baselines in one table."""

from __future__ import annotations

from experiments.cells import Entry

SIZES = (5000, 2000, 500)
COLUMNS = {
    **{f"columns-{n}": Entry("P2", "columns", {"form": "ramp", "neurons": n}) for n in SIZES},
    **{f"columns-lava-{n}": Entry("P2", "columns-lava", {"form": "ramp", "neurons": n}) for n in SIZES},
    **{
        f"columns-{form}-{n}": Entry("P2", "columns", {"form": form, "neurons": n})
        for form in ("short16", "short8", "plain")
        for n in SIZES[:2]
    },
    "columns-pixels-2000": Entry("P2", "columns", {"form": "pixels", "neurons": 2000}),
    **{f"columns-kept-{n}": Entry("P2", "columns", {"form": "ramp", "neurons": n, "kept": True}) for n in SIZES[:2]},
    **{f"columns-float-{n}": Entry("P2", "columns-float", {"neurons": n}) for n in SIZES[:2]},
    "columns-float-8-5000": Entry("P2", "columns-float", {"neurons": 5000, "directions": 8}),
}
"""Columns of spikes, by number of neurons and form of the chain; inside Lava; and their controls: samples kept without
learning, and floats on the host."""
CELLS = {
    **COLUMNS,
    "kept-2000": Entry("P2", "kept", {"per_class": 200}),
    "kept-5000": Entry("P2", "kept", {"per_class": 500}),
}
"""Lines of the table; the others are compared with the first."""
SEEDS = range(10)
