"""The columns and their front end as graphs of Lava processes: step by step, and a sample a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dlm_snn.learning.columns.front_end import FrontEnd
from dlm_snn.learning.columns.learner import output_neurons
from dlm_snn.learning.columns.rule import ColumnRule
from dlm_snn.networks.network import Input, IntegerNetwork
from lava_processes.columns_run import columns_depth, front_end_network


def wired(folder: Path, job: Mapping[str, Any]) -> Any:
    """The graph of a job that ``columns_run`` wrote, and one of its processes."""
    front_end = FrontEnd(**{**job["front"], "shape": tuple(job["front"]["shape"])})
    rule = ColumnRule(**job["rule"])
    graph = _stepwise if job["stepwise"] else _at_once
    return graph(folder, job, front_end, rule)


def _stepwise(folder: Path, job: Mapping[str, Any], front_end: FrontEnd, rule: ColumnRule) -> Any:
    """Stock processes and k-WTA for the front end, PlasticColumns, and a stock neuron a class."""
    from lava_processes.columns.process import PlasticColumns
    from lava_processes.graph import build

    period, depth = job["period"], columns_depth(front_end)
    graph = build(front_end_network(front_end, period), "fixed")
    columns = PlasticColumns(rule=rule, **_state(folder), period=period, offset=depth + 1, name="columns")
    for name in ("pixels", "clock"):
        source = _source(folder, name, job, graph.in_ports[name][0].shape[0])
        source.s_out.connect(graph.in_ports[name])
    graph.out_ports["holders"].connect(columns.s_in)
    _source(folder, "teacher", job, rule.n_columns).s_out.connect(columns.s_teacher)
    lift = graph.out_ports["ramp"] if front_end.form == "ramp" else _source(folder, "lift", job, 1).s_out
    lift.connect(columns.s_lift)
    _read_out(folder, rule, columns, period, depth)
    return columns


def _read_out(folder: Path, rule: ColumnRule, columns: Any, period: int, depth: int) -> None:
    """The output neurons, one a class, a step behind the columns."""
    from lava_processes.graph import build
    from lava_processes.sink.process import SpikeSink

    output, projections = output_neurons(rule)
    network = IntegerNetwork({"columns": Input((rule.n,)), "output": replace(output, period=period)}, projections)
    graph = build(network, "fixed", begin=depth)
    sink = SpikeSink(path=str(folder / "classes.npy"), n=rule.n_columns, name="sink")
    columns.s_out.connect(graph.in_ports["columns"])
    graph.out_ports["output"].connect(sink.a_in)


def _at_once(folder: Path, job: Mapping[str, Any], front_end: FrontEnd, rule: ColumnRule) -> Any:
    """A sample in every step."""
    from lava_processes.column_samples.process import ColumnSamples
    from lava_processes.sink.process import SpikeSink

    process = ColumnSamples(front_end=front_end, rule=rule, **_state(folder), name="columns")
    _source(folder, "pixels", job, front_end.n_inputs).s_out.connect(process.s_in)
    _source(folder, "teacher", job, rule.n_columns).s_out.connect(process.s_teacher)
    sink = SpikeSink(path=str(folder / "classes.npy"), n=rule.n_columns, name="sink")
    process.s_out.connect(sink.a_in)
    return process


def _state(folder: Path) -> dict[str, str]:
    return {name: str(folder / f"{name}.npy") for name in ("weight", "wins")}


def _source(folder: Path, name: str, job: Mapping[str, Any], n: int) -> Any:
    from lava_processes.source.process import StimulusSource

    path = str(folder / f"stimulus-{name}.npy")
    steps = job["period"]
    return StimulusSource(path=path, n=n, n_steps=steps, period=steps, count=job["samples"], name=f"source {name}")
