"""Which Processes are known, and whether a run configuration selects Lava's own models for them."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from dlm_snn.errors import DlmError
from lava_processes.graph_in.walk import called, refuse

Role = Literal["cells", "synapses", "line", "source", "sink"]
Arithmetic = Literal["float", "integer"]

_FOUND: dict[type, list[Any]] = {}
"""Type of a Process -> its models, for which Lava executes the modules of a folder."""
_REMEDIES = {
    "LearningDense": "give Dense the weights that it has learned, or ends with",
    "LearningSparse": "give Sparse the weights that it has learned, or ends with",
    "LearningLIF": "use LIF, which does the same without learning",
    "TernaryLIF": "its spikes have two signs; use LIF",
}


@cache
def roles() -> dict[type, Role]:
    """Exact type of a Process -> what it does. A type derived from one of these is unknown."""
    from lava.proc.conv.process import Conv
    from lava.proc.dense.process import DelayDense, Dense
    from lava.proc.io import sink, source
    from lava.proc.lif.process import LIF, LIFRefractory, LIFReset
    from lava.proc.monitor.process import Monitor
    from lava.proc.sparse.process import DelaySparse, Sparse

    from lava_processes.convolution.process import Convolution
    from lava_processes.delay.process import Delay
    from lava_processes.kwta.process import KWTA
    from lava_processes.lif_subtract.process import LIFSubtract
    from lava_processes.probe.process import StateProbe
    from lava_processes.refractory_lif.process import RefractoryLIF
    from lava_processes.sink.process import SpikeSink

    found: dict[type, Role] = {source.RingBuffer: "source", Delay: "line"}
    found |= dict.fromkeys((LIF, LIFReset, LIFRefractory, KWTA, LIFSubtract, RefractoryLIF), "cells")
    found |= dict.fromkeys((Dense, DelayDense, Sparse, DelaySparse, Conv, Convolution), "synapses")
    found |= dict.fromkeys((sink.RingBuffer, sink.Read, Monitor, SpikeSink, StateProbe), "sink")
    return found


@cache
def _models() -> dict[type, Arithmetic]:
    """Lava's own models, and those of Processes that ``build`` uses -> what they compute in."""
    from lava.proc.conv import models as conv
    from lava.proc.dense import models as dense
    from lava.proc.io import source
    from lava.proc.lif import models as lif
    from lava.proc.sparse import models as sparse

    from lava_processes.delay.process import PyDelayFixed, PyDelayFloat
    from lava_processes.kwta.process import PyKWTAFixed, PyKWTAFloat
    from lava_processes.lif_subtract.process import PyLIFSubtractFloat
    from lava_processes.refractory_lif.process import PyRefractoryLIFFloat

    floats: tuple[type, ...] = (lif.PyLifModelFloat, lif.PyLifResetModelFloat, lif.PyLifRefractoryModelFloat)
    floats += (dense.PyDenseModelFloat, dense.PyDelayDenseModelFloat, conv.PyConvModelFloat)
    floats += (sparse.PySparseModelFloat, sparse.PyDelaySparseModelFloat, source.PySendModelFloat)
    floats += (PyDelayFloat, PyKWTAFloat, PyLIFSubtractFloat, PyRefractoryLIFFloat)
    integers: tuple[type, ...] = (lif.PyLifModelBitAcc, lif.PyLifResetModelBitAcc, conv.PyConvModelFixed)
    integers += (dense.PyDenseModelBitAcc, dense.PyDelayDenseModelBitAcc, source.PySendModelFixed)
    integers += (sparse.PySparseModelBitAcc, sparse.PyDelaySparseModelBitAcc)
    integers += (PyDelayFixed, PyKWTAFixed)
    return {**dict.fromkeys(floats, "float"), **dict.fromkeys(integers, "integer")}


def role_of(process: Any) -> Role:
    """What a Process does.

    Raises:
        UnsupportedError: a type that is not known, a Process that has been compiled.
    """
    if process.is_compiled or process.runtime is not None:
        thing = f"{called(process)}, which runs or has run: its state is not what the graph says"
        refuse(thing, "read the graph before its first run, or make it anew")
    role = roles().get(type(process))
    if role is None:
        stock = {kind.__name__ for kind in roles() if kind.__module__.startswith("lava.")}
        known = f"it knows {', '.join(sorted(stock))} of Lava by their exact type"
        refuse(called(process), _REMEDIES.get(type(process).__name__, known))
    return role


def arithmetic_of(processes: list[Any], run_cfg: Any) -> Arithmetic:
    """What the models that a run configuration selects compute in.

    Raises:
        DlmError: no run configuration.
        UnsupportedError: a model that is not Lava's own, or none; models of either arithmetic; a configuration for
            hardware.
    """
    from lava.magma.core.run_configs import AbstractLoihiHWRunCfg, RunConfig

    if not isinstance(run_cfg, RunConfig):
        raise DlmError(f"run_cfg = {run_cfg!r} is none of Lava; give Loihi2SimCfg(select_tag='floating_pt')")
    if isinstance(run_cfg, AbstractLoihiHWRunCfg):
        # Without Intel's own packages it selects models of the CPU, and says nothing.
        refuse(f"the {type(run_cfg).__name__}, which is for a chip", "give Loihi2SimCfg with the tag 'fixed_pt'")
    selected: dict[Arithmetic, Any] = {}
    for process in map(leaf, processes):
        model = _selected(process, run_cfg)
        if model not in _models() or model.implements_process is not type(process):
            thing = f"{called(process)} by the model {model.__name__}"
            refuse(thing, "have the run configuration select Lava's own (select_tag='floating_pt' or 'fixed_pt')")
        selected.setdefault(_models()[model], process)
    if len(selected) > 1:
        thing = f"floats in {called(selected['float'])} beside integers in {called(selected['integer'])}"
        refuse(thing, "run all Processes with models of one tag")
    return next(iter(selected))


def leaf(process: Any) -> Any:
    """Lava's Conv in a Convolution of ours; every other Process itself."""
    from lava.proc.conv.process import Conv

    inside = process.proc_params.get("conv")
    return process if inside is None else Conv(**inside, name=process.name)


def _selected(process: Any, run_cfg: Any) -> Any:
    """The ProcessModel that Lava's compiler would take."""
    from lava.magma.compiler.compiler_graphs import ProcGroupDiGraphs

    kind = type(process)
    if kind not in _FOUND:
        _FOUND[kind] = ProcGroupDiGraphs._find_proc_models(process)
    try:
        return ProcGroupDiGraphs._select_proc_models(process, _FOUND[kind], run_cfg)
    except (AssertionError, NotImplementedError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        return refuse(f"{called(process)} with this run configuration ({said.rstrip('.')})", "give another select_tag")
