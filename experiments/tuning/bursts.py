"""Whether columns notice new permutations: how often a column opened no neurons in a task, or opened some twice.

Columns on pixels, 10,000 neurons, ten permuted tasks, on MNIST's training images alone, in orders that the table of P3
does not have. ``DLM_DATA=DIR python -m experiments.tuning.bursts`` runs the settings that are missing and appends
them to ``results/bursts.jsonl``.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np

from dlm_snn.continual.course import setting_of, taught
from dlm_snn.learning.columns.in_floats import make_columns_in_floats
from dlm_snn.provenance import origin, origin_text
from dlm_snn.tasks.parts import DataConfig, split
from dlm_snn.tasks.protocols import protocol
from dlm_snn.tasks.sequences import TaskSequence
from experiments.harness.rows import OURS, Row, read_rows, writing_rows
from experiments.recipes.continual_p3 import BURSTS
from experiments.tuning.command import command

RESULTS = OURS / "bursts.jsonl"
SETTINGS = tuple({"surprise": s, "patience": p} for s, p in product((0.55, 0.6, 0.65), (3.0, 4.0)))
SEEDS = (100, 101)
SAMPLES = 24_000
"""Of each task."""


def main() -> None:
    """Run what is missing and print the table."""
    with writing_rows(RESULTS) as file:
        for seed, setting in product(SEEDS, SETTINGS):
            if file.find(**setting, seed=seed) is None:
                file.append(noticed(setting, seed))
    print(table(RESULTS))


def noticed(setting: dict[str, float], seed: int) -> Row:
    """One setting in one order of classes and permutations.

    Args:
        setting: surprise and patience of FloatColumns.
        seed: of the tasks.

    Returns:
        The row: of all columns in all tasks after the first, how many opened no neurons ("missed") and how many opened
        some more than once ("twice").
    """
    tasks = TaskSequence(protocol("P3"), split(DataConfig(dataset="mnist")), seed)
    learner = make_columns_in_floats(setting_of(tasks), np.random.default_rng(seed), **BURSTS, **setting)
    opened = np.array([learner.opened.copy() for _ in taught(learner, tasks, samples=SAMPLES)])
    later = np.diff(opened, axis=0) // learner.constants.burst
    return {
        "config": f"{setting['surprise']:g}, {setting['patience']:g}, {seed}",
        **setting,
        "seed": seed,
        "samples": SAMPLES,
        "expected": int(later.size),
        "missed": int(np.count_nonzero(later < 1)),
        "twice": int(np.count_nonzero(later > 1)),
        **origin(),
    }


def table(results: Path) -> str:
    """The settings that have rows, over their seeds."""
    rows = read_rows(results)
    text = ["| surprise | patience | new tasks of a column | missed | noticed twice |", "|---|---|---|---|---|"]
    for setting in SETTINGS:
        own = [row for row in rows if setting.items() <= row.items()]
        if own:
            sums = " | ".join(str(sum(row[key] for row in own)) for key in ("expected", "missed", "twice"))
            text.append(f"| {setting['surprise']} | {setting['patience']:g} | {sums} |")
    if rows:
        seeds = " and ".join(map(str, SEEDS))
        how = f"seeds {seeds}, {SAMPLES:,} samples a task"
        text += ["", f"`DLM_DATA=DIR python -m experiments.tuning.bursts`, {how}, {origin_text(rows[0])}."]
    return "\n".join(text)


if __name__ == "__main__":
    command(main)
