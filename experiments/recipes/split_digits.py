"""scikit-learn's digits, two classes a task, once, without boundaries: the table that runs everywhere in seconds."""

from __future__ import annotations

from experiments.harness.cells import Entry

CELLS = {
    "columns-200": Entry("digits", "columns", {"neurons": 200}),
    "columns-lava-200": Entry("digits", "columns-lava", {"neurons": 200}),
    "columns-float-200": Entry("digits", "columns-float", {"neurons": 200}),
    "kept-20": Entry("digits", "kept", {"per_class": 20}),
    "kept-50": Entry("digits", "kept", {"per_class": 50}),
}
"""Lines of the table; the others are compared with the first."""
SEEDS = range(10)
