"""Split MNIST, class-incremental, once, without boundaries (P2): all learners and all baselines in one table."""

from __future__ import annotations

from experiments.harness.cells import Entry

SIZES = (5000, 2000, 500)
COLUMNS = {
    **{f"columns-{n}": Entry("P2", "columns", {"form": "evidence", "neurons": n}) for n in SIZES},
    **{f"columns-lava-{n}": Entry("P2", "columns-lava", {"form": "evidence", "neurons": n}) for n in SIZES},
    **{f"columns-first-{n}": Entry("P2", "columns", {"form": "ramp", "neurons": n}) for n in SIZES},
    **{f"columns-plain-{n}": Entry("P2", "columns", {"form": "plain", "evidence": 6, "neurons": n}) for n in SIZES[:2]},
    **{
        f"columns-{form}-{n}": Entry("P2", "columns", {"form": form, "neurons": n})
        for form in ("short16", "short8")
        for n in SIZES[:2]
    },
    "columns-short16-strict-5000": Entry("P2", "columns", {"form": "short16", "neurons": 5000, "novelty": 31278}),
    "columns-pixels-2000": Entry("P2", "columns", {"form": "pixels", "neurons": 2000}),
    "columns-raw-2000": Entry(
        "P2", "columns", {"form": "pixels", "neurons": 2000, "window": 1, "padding": 0, "active": 180}
    ),
    **{
        f"columns-kept-{n}": Entry("P2", "columns", {"form": "evidence", "neurons": n, "kept": True}) for n in SIZES[:2]
    },
    **{f"columns-float-{n}": Entry("P2", "columns-float", {"neurons": n}) for n in SIZES[:2]},
    **{
        f"columns-host-{stage}-{n}": Entry("P2", "columns-host", {"stage": stage, "neurons": n})
        for stage in ("rate", "edges", "code", "winner")
        for n in SIZES[:2]
    },
    "columns-float-8-5000": Entry("P2", "columns-float", {"neurons": 5000, "directions": 8}),
}
"""Columns of spikes, by number of neurons and form of the chain; inside Lava; and their controls: the first spike
answers, samples kept without learning, one stage on the host, and all of them, in floats. In short forms, and with a
stage on the host, the first spike answers. "pixels" sums the spikes of 3x3 pixels, "raw" of each alone; "strict"
recruits below a match of .955, as the ramp does, in place of .93."""
PRESENT = {"present": True}
BASELINES = {
    **{name: Entry("P2", name) for name in ("none", "ewc", "si", "lwf", "topk", "flymodel", "ridge", "slda")},
    **{f"{name}-present": Entry("P2", name, PRESENT) for name in ("none", "ewc", "si", "lwf")},
    **{name: Entry("P2", name) for name in ("generative", "replay", "dgr", "joint", "gradient")},
    "gradient-present": Entry("P2", "gradient", {**PRESENT, "winners": 50}),
    "kept-2000": Entry("P2", "kept", {"per_class": 200}),
    "kept-5000": Entry("P2", "kept", {"per_class": 500}),
}
"""Others' learners on the same data; replay and generated replay declare it, joint is a ceiling."""
READOUT = {
    **{name: Entry("P2", name) for name in ("readout", "readout-first", "readout-joint")},
    "readout-shifts": Entry("P2", "readout", {"shifts": 1}),
}
"""Patch features and exact moments: fixed features, a dictionary from the first samples, and, no continual learner, one
from all tasks; fixed features with every sample counted five times, the grid moved."""
CELLS = {**COLUMNS, **READOUT, **BASELINES}
"""Lines of the table; the others are compared with the first."""
SEEDS = range(10)
