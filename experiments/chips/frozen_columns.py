"""The columns of the continual learner, frozen after P2, as populations of stock LIF alone: accuracy, cores, windows.

``DLM_DATA=DIR python -m experiments.chips.frozen_columns`` learns Split MNIST as the line ``columns-plain-2000`` of the
table of P2 does, freezes, and classifies all test images through the network; missing seeds are run and appended to
``results/frozen-columns.jsonl``. ``--save FOLDER`` writes the network of the first seed and the first test images for
``dlm-snn deploy`` instead.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.backends import run
from dlm_snn.continual.course import setting_of, taught
from dlm_snn.files.atomic import writing
from dlm_snn.files.kinds import check_kind
from dlm_snn.learning.columns.learner import ColumnLearner
from dlm_snn.learning.making import make_learner
from dlm_snn.networks import artifact
from dlm_snn.networks.network import IntegerNetwork
from dlm_snn.provenance import origin, origin_text
from dlm_snn.runs.metrics import read_out
from dlm_snn.tasks.parts import DataConfig, split
from dlm_snn.tasks.protocols import protocol
from dlm_snn.tasks.sequences import TaskSequence
from dlm_snn.values import slices
from experiments.harness.cells import Cell, cells
from experiments.harness.continual import LEARNER
from experiments.harness.rows import CONTINUAL_ROW, OURS, Row, RowFormat, read_rows, writing_rows
from experiments.recipes.continual_p2 import CELLS
from experiments.recipes.continual_p2 import SEEDS as P2_SEEDS
from experiments.tuning.command import command
from hardware.chips import chip
from hardware.placement import place
from hardware.stock import as_stock
from hardware.subset import doubts, obstacles
from hardware.windows import windows

RESULTS = OURS / "frozen-columns.jsonl"
LINE, BESIDE = "columns-plain-2000", "columns-2000"
"""Of the table of P2: what is frozen, and the same with k-winners-take-all in its front end."""
SEEDS = 3
BLOCK = 250
"""Images that run together."""
WINDOWS = 100
"""Images that follow one another on one clock, or are saved."""


class Frozen(NamedTuple):
    """What was learned.

    Attributes:
        learner: that went through all tasks.
        network: frozen, of stock parts.
        tasks: which.
        seconds: of learning.
    """

    learner: ColumnLearner
    network: IntegerNetwork
    tasks: TaskSequence
    seconds: float


def frozen(seed: int, data_dir: Path | None = None, samples: int | None = None) -> Frozen:
    """Learn the line of P2 with a seed, and freeze.

    Args:
        seed: of P2, as in its rows.
        data_dir: where MNIST lies; None: $DLM_DATA, then the cache.
        samples: of each task only the first so many; None: all.
    """
    entry = CELLS[LINE]
    data = split(DataConfig(dataset="mnist", data_dir=data_dir, split_seed=seed))
    tasks = TaskSequence(protocol(entry.protocol), data, seed)
    learner = make_learner(entry.learner, setting_of(tasks), np.random.default_rng([seed, LEARNER]), entry.options)
    if not isinstance(learner, ColumnLearner):
        raise TypeError(f"{entry.learner} is no ColumnLearner")
    begun = perf_counter()
    for _ in taught(learner, tasks, samples=samples):
        pass
    return Frozen(learner, as_stock(learner.freeze()), tasks, perf_counter() - begun)


def answers(found: Frozen, x: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The classes of images by the network alone: the output population's first spike; -1 where there is none."""
    parts = []
    for part in slices(len(x), BLOCK):
        stimulus = found.learner.stimulus(x[part])
        recording = run(found.network, stimulus, found.learner.n_steps, record={"output": "s"}, backend="fast")
        parts.append(read_out(recording.rasters["output"]))
    return np.concatenate(parts)


@dataclass(frozen=True)
class FrozenRow:
    """One seed.

    Attributes:
        config: what decides the row: the key of its cell in P2.
        seed: of P2.
        acc: ACC of the network after the last task, as in the rows of P2.
        accuracy, images: of all test images together, and how many there are.
        learner_acc: ACC of the learner's own ``predict``.
        differing_answers: images that network and learner answer otherwise.
        obstacles, doubts: of ``hardware.subset``.
        fits, cores, neurons, synapses: on a Loihi 2.
        n_steps, period, windows: of so many images one after another on one clock, in the simulator.
        silenced: Inputs that ``windows`` added.
        spikes, differing_spikes: of these images in all populations, and those that differ from each image alone.
        training_seconds, test_seconds: of learning, and of all answers.
        date, commit, machine: see ``provenance.origin``.
    """

    config: str
    seed: int
    acc: float
    accuracy: float
    images: int
    learner_acc: float
    differing_answers: int
    obstacles: list[str]
    doubts: list[str]
    fits: bool
    cores: int
    neurons: int
    synapses: int
    n_steps: int
    period: int
    windows: int
    silenced: list[str]
    spikes: int
    differing_spikes: int
    training_seconds: float
    test_seconds: float
    date: str
    commit: str | None
    machine: str


_KINDS = {"str": str, "int": int, "float": float, "bool": bool, "list[str]": [str], "str | None": (str, None)}


def _loaded(row: Row, where: str, remedy: str) -> FrozenRow:
    check_kind(row, {f.name: _KINDS[str(f.type)] for f in fields(FrozenRow)}, where, remedy=remedy)
    return FrozenRow(**{f.name: row[f.name] for f in fields(FrozenRow)})


ROWS = RowFormat(_loaded, asdict)


def row_of(cell: Cell, found: Frozen) -> FrozenRow:
    """Accuracy of the network beside the learner's own, what a chip says of it, and windows one after another.

    Args:
        cell: of P2.
        found: what it learned.
    """
    begun = perf_counter()
    pairs = [(answers(found, task.x_test), found.learner.predict(task.x_test)) for task in found.tasks]
    seconds = perf_counter() - begun
    truth = [task.y_test for task in found.tasks]
    by_network, by_learner = (np.concatenate(each) for each in zip(*pairs, strict=True))
    acc, learner_acc = (mean(float(np.mean(p[i] == y)) for p, y in zip(pairs, truth, strict=True)) for i in (0, 1))
    return FrozenRow(
        config=cell.key,
        seed=cell.seed,
        acc=round(acc, 6),
        accuracy=round(float(np.mean(by_network == np.concatenate(truth))), 6),
        images=len(by_network),
        learner_acc=round(learner_acc, 6),
        differing_answers=int(np.count_nonzero(by_network != by_learner)),
        training_seconds=round(found.seconds, 1),
        test_seconds=round(seconds, 1),
        **_on_a_chip(found.network),
        **_one_after_another(found),
        **origin(),
    )


def _on_a_chip(network: IntegerNetwork) -> dict[str, Any]:
    placed = place(network, chip("loihi2"))
    return {
        "obstacles": list(map(str, obstacles(network))),
        "doubts": list(doubts(network)),
        "fits": placed.fits,
        "cores": placed.cores,
        "neurons": sum(neuron.n for neuron in network.neurons.values()),
        "synapses": sum(int(p.connection.fan_in().sum()) for p in network.projections),
    }


def _one_after_another(found: Frozen) -> dict[str, Any]:
    """The first test images on one clock, in simulation, against each alone."""
    x = found.tasks.data.x_test[:WINDOWS]
    n_steps, stimulus = found.learner.n_steps, found.learner.stimulus(x)
    made = windows(found.network, n_steps)
    alone = run(found.network, stimulus, n_steps, backend="fast").rasters
    fed = {name: values.reshape(1, -1, values.shape[2]) for name, values in made.stimulus(stimulus).items()}
    together = run(made.network, fed, made.period * len(x), backend="fast").rasters
    differing = 0
    for name, raster in alone.items():
        expected = _events(raster.sample.astype(np.int64) * made.period + raster.step, raster.neuron)
        kept = together[name].step % made.period < n_steps
        differing += len(expected ^ _events(together[name].step[kept], together[name].neuron[kept]))
    return {
        "n_steps": n_steps,
        "period": made.period,
        "windows": len(x),
        "silenced": sorted(made.events),
        "spikes": sum(map(len, alone.values())),
        "differing_spikes": differing,
    }


def _events(step: NDArray, neuron: NDArray) -> set[tuple[int, int]]:
    return set(zip(step.tolist(), neuron.tolist(), strict=True))


def save(found: Frozen, folder: Path, samples: int = WINDOWS) -> str:
    """Write ``network.json``, ``network.safetensors`` and ``stimulus.npz``; returns the command that makes a bundle."""
    folder.mkdir(parents=True, exist_ok=True)
    artifact.save(found.network, folder / "network")
    x = found.tasks.data.x_test[:samples]
    stimulus = {name: np.asarray(values, np.uint8) for name, values in found.learner.stimulus(x).items()}
    with writing(folder / "stimulus.npz") as aside:
        np.savez_compressed(aside, **stimulus)
    return (
        f"dlm-snn deploy {folder / 'network.json'} --stimulus {folder / 'stimulus.npz'} "
        f"--steps {found.learner.n_steps} --samples {samples} --dry-run"
    )


def main(words: Sequence[str] | None = None) -> None:
    """Run what is missing and print the table; or save one network.

    Args:
        words: of the command line; None: those of this process.
    """
    given = _arguments(words)
    wanted = cells({LINE: CELLS[LINE]}, range(given.seeds))
    if given.save is not None:
        print(save(frozen(wanted[0].seed), given.save))
        return
    with writing_rows(RESULTS, ROWS) as file:
        for cell in wanted:
            if file.find(config=cell.key) is None:
                file.append(row_of(cell, frozen(cell.seed)))
    print(table(RESULTS))


def _arguments(words: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m experiments.chips.frozen_columns")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"0 to this less one (default: {SEEDS})")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="write the network of seed 0 for deploy, no row")
    return parser.parse_args(words)


def table(results: Path) -> str:
    """Seed by seed beside the committed rows of P2."""
    rows = read_rows(results, ROWS)
    table_rows = read_rows(OURS / "continual-P2.jsonl", CONTINUAL_ROW)
    committed = {row.config: row.figures.acc for row in table_rows if row.figures.acc is not None}
    beside = {(c.variant, c.seed): c.key for c in cells({n: CELLS[n] for n in (LINE, BESIDE)}, P2_SEEDS)}
    head = [
        "seed",
        *(f"ACC %, {who}" for who in ("network", "learner", f"`{LINE}`", f"`{BESIDE}`")),
        "all images %, network",
        "answers that differ",
        "cores",
        f"spikes that differ, {WINDOWS} windows",
    ]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    numbers = []
    for row in rows:
        others = [committed[beside[name, row.seed]] for name in (LINE, BESIDE)]
        numbers.append([row.acc, row.learner_acc, *others, row.accuracy])
        differing = f"{row.differing_spikes} of {row.spikes:,}"
        lines.append(_line(row.seed, numbers[-1], row.differing_answers, row.cores, differing))
    if rows:
        lines.append(_line("mean", list(map(mean, zip(*numbers, strict=True))), "", "", ""))
        how = "`DLM_DATA=DIR python -m experiments.chips.frozen_columns`"
        lines += ["", f"{how}, {origin_text(asdict(rows[0]))}."]
    return "\n".join(lines)


def _line(first: object, shares: list[float], *last: object) -> str:
    return f"| {' | '.join([str(first), *(f'{100 * share:.2f}' for share in shares), *map(str, last)])} |"


if __name__ == "__main__":
    command(main)
