"""A panel of ``dlm-snn raster plot``, and what the panels of a selection have in common."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from dlm_snn.runs.answers import Answers
    from dlm_snn.runs.raster import SpikeRaster
    from dlm_snn.verbs.rasters.selection import Selected


class Panel(NamedTuple):
    """One axes of the figure.

    Attributes:
        height: in inches.
        draw: draws into ``ax=``.
        title: what stands above it.
        in_trial: whether its x axis is the time in a trial, which such panels share.
        left_out: in words, what it does not draw of the selection.
    """

    height: float
    draw: Callable[..., Any]
    title: str = ""
    in_trial: bool = False
    left_out: str = ""


def begin_of(part: Selected, arguments: Namespace) -> float:
    """Seconds at which the first step lies: on the recording's clock, or since the beginning of a trial."""
    name = next(iter(part.rasters))
    cut = part.start[name] * part.rasters[name].dt
    return cut or (0.0 if arguments.trials else arguments.begin or 0.0)


def first_of(part: Selected, arguments: Namespace) -> dict[str, int]:
    """Numbers of the first sample and neuron of the part."""
    return {
        "first_sample": part.samples.indices(2**62)[0],
        "first_neuron": (arguments.neurons or slice(None)).indices(2**62)[0],
    }


def bin_of(arguments: Namespace) -> float | None:
    """Seconds of a bin, where one is given."""
    return None if arguments.bin is None else arguments.bin / 1e3


def labels_of(part: Selected, arguments: Namespace) -> list[Any]:
    """The label of each selected sample: of the run's test set, or a column of the file's table of trials.

    Raises:
        DlmError: the file has no labels, or no such column.
    """
    from dlm_snn.errors import DlmError, nearest

    raster = next(iter(part.stored.rasters.values()))
    answers = answers_of(part) if arguments.labels is None else None
    if answers is not None:
        # The simulators run the first samples of the test set.
        return list(answers.labels[: raster.n_samples][part.samples])
    trials = list(part.stored.trials)
    columns = list(dict.fromkeys(name for trial in trials for name in trial))
    if arguments.labels is None or not trials:
        remedy = (
            f"give --labels, a column of its trials: {', '.join(columns)}" if trials else "it has no table of trials"
        )
        raise DlmError(f"{part.path} does not tell the labels of its samples; {remedy}")
    if arguments.labels not in columns:
        raise DlmError(
            f"{part.path} has no column '{arguments.labels}' of trials; {nearest(arguments.labels, columns)}"
        )
    if len(trials) != raster.n_samples:
        raise DlmError(
            f"{part.path}: its trials ({len(trials)}) are no samples here; give --trials, alone or with a range"
        )
    return [trial.get(arguments.labels) for trial in trials[part.samples]]


def answers_of(part: Selected) -> Answers | None:
    """What the networks of a run answered on its test set; None of what is no run, or of a run of before."""
    from dlm_snn.runs.run_folder import is_run, read_run

    return read_run(part.path).answers if is_run(part.path) else None


class Few(NamedTuple):
    """The samples that panels of single spikes draw.

    Attributes:
        rasters: of the first samples, or the whole part.
        title: which they are; empty where all are drawn.
        left_out: the same, with how to draw others.
    """

    rasters: dict[str, SpikeRaster]
    title: str
    left_out: str


def few(part: Selected, arguments: Namespace, most: int) -> Few:
    """The first samples, where there are many and none were chosen by --trials: of more no spike is seen."""
    n = max(raster.n_samples for raster in part.rasters.values())
    if n <= most or isinstance(arguments.trials, slice):
        return Few(dict(part.rasters), "", "")
    told = f"the first {most} of {n:,} samples"
    rasters = {name: raster[:most] for name, raster in part.rasters.items()}
    return Few(rasters, told, f"spikes of {told} alone, --trials 0:{n} draws all")


def units_of(part: Selected, arguments: Namespace, name: str) -> list[Any] | None:
    """What the file calls each selected neuron, where that is not its number."""
    units, n = part.stored.unit_ids.get(name, ()), part.stored.rasters[name].n_neurons
    return list(units)[arguments.neurons or slice(None)] if len(units) == n else None


def title_of(part: Selected, name: str) -> str:
    """The population's name, where there are several."""
    return name if len(part.rasters) > 1 else ""
