"""How the baselines' options were chosen: at most six settings each, on held-out training data of one seed.

Every setting learns protocol P2 (P6 where the learner needs the label, P3 for permuted images), seed 0, in one pass
over MNIST's training images less 5,000, or the first of each task where ``samples`` says so, and is judged by its
average accuracy on these 5,000. The test images are never looked at.
``python -m experiments.tuning.search`` runs what is missing and appends it to ``results/tuning.jsonl``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlm_snn.continual.course import learn_tasks, setting_of
from dlm_snn.continual.figures import continual_figures
from dlm_snn.errors import DlmError, nearest
from dlm_snn.learning.making import make_learner
from dlm_snn.provenance import origin
from dlm_snn.tasks.parts import DataConfig, split
from dlm_snn.tasks.protocols import protocol
from dlm_snn.tasks.sequences import TaskSequence
from experiments.harness.continual import LEARNER
from experiments.harness.rows import OURS, writing_rows
from experiments.tuning.command import command

RESULTS = OURS / "tuning.jsonl"
HELD_OUT = 5000 / 60_000
SEED = 0

SGD = {"optimiser": "sgd"}
STEP = {**SGD, "lr": 0.05}
WTA = {"dv": 1.0, "v_threshold": 0.2}


@dataclass(frozen=True)
class Grid:
    """The settings of one row of the table.

    Attributes:
        learner: name of an entry point of the group dlm_snn.learners.
        settings: at most six.
        protocol: on which they are tried.
        samples: of each task that are shown; None: all.
    """

    learner: str
    settings: tuple[dict[str, Any], ...]
    protocol: str = "P2"
    samples: int | None = None


def _each(base: dict[str, Any], *changes: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return tuple({**base, **change} for change in changes)


PRESENT = {"present": True}
GRIDS: dict[str, Grid] = {
    "none": Grid(
        "none", (*_each({}, {"lr": 3e-4}, {"lr": 1e-3}, {"lr": 3e-3}), *_each(SGD, {"lr": 0.02}, {"lr": 0.1}))
    ),
    "none-present": Grid(
        "none",
        (
            *_each(PRESENT, {"lr": 1e-4}, {"lr": 3e-4}),
            *_each({**PRESENT, **SGD}, *({"lr": r} for r in (0.003, 0.01, 0.03, 0.1))),
        ),
    ),
    "ewc": Grid(
        "ewc",
        (
            *_each({}, *({"strength": s} for s in (1e5, 1e7, 1e9))),
            *_each({**SGD, "lr": 0.05}, *({"strength": s} for s in (1e3, 1e5, 1e7))),
        ),
    ),
    "ewc-present": Grid(
        "ewc",
        (
            *_each({**PRESENT, "lr": 3e-4}, *({"strength": s} for s in (1e5, 1e7))),
            *_each({**PRESENT, **SGD, "lr": 0.03}, *({"strength": s} for s in (1e1, 1e2, 1e3, 1e4))),
        ),
    ),
    "si": Grid(
        "si",
        (
            *_each({}, *({"strength": s} for s in (1e1, 1e3, 1e5))),
            *_each({**SGD, "lr": 0.05}, *({"strength": s} for s in (1e0, 1e2, 1e4))),
        ),
    ),
    "ewc-permuted": Grid("ewc", _each(STEP, *({"strength": s} for s in (1e1, 1e2, 3e2, 1e3, 3e3, 1e4))), "P3", 15_000),
    "si-permuted": Grid(
        "si", _each(STEP, *({"strength": s} for s in (0.1, 1.0, 3.0, 10.0, 30.0, 100.0))), "P3", 15_000
    ),
    "lwf": Grid("lwf", _each({}, *({"strength": s, "lr": r} for r in (3e-4, 1e-3) for s in (1.0, 4.0, 16.0)))),
    "si-present": Grid(
        "si",
        (
            *_each({**PRESENT, "lr": 3e-4}, *({"strength": s} for s in (1e1, 1e3, 1e5))),
            *_each({**PRESENT, **SGD, "lr": 0.01}, *({"strength": s} for s in (1e0, 1e2, 1e4))),
        ),
    ),
    "lwf-present": Grid(
        "lwf", _each(PRESENT, *({"strength": s, "lr": r} for r in (3e-4, 1e-3) for s in (0.3, 1.0, 4.0)))
    ),
    "topk": Grid(
        "topk",
        (
            *_each({"lr": 0.05}, *({"winners": k} for k in (10, 50))),
            {"winners": 10, "lr": 0.2},
            *_each({"constrained": True, "anneal": 10_000}, {"lr": 0.05}, {"lr": 0.2}, {"lr": 0.2, "winners": 10}),
        ),
    ),
    "ridge": Grid("ridge", _each({}, *({"penalty": p} for p in (1e-4, 1e-3, 1e-2, 3e-2, 1e-1, 1.0)))),
    "slda": Grid("slda", _each({}, *({"shrinkage": p} for p in (1e-4, 1e-3, 1e-2, 3e-2, 1e-1, 0.3)))),
    "replay": Grid("replay", _each({}, *({"lr": r, "replayed": n} for r in (1e-3, 3e-3) for n in (64, 128, 256)))),
    "joint": Grid("joint", _each({}, *({"lr": r, "batch": b} for r in (1e-3, 2e-3, 3e-3) for b in (16, 64)))),
    "packnet": Grid(
        "packnet", _each({}, *({"lr": r, "dense": d} for r in (1e-3, 3e-3) for d in (1000, 4000, 8000))), "P6"
    ),
    "progressive": Grid(
        "progressive", _each({}, *({"lr": r, "hidden": h} for r in (1e-3, 3e-3) for h in (32, 64, 128))), "P6"
    ),
    "dgr": Grid(
        "dgr",
        _each(
            {},
            *({"lr": r, "batch": b} for r in (1e-3, 2e-3) for b in (16, 32)),
            {"lr": 1e-3, "batch": 16, "latent": 10},
            {"lr": 5e-4, "batch": 16},
        ),
    ),
    "flymodel": Grid(
        "flymodel",
        _each({}, *({"rate": r} for r in (0.01, 0.02, 0.05)), *({"rate": r, "winners": 64} for r in (0.02, 0.05))),
    ),
    "generative": Grid(
        "generative",
        _each({"batch": 8}, *({"lr": r, "latent": n} for r in (1e-3, 2e-3, 4e-3) for n in (10, 20))),
        samples=3000,
    ),
    "gradient": Grid(
        "gradient",
        (
            *_each(WTA, *({"winners": k, "lr": r} for k in (5, 20) for r in (0.02, 0.1))),
            {"dv": 0.1, "winners": 20, "lr": 0.02},
            {**WTA, "winners": 20, "lr": 0.05, "dissipation": 1e-3},
        ),
        samples=3000,
    ),
    "gradient-present": Grid(
        "gradient",
        _each({**WTA, **PRESENT}, *({"winners": k, "lr": r} for k in (20, 50) for r in (0.005, 0.02, 0.05))),
        samples=3000,
    ),
    "gradient-ewc": Grid(
        "gradient",
        _each({**WTA, "winners": 20, "lr": 0.05}, *({"ewc": s} for s in (1e1, 1e2, 1e3, 1e4, 1e5))),
        samples=3000,
    ),
}


def tried(grid: Grid, options: dict[str, Any]) -> dict[str, float]:
    """The figures of one setting on held-out training images."""
    chosen = protocol(grid.protocol)
    tasks = TaskSequence(chosen, split(DataConfig(dataset=chosen.dataset, validation_share=HELD_OUT)), SEED)
    learner = make_learner(grid.learner, setting_of(tasks), np.random.default_rng([SEED, LEARNER]), options)
    course = learn_tasks(learner, tasks, name=grid.learner, at_once=False, samples=grid.samples)
    found = continual_figures(course.matrix)
    return {"ACC": found.acc, "F": found.forgetting, "LA": found.la, "seconds": sum(course.seconds.values())}


def tune(names: Iterable[str], results: Path = RESULTS) -> list[dict[str, Any]]:
    """Run what is missing of some grids, and append it row by row.

    Returns:
        All rows of the file.
    """
    with writing_rows(results) as file:
        for name in names:
            grid = GRIDS[name]
            for options in grid.settings:
                given = {"row": name, "learner": grid.learner, "protocol": grid.protocol, "samples": grid.samples}
                decides = {**given, "seed": SEED, "options": options}
                if file.find(**decides) is not None:
                    continue
                found = {k: round(value, 4) for k, value in tried(grid, options).items()}
                file.append({**decides, "validation": found, **origin()})
        return file.rows


def best(rows: Iterable[dict[str, Any]], name: str) -> dict[str, Any]:
    """The options with the highest validated average accuracy; equal: the first."""
    return max((row for row in rows if row["row"] == name), key=lambda row: row["validation"]["ACC"])["options"]


def main() -> None:
    """Run what is missing of the grids that are named, or of all, and print the best of each."""
    for name in sys.argv[1:] or GRIDS:
        if name not in GRIDS:
            raise DlmError(f"no grid '{name}'; {nearest(name, GRIDS)}")
        print(name, best(tune([name]), name))


if __name__ == "__main__":
    command(main)
