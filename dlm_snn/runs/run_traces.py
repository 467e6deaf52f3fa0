"""Membrane voltages in the folder of a run: of the first sample, at the end of each step and before its reset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.files.packed import read_npz
from dlm_snn.neurons.models import spikes
from dlm_snn.runs.recording import Recording, in_units_of_threshold


@dataclass(frozen=True)
class Trace:
    """The membrane voltage of one population in one simulator, for one sample.

    Attributes:
        simulator: see ``run_folder.stored_name``.
        v: (step, neuron), at the end of each step.
        v_threshold: one number, or (neuron,); None where it was not stored.
        before: (step, neuron), v before the reset of each step, which is held against the threshold; None where it was
            not stored: runs of before have v alone.
    """

    simulator: str
    population: str
    v: NDArray
    v_threshold: NDArray | None
    before: NDArray | None = None

    @property
    def thresholds(self) -> NDArray[np.float64] | None:
        """One threshold for each neuron; None where none is stored, or where v cannot be divided by it."""
        if self.v_threshold is None or self.v_threshold.size not in (1, self.v.shape[1]):
            return None
        of = np.broadcast_to(self.v_threshold.astype(float).ravel(), self.v.shape[1:])
        return of if np.all(np.isfinite(of) & (of > 0)) else None

    @property
    def relative(self) -> NDArray[np.float64] | None:
        """v over the threshold, (step, neuron), before the reset where that is stored; None without a threshold."""
        of = self.thresholds
        return None if of is None else np.asarray(self.v if self.before is None else self.before, dtype=float) / of


def stored_traces(states: Mapping[str, Recording]) -> dict[str, NDArray]:
    """The arrays of the file: v of the first sample, in units of the threshold's own.

    Args:
        states: ``stored_name`` of a simulator -> a recording with u and v.
    """
    arrays = {}
    for name, recording in states.items():
        for population in recording.v:
            neuron: Any = recording.network.populations[population]
            v, before = in_units_of_threshold(recording, population)
            arrays[f"{name}/{population}/v"] = v[0]
            if spikes(neuron):
                arrays[f"{name}/{population}/v_threshold"] = np.asarray(neuron.v_threshold, dtype=float)
            if before is not None:
                arrays[f"{name}/{population}/v_before_reset"] = before[0]
    return arrays


def read_traces(path: Path, remedy: str) -> tuple[Trace, ...]:
    """The traces of a run; none where there is no file.

    Args:
        path: of the file.
        remedy: the end of the message.

    Raises:
        DlmError: a truncated file, or one that holds something else.
    """
    if not path.exists():
        return ()
    arrays = read_npz(path, remedy=remedy, what="is not a complete npz file")
    places = [key.split("/") for key in sorted(arrays)]
    return tuple(
        _trace(place[0], place[1], arrays)
        for place in places
        if len(place) == 3 and place[2] == "v" and _is_trace(arrays["/".join(place)])
    )


def _trace(simulator: str, population: str, arrays: Mapping[str, NDArray]) -> Trace:
    v = arrays[f"{simulator}/{population}/v"]
    threshold, before = (arrays.get(f"{simulator}/{population}/{key}") for key in ("v_threshold", "v_before_reset"))
    if before is not None and (not _is_trace(before) or before.shape != v.shape):
        before = None
    return Trace(simulator, population, v, threshold, before)


def _is_trace(array: NDArray) -> bool:
    return array.ndim == 2 and array.dtype.kind in "iuf"
