"""What ``dlm-snn raster plot`` draws of a run or a recording beside its spikes: voltages, weights, answers."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from dlm_snn.errors import how_many
from dlm_snn.verbs.exchange_options import SIMULATOR
from dlm_snn.verbs.rasters.panel import Panel, answers_of, begin_of, first_of, labels_of

if TYPE_CHECKING:
    from dlm_snn.analysis.plots.membranes import Membranes
    from dlm_snn.runs.run_folder import RunFolder
    from dlm_snn.runs.run_traces import Trace
    from dlm_snn.verbs.rasters.selection import Selected

NEURONS = 8
"""Whose voltages are drawn, at most."""


def voltage_panels(part: Selected, arguments: Namespace) -> list[Panel]:
    """v of each population that has it, in the first selected sample.

    Raises:
        DlmError: no v is stored, or too many neurons are named.
    """
    from dlm_snn.analysis.plots.membranes import chosen
    from dlm_snn.analysis.plots.voltage_plot import voltages
    from dlm_snn.errors import DlmError

    sample = first_of(part, arguments)["first_sample"]
    panels = []
    for name, raster in part.rasters.items():
        runs = {run.name: _cut(run, part.start[name], raster.n_steps) for run in _stored(part, name, sample, arguments)}
        if not runs:
            continue
        neurons = None
        if arguments.neurons is not None:
            neurons = range(*arguments.neurons.indices(part.stored.rasters[name].n_neurons))
            if len(neurons) > NEURONS:
                raise DlmError(f"--neurons holds {len(neurons)} of '{name}'; --kind v draws {NEURONS} at most")
        picked = chosen(neurons, list(runs.values()))
        draw = partial(voltages, runs, neurons=picked, begin=begin_of(part, arguments))
        height = 1.0 + 0.8 * len(picked)
        panels.append(Panel(height, draw, f"{name}, sample {sample}"))
    if not panels:
        told = ", ".join(part.rasters)
        raise DlmError(f"{part.path} holds no v of {told}; give a run, or what 'dlm-snn simulate --record s,u,v' wrote")
    return panels


def _cut(run: Membranes, first: int, n_steps: int) -> Membranes:
    part = slice(first, first + n_steps)
    return replace(run, v=run.v[part], s=None if run.s is None else run.s[part])


def _stored(part: Selected, name: str, sample: int, arguments: Namespace) -> list[Membranes]:
    """The voltages of a population that lie in the recording or in the run."""
    from dlm_snn.analysis.plots.membranes import recorded
    from dlm_snn.neurons.models import spikes
    from dlm_snn.runs.run_folder import is_run, read_run

    recording = part.stored.recording
    if recording is not None:
        known = name in recording.v and spikes(recording.network.populations[name])
        return [recorded(recording, name, sample)] if known else []
    return _traced(read_run(part.path), part, name, sample, arguments.simulator) if is_run(part.path) else []


def _traced(run: RunFolder, part: Selected, name: str, sample: int, simulator: str | None) -> list[Membranes]:
    """Those of the simulator that was named; else of floats and of integers, one each.

    Raises:
        DlmError: another sample than the first, of which alone a run keeps v.
    """
    from dlm_snn.errors import DlmError
    from dlm_snn.runs.run_folder import stored_arithmetic

    traces = {t.simulator: t for t in run.traces if t.population == name and t.thresholds is not None}
    if sample and traces:
        raise DlmError(f"{part.path} keeps v of sample 0 alone; leave --trials out, or begin with 0")
    named = SIMULATOR if simulator is None else simulator
    chosen = [named] if named in traces else []
    if simulator is None:
        chosen += [other for other in traces if stored_arithmetic(other) == "integer"][:1]
    before = all(traces[one].before is not None for one in chosen)
    return [_membranes(run, traces[one], part.rasters[name].dt, before) for one in chosen]


def _membranes(run: RunFolder, trace: Trace, dt: float, before: bool) -> Membranes:
    from dlm_snn.analysis.plots.membranes import Membranes, relative

    v = trace.before if before and trace.before is not None else trace.v
    raster = run.rasters.get(trace.simulator, {}).get(trace.population)
    s = None if raster is None or not raster.n_samples else raster[0].dense()[0]
    return Membranes(trace.simulator, relative(v, trace.v_threshold), s, before, dt)


def weight_panels(part: Selected, arguments: Namespace) -> list[Panel]:
    """The weights of each projection into a selected population.

    Raises:
        DlmError: no network.
    """
    from dlm_snn.analysis.plots.weight_plot import weights
    from dlm_snn.errors import DlmError

    network = part.stored.network
    if network is None:
        raise DlmError(f"{part.path} holds no network, and so no weights; give a run or a recording")
    chosen = [one for one in network.projections if one.post in part.rasters]
    return [Panel(2.8, partial(weights, one), one.name) for one in chosen]


def confusion_panels(part: Selected, arguments: Namespace) -> list[Panel]:
    """Classes given against the labels: of a run those of its whole test set, unless a part is selected.

    Raises:
        DlmError: no labels, or labels that are no classes; a part of the neurons; no output population.
    """
    from dlm_snn.analysis.plots.answer_plot import confusion
    from dlm_snn.errors import DlmError
    from dlm_snn.runs.metrics import answering
    from dlm_snn.runs.run_folder import stored_arithmetic

    if arguments.neurons is not None:
        raise DlmError("--kind confusion needs all output neurons, one for each class; leave --neurons out")
    height = min(4.2, 0.8 * arguments.width + 0.5)
    answers = answers_of(part) if arguments.labels is None and arguments.trials is False else None
    given = stored_arithmetic(arguments.simulator or SIMULATOR)
    if answers is not None and given in answers.given:
        told = f"{given} network, {how_many(len(answers.labels), 'samples')}"
        return [Panel(height, partial(confusion, answers.given[given], answers.labels), told)]
    network = part.stored.network
    names = list(part.rasters) if network is None else [answering(network)]
    if len(names) != 1 or names[0] not in part.rasters:
        raise DlmError(f"{part.path}: --kind confusion needs the output population alone; give --population")
    raster = part.rasters[names[0]]
    return [
        Panel(height, partial(confusion, raster, labels_of(part, arguments)), how_many(raster.n_samples, "samples"))
    ]
