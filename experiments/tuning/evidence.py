"""How much evidence the columns' output neurons should wait for: accuracy on held-out training images of MNIST.

Split MNIST (P2) in orders that its table does not have; the columns learn once, and answer with every evidence.
``DLM_DATA=DIR python -m experiments.tuning.evidence`` runs what is missing and appends it to
``results/evidence.jsonl``.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from dlm_snn.continual.course import setting_of, taught
from dlm_snn.continual.figures import continual_figures
from dlm_snn.learning.columns import _compiled as compiled
from dlm_snn.learning.columns.learner import make_columns
from dlm_snn.provenance import origin, origin_text
from dlm_snn.tasks.parts import DataConfig, Split, hold_out, split
from dlm_snn.tasks.protocols import protocol
from dlm_snn.tasks.sequences import TaskSequence
from experiments.harness.rows import OURS, Row, read_rows, writing_rows
from experiments.tuning.command import command

RESULTS = OURS / "evidence.jsonl"
SIZES = (5000, 2000, 500)
EVIDENCE = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32)
SEEDS = (100, 101, 102)
HELD_OUT = 1 / 6
"""Share of the training images, stratified by class."""


def main() -> None:
    """Run what is missing and print the table."""
    with writing_rows(RESULTS) as file:
        for seed, neurons in product(SEEDS, SIZES):
            missing = [e for e in EVIDENCE if file.find(neurons=neurons, evidence=e, seed=seed) is None]
            if missing:
                rows = answered(split(DataConfig(dataset="mnist")), neurons, seed)
                for row in (row for row in rows if row["evidence"] in missing):
                    file.append(row)
    print(table(RESULTS))


def answered(parts: Split, neurons: int, seed: int) -> list[Row]:
    """One order of classes: a row for every evidence.

    Args:
        parts: the data; only their training part is used.
        neurons: of all columns.
        seed: of the tasks and of the held-out images.
    """
    tasks = TaskSequence(protocol("P2"), hold_out(parts, HELD_OUT, np.random.default_rng(seed)), seed)
    learner = make_columns(setting_of(tasks), np.random.default_rng(seed), neurons=neurons)
    rules = [replace(learner.rule, evidence=evidence) for evidence in EVIDENCE]
    matrices = np.full((len(rules), tasks.n_tasks, tasks.n_tasks), np.nan)
    tests = [(learner.codes(task.x_test)[0], task.y_test) for task in tasks]
    for now, _ in enumerate(taught(learner, tasks)):
        for (which, rule), (of, (codes, y)) in product(enumerate(rules), enumerate(tests[: now + 1])):
            answers, _ = compiled.predict(rule, learner.columns, codes, learner.levels)
            matrices[which, now, of] = np.mean(answers == y)
    return [_row(neurons, rule.evidence, seed, matrix) for rule, matrix in zip(rules, matrices, strict=True)]


def _row(neurons: int, evidence: int, seed: int, matrix: np.ndarray) -> Row:
    figures = continual_figures(matrix)
    return {
        "config": f"{neurons}, {evidence}, {seed}",
        "neurons": neurons,
        "evidence": evidence,
        "seed": seed,
        "held_out": round(HELD_OUT, 4),
        "acc": round(figures.acc, 6),
        "forgetting": round(figures.forgetting, 6),
        **origin(),
    }


def table(results: Path) -> str:
    """ACC and F by evidence and neurons, means over the seeds."""
    rows = read_rows(results)
    heading = ["evidence", *(f"{what}, {n:,} neurons" for n in SIZES for what in ("ACC %", "F"))]
    text = [f"| {' | '.join(heading)} |", f"|{'---|' * len(heading)}"]
    for evidence in EVIDENCE:
        cells = [str(evidence)]
        for neurons in SIZES:
            own = [row for row in rows if (row["neurons"], row["evidence"]) == (neurons, evidence)]
            cells += [f"{100 * np.mean([row['acc'] for row in own]):.2f}"] if own else ["-"]
            cells += [f"{np.mean([row['forgetting'] for row in own]):.4f}"] if own else ["-"]
        text.append(f"| {' | '.join(cells)} |")
    if rows:
        seeds = ", ".join(map(str, SEEDS))
        how = f"seeds {seeds}, a sixth of the training images held out"
        text += ["", f"`DLM_DATA=DIR python -m experiments.tuning.evidence`, {how}, {origin_text(rows[0])}."]
    return "\n".join(text)


if __name__ == "__main__":
    command(main)
