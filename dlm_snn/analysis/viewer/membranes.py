"""Membrane voltages for a page: relative to the threshold, so that floats and integers share an axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.viewer.packing import deflated
from dlm_snn.errors import DlmError
from dlm_snn.networks.network import IntegerNetwork
from dlm_snn.neurons.integer_lif import ALIGNMENT
from dlm_snn.neurons.models import spikes
from dlm_snn.runs.recording import Recording
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
    """

    v: NDArray[np.float64]
    threshold: bool = True

    def __post_init__(self) -> None:
        v = as_floats(self.v, "v")
        if v.ndim != 3:
            raise DlmError(f"v has shape {v.shape}; give (sample, step, neuron)")
        object.__setattr__(self, "v", v)

    def part(self, samples: slice, steps: slice, neurons: slice) -> Membrane:
        """Of some samples, steps and neurons."""
        return Membrane(self.v[samples, steps, neurons], self.threshold)


def membranes_of(recording: Recording) -> dict[str, Membrane]:
    """v of a recording, by population; empty where v was not recorded."""
    unit = 1 << ALIGNMENT if isinstance(recording.network, IntegerNetwork) else 1
    found = {}
    for name, v in recording.v.items():
        neuron: Any = recording.network.populations[name]
        threshold = getattr(neuron, "v_threshold", None) if spikes(neuron) else None
        found[name] = _relative(v / unit, threshold)
    return found


def membranes_of_run(folder: Path, simulator: str) -> dict[str, Membrane]:
    """v that a run's folder keeps of a simulator, by population: of its first sample.

    Raises:
        DlmError: see ``read_run``.
    """
    traces = read_run(folder).traces
    own = [trace for trace in traces if trace.simulator == simulator]
    return {trace.population: _relative(trace.v[None], trace.v_threshold) for trace in own}


def _relative(v: NDArray, threshold: Any) -> Membrane:
    if threshold is None or not np.all(np.asarray(threshold, float) > 0):
        return Membrane(np.asarray(v, float), threshold=False)
    return Membrane(v / np.asarray(threshold, float))


def membrane_json(membranes: Mapping[str, Membrane], counts: Mapping[str, NDArray]) -> list[dict[str, Any]]:
    """Membranes as text.

    Args:
        membranes: population -> v.
        counts: population -> spikes of each neuron, (neuron,); the most active ones are kept where not all fit.

    Returns:
        For each population its name, ``samples`` and ``steps``, the ``neurons`` in it, most active first, whether v is
        in units of the ``threshold``, the ``unit`` of the values, and these as 16-bit integers (neuron, sample, step),
        lower byte first, deflated, base64.
    """
    return [{"population": name, **_packed(one, counts.get(name))} for name, one in membranes.items() if one.v.size]


def _packed(membrane: Membrane, counts: NDArray | None) -> dict[str, Any]:
    n_samples, n_steps, n_neurons = membrane.v.shape
    active = np.zeros(n_neurons) if counts is None or counts.size != n_neurons else counts
    room = max(1, VALUES // (n_samples * n_steps))
    chosen = np.argsort(-active, kind="stable")[:room]
    samples = max(1, min(n_samples, VALUES // n_steps))
    v = membrane.v[:samples, :, chosen].transpose(2, 0, 1)
    finite = np.isfinite(v)
    unit = float(np.abs(v, where=finite, out=np.zeros_like(v)).max()) / LARGEST or 1.0
    values = np.where(finite, np.rint(np.where(finite, v, 0) / unit), -32768).astype("<i2")
    return {
        "samples": samples,
        "steps": n_steps,
        "neurons": chosen.tolist(),
        "of": n_neurons,
        "threshold": membrane.threshold,
        "unit": unit,
        "values": deflated(values.tobytes()),
    }
