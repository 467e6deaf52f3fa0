"""Membrane voltages for a page: relative to the threshold, so that floats and integers share an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.viewer.packing import deflated
from dlm_snn.errors import DlmError
from dlm_snn.neurons.models import spikes
from dlm_snn.runs.recording import Recording, in_units_of_threshold
from dlm_snn.runs.run_folder import read_run
from dlm_snn.values import as_floats

VALUES = 2**20
"""Values of one population that a page holds; of more, the neurons that spike most."""
LARGEST = 32000
"""Of the 16-bit integers that stand for values; what is not finite is -32768."""


@dataclass(frozen=True)
class Membrane:
    """v of one population.

    Attributes:
        v: (sample, step, neuron), at the end of each step, after a zero reset, in units of the threshold; of the first
            samples, where it was recorded in some only.
        threshold: False where the neurons have none: v is then as it was recorded.
        before: v before the reset of each step, of the same shape: above 1 where the neuron spikes; None where it is
            not known.
    """

    v: NDArray[np.float64]
    threshold: bool = True
    before: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        v = as_floats(self.v, "v")
        if v.ndim != 3:
            raise DlmError(f"v has shape {v.shape}; give (sample, step, neuron)")
        object.__setattr__(self, "v", v)
        if self.before is None:
            return
        before = as_floats(self.before, "before")
        if before.shape != v.shape:
            raise DlmError(f"before has shape {before.shape}, v has {v.shape}; give v before the reset of each step")
        object.__setattr__(self, "before", before)

    def part(self, samples: slice, steps: slice, neurons: slice) -> Membrane:
        """Of some samples, steps and neurons."""
        before = None if self.before is None else self.before[samples, steps, neurons]
        return Membrane(self.v[samples, steps, neurons], self.threshold, before)


def membranes_of(recording: Recording) -> dict[str, Membrane]:
    """v of a recording, by population; empty where v was not recorded."""
    found = {}
    for name in recording.v:
        neuron: Any = recording.network.populations[name]
        threshold = getattr(neuron, "v_threshold", None) if spikes(neuron) else None
        # What v was before the reset may follow from the spikes.
        v, before = in_units_of_threshold(recording, name, name in recording.rasters)
        found[name] = _relative(v, threshold, before)
    return found


def membranes_of_run(folder: Path, simulator: str) -> dict[str, Membrane]:
    """v that a run's folder keeps of a simulator, by population: of its first sample.

    Raises:
        DlmError: see ``read_run``.
    """
    traces = read_run(folder).traces
    own = [trace for trace in traces if trace.simulator == simulator]
    return {
        trace.population: _relative(
            trace.v[None], trace.thresholds, None if trace.before is None else trace.before[None]
        )
        for trace in own
    }


def _relative(v: NDArray, threshold: Any, before: NDArray | None) -> Membrane:
    known = threshold is not None and bool(np.all(np.asarray(threshold, float) > 0))
    unit = np.asarray(threshold, float) if known else 1.0
    return Membrane(v / unit, known, None if before is None else before / unit)


def comparable(runs: Sequence[Mapping[str, Membrane]]) -> list[dict[str, Membrane]]:
    """The runs of one page: of each population v before the reset where all runs know it, else v at the end alone."""

    def known(name: str) -> bool:
        return all(run[name].before is not None for run in runs if name in run)

    return [{name: one if known(name) else replace(one, before=None) for name, one in run.items()} for run in runs]


def membrane_json(membranes: Mapping[str, Membrane], counts: Mapping[str, NDArray]) -> list[dict[str, Any]]:
    """Membranes as text.

    Args:
        membranes: population -> v.
        counts: population -> spikes of each neuron, (neuron,); the most active ones are kept where not all fit.

    Returns:
        For each population its name, ``samples`` and ``steps``, the ``neurons`` in it, most active first, whether v is
        in units of the ``threshold``, and that ``before`` the reset; the ``unit`` of the values, and these as 16-bit
        integers (neuron, sample, step), lower byte first, deflated, base64.
    """
    return [{"population": name, **_packed(one, counts.get(name))} for name, one in membranes.items() if one.v.size]


def _packed(membrane: Membrane, counts: NDArray | None) -> dict[str, Any]:
    n_samples, n_steps, n_neurons = membrane.v.shape
    active = np.zeros(n_neurons) if counts is None or counts.size != n_neurons else counts
    room = max(1, VALUES // (n_samples * n_steps))
    chosen = np.argsort(-active, kind="stable")[:room]
    samples = max(1, min(n_samples, VALUES // n_steps))
    shown = membrane.v if membrane.before is None else membrane.before
    unit, values = _rounded(shown[:samples, :, chosen].transpose(2, 0, 1))
    return {
        "samples": samples,
        "steps": n_steps,
        "neurons": chosen.tolist(),
        "of": n_neurons,
        "threshold": membrane.threshold,
        "before": membrane.before is not None,
        "unit": unit,
        "values": deflated(values.tobytes()),
    }


def _rounded(v: NDArray) -> tuple[float, NDArray[np.int16]]:
    """A unit, and v in it; rounding takes no value across 1, the threshold."""
    finite = np.isfinite(v)
    v = np.where(finite, v, 0)
    unit = float(np.abs(v).max()) / LARGEST or 1.0
    values = np.rint(v / unit)
    values += (v > 1) & (values * unit <= 1)
    values -= (v <= 1) & (values * unit > 1)
    return unit, np.where(finite, values, -32768).astype("<i2")
