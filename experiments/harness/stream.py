"""Learning from a stream: recordings of a camera come one by one, are answered, learned, and never seen again."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.files.own_files import OwnFile
from dlm_snn.learning.learner import Declaration, Setting
from dlm_snn.learning.making import learner_file, make_learner
from dlm_snn.provenance import origin
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.tasks.recordings import Recordings, nmnist_excerpt
from experiments.harness.progress import Show, progress
from experiments.harness.rows import Row, key_of, plain, writing_rows

RESULTS = "stream.jsonl"
EVERY = 100
"""Recordings between two looks at test accuracy and memory."""
ORDERS = ("random", "by class")
"""How recordings come: shuffled, or one class after another, in an order of the seed. Within a class the order is the
same in both, so that a difference is the classes' alone."""
DEFAULTS: dict[str, dict[str, Any]] = {"columns": {"form": "camera", "neurons": 1000}}
"""Options of learners that have a form for recordings."""
FOLDS = 5
"""Seeds 0 to 4 each hold another fifth out."""
WARM_UP = 5
"""First recordings that latency leaves out: code is compiled then."""


@dataclass(frozen=True)
class StreamCell:
    """One learner, one order, one seed.

    Attributes:
        learner, options: which.
        order: one of ORDERS.
        seed: of the order, and of the learner's own draws.
        own: the learner's file with its content, where it is no entry point.
    """

    learner: str
    options: Mapping[str, Any]
    order: str
    seed: int
    own: OwnFile | None = None

    @property
    def told(self) -> dict[str, Any]:
        """What a row has of it."""
        values: dict[str, Any] = asdict(replace(self, own=None))
        del values["own"]
        return values if self.own is None else {**values, "sha256": self.own.sha256}

    @property
    def key(self) -> str:
        """What decides the figures, hashed."""
        return key_of({"stream": "nmnist-excerpt", **self.told})


def run_stream(cell: StreamCell, recordings: Recordings, show: Show) -> Row:
    """Go through the stream once.

    Args:
        cell: which learner and order.
        recordings: a part of them, drawn by the seed, is held out for the looks at accuracy.
        show: told of every look.

    Returns:
        The row: "anytime" holds, every 100 recordings, how many were seen, the accuracy of the answers to the last 100
        before they were learned, test accuracy, neurons and memory; "latency_ms" is of reading, answering and learning.

    Raises:
        DlmError: a learner that wants boundaries, the task of a test sample or all samples at once.
    """
    rng = np.random.default_rng([cell.seed, 1])
    learner: Any = make_learner(cell.own or cell.learner, setting_of_recordings(recordings), rng, cell.options)
    _refuse_told(cell.learner, learner.declaration)
    train, test = held_out(recordings, cell.seed)
    labels = np.array(list(test.values()))
    asked = _samples(learner, recordings, list(test))
    answers: list[bool] = []
    latency: list[float] = []
    anytime: list[dict[str, Any]] = []
    stream = order_of(train, cell.order, cell.seed)
    for seen, number in enumerate(stream, start=1):
        label = np.array([train[number]])
        start = perf_counter()
        sample = _samples(learner, recordings, [number])
        answers.append(bool(learner.predict(sample)[0] == label[0]))
        learner.observe(sample, label)
        latency.append(1000 * (perf_counter() - start))
        if seen % EVERY == 0 or seen == len(stream):
            show(f"{cell.learner}, {cell.order}, seed {cell.seed}", seen, len(stream))
            anytime.append(_look(learner, seen, answers, asked, labels))
    figures = {
        "acc": anytime[-1]["test"],
        "before_learning": float(np.mean(answers)),
        "latency_ms": dict(zip(("p50", "p95"), np.percentile(latency[WARM_UP:], (50, 95)).round(2), strict=True)),
        "ridge": joint_ridge(learner, recordings, train, asked, labels) if hasattr(learner, "codes") else None,
        "anytime": anytime,
    }
    return _row(cell, learner, figures)


def _row(cell: StreamCell, learner: Any, figures: dict[str, Any]) -> Row:
    return plain(
        {
            "stream": "nmnist-excerpt",
            **cell.told,
            "config": cell.key,
            **origin(),
            "declaration": asdict(learner.declaration),
            "figures": figures,
            "info": learner.info(),
        }
    )


def _look(learner: Any, seen: int, answers: list[bool], asked: Any, labels: NDArray[np.int64]) -> dict[str, Any]:
    """What stands after so many recordings: accuracies, neurons, memory."""
    return {
        "seen": seen,
        "before_learning": float(np.mean(answers[-EVERY:])),
        "test": float(np.mean(learner.predict(asked) == labels)),
        "neurons": learner.info().get("neurons"),
        "memory_mib": round(resident_mib(), 1),
    }


def _refuse_told(name: str, declaration: Declaration) -> None:
    """A stream tells nobody where a task begins, nor the task of a test; and who sees all at once sees none."""
    wants = {
        "boundaries of tasks": declaration.boundary,
        "the task of a test sample": declaration.label_at_test,
        "all samples at once": declaration.joint,
    }
    for thing, wanted in wants.items():
        if wanted:
            raise DlmError(f"learner '{name}' wants {thing}, which a stream does not give; choose another learner")


def order_of(labels: Mapping[int, int], order: str, seed: int) -> list[int]:
    """The recordings of a stream in their order."""
    rng = np.random.default_rng([seed, 0])
    shuffled = [int(number) for number in rng.permutation(list(labels))]
    if order == "random":
        return shuffled
    rank = {int(label): place for place, label in enumerate(rng.permutation(sorted(set(labels.values()))))}
    return sorted(shuffled, key=lambda number: rank[labels[number]])


def held_out(recordings: Recordings, seed: int) -> tuple[dict[int, int], dict[int, int]]:
    """Recording -> class, to learn and to test with: a fifth of all, both lists together, is for the test.

    The excerpt's own hundred are too few to tell two points; five seeds test with as many as there are recordings.
    """
    labels = {number: label for part in recordings.parts.values() for number, label in part.items()}
    order = [int(n) for n in np.random.default_rng(0).permutation(sorted(labels))]
    test = set(order[seed % FOLDS :: FOLDS])
    return {n: labels[n] for n in order if n not in test}, {n: labels[n] for n in order if n in test}


def joint_ridge(
    learner: Any, recordings: Recordings, train: Mapping[int, int], asked: Any, labels: NDArray[np.int64]
) -> float:
    """Accuracy of ridge regression on the learner's codes of all training recordings at once."""
    codes = [learner.codes(_samples(learner, recordings, [number]))[0] for number in train]
    return ridge_accuracy(np.concatenate(codes), np.array(list(train.values())), learner.codes(asked)[0], labels)


def ridge_accuracy(
    codes: NDArray[np.uint8], labels: NDArray[np.int64], asked: NDArray[np.uint8], expected: NDArray[np.int64]
) -> float:
    """Accuracy on the codes (sample, code) asked of ridge regression on others, the penalty by leaving one out."""
    from sklearn.linear_model import RidgeClassifierCV

    ridge = RidgeClassifierCV(alphas=np.logspace(0, 6, 13)).fit(codes.astype(float), labels)
    return float(np.mean(ridge.predict(asked.astype(float)) == expected))


def resident_mib() -> float:
    """Memory of this process, where the system tells."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20 if statm.is_file() else float("nan")


def setting_of_recordings(recordings: Recordings) -> Setting:
    """Learners of images get a recording as counts of events, 0..255."""
    return Setting(recordings.shape, 8, 255, recordings.n_classes, recordings.n_classes)


def _samples(learner: Any, recordings: Recordings, numbers: list[int]) -> SpikeRaster | NDArray[np.uint8]:
    """Recordings as the learner takes them: a raster, or counts."""
    rasters = [recordings.raster(number) for number in numbers]
    if not getattr(learner, "takes_recordings", False):
        return np.stack([np.minimum(raster.counts()[0], 255).astype(np.uint8) for raster in rasters])
    n_steps = max(raster.n_steps for raster in rasters)
    return SpikeRaster.concatenate([replace(raster, n_steps=n_steps) for raster in rasters])


def stream_table(arguments: Namespace) -> int:
    """``dlm-snn learn --stream``: run what is missing, show all.

    Raises:
        DlmError: bad input.
    """
    cells = _cells(arguments)
    recordings = nmnist_excerpt(arguments.data_dir)
    path = arguments.results / RESULTS
    with progress() as show, writing_rows(path) as file:
        for cell in cells:
            if file.find(config=cell.key) is None:
                file.append(run_stream(cell, recordings, show))
        rows = [row for cell in cells if (row := file.find(config=cell.key)) is not None]
    _show(rows)
    print(f"rows: {path}")
    return 0


def _cells(arguments: Namespace) -> list[StreamCell]:
    from dlm_snn.config import parsed_override
    from dlm_snn.learning.making import checked_options

    for option in ("protocol", "jobs", "scheduler", "validation", "joint", "csv", "report", "replace"):
        if getattr(arguments, option):
            raise DlmError(f"--{option} does not go with --stream; leave it out")
    seeds = 1 if arguments.seeds is None else arguments.seeds
    if seeds < 1:
        raise DlmError(f"--seeds {seeds}: at least one")
    own = learner_file(arguments.learner)
    learner = own or arguments.learner
    given = dict(parsed_override(text) for text in arguments.set)
    options = checked_options(learner, {**DEFAULTS.get(str(learner), {}), **given})
    return [StreamCell(str(learner), options, order, seed, own) for order in ORDERS for seed in range(seeds)]


def _show(rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    from dlm_snn.runs.metrics import interval

    title = "N-MNIST excerpt, one by one: percent on test, before learning, of joint ridge on the same codes"
    shown = Table(title=title)
    for name in ("order", "seeds", "test", "before", "ridge", "ms, p50 / p95", "MiB, 100 / end"):
        shown.add_column(name, justify="left" if name == "order" else "right")
    for order in dict.fromkeys(row["order"] for row in rows):
        figures = [row["figures"] for row in rows if row["order"] == order]
        accuracies = [interval([100 * f[name] for f in figures]) for name in ("acc", "before_learning")]
        ridge = "-" if figures[0]["ridge"] is None else interval([100 * f["ridge"] for f in figures])
        latency = " / ".join(f"{np.median([f['latency_ms'][p] for f in figures]):.1f}" for p in ("p50", "p95"))
        memory = " / ".join(f"{np.median([f['anytime'][i]['memory_mib'] for f in figures]):.0f}" for i in (0, -1))
        shown.add_row(order, str(len(figures)), *accuracies, ridge, latency, memory)
    Console().print(shown)
    curve = Table("recordings seen", *(f"{row['order']}, {row['seed']}" for row in rows), title="test accuracy so far")
    for looks in zip(*(row["figures"]["anytime"] for row in rows), strict=True):
        curve.add_row(str(looks[0]["seen"]), *(f"{100 * look['test']:.1f}" for look in looks))
    Console().print(curve)
