"""Membrane voltages in units of their threshold, of floats and of integers alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.neurons.models import spikes
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.recording import Recording, in_units_of_threshold
from dlm_snn.values import as_array, as_floats, check_each, is_whole

NEURONS, BUSY = 4, 0.5
"""Drawn where none are named, and the share of the steps above which a neuron shows little but its spikes."""


@dataclass(frozen=True)
class Membranes:
    """The voltages of a population in one sample of one run.

    Attributes:
        name: of the run, for a legend; empty where there is only one.
        v: (step, neuron), v / v_threshold.
        s: (step, neuron), its spikes; None where they are not known.
        before: v is that before the reset of each step; else that at the end of the step, 0 after a zero reset.
        dt: seconds per step.
    """

    name: str
    v: NDArray[np.float64]
    s: NDArray[np.bool_] | None
    before: bool
    dt: float

    @property
    def fired(self) -> NDArray[np.bool_]:
        """The spikes; where they are not known, those steps in which v passes the threshold."""
        return self.v > 1 if self.s is None else self.s


def recorded(
    recording: Recording, population: str | None, sample: int, name: str = "", whole: bool = True
) -> Membranes:
    """The voltages that a run recorded: before the reset, where u is recorded too.

    Args:
        recording, population, sample: what and where.
        name: of the run.
        whole: whether v before the reset is wanted, where it is known.

    Raises:
        DlmError: v was not recorded, the neurons never spike, a threshold of 0, or no such population or sample.
    """
    known = list(recording.v)
    if population is None and len(known) == 1:
        population = known[0]
    if population not in recording.network.neurons:
        told = "no population was named" if population is None else f"'{population}' is none of its populations"
        raise DlmError(f"v was recorded of {', '.join(known) or 'nothing'}, and {told}; give population=NAME")
    neuron: Any = recording.network.populations[population]
    if not spikes(neuron):
        raise DlmError(f"'{population}' never spikes, so that its v has no threshold to be seen relative to")
    if not 0 <= sample < recording.n_samples:
        raise DlmError(f"sample {sample} is none of the recording's 0..{recording.n_samples - 1}")
    end, before = in_units_of_threshold(recording, population, whole)
    v = (end if before is None else before)[sample]
    raster = recording.rasters.get(population)
    s = None if raster is None else raster[sample].dense()[0]
    dt = SpikeRaster.dt if raster is None else raster.dt
    return Membranes(name, relative(v, neuron.v_threshold), s, before is not None, dt)


def given(v: Any, v_threshold: Any, fired: Any, dt: float | None) -> Membranes:
    """Voltages from an array (step,) or (step, neuron), with the threshold of each neuron.

    Raises:
        DlmError: another shape; no threshold; spikes of another shape.
    """
    values = as_floats(v, "v")
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2:
        raise DlmError(f"v has shape {values.shape}; give (step, neuron) of one sample")
    if v_threshold is None:
        raise DlmError("v of an array has no threshold; give v_threshold")
    s = None if fired is None else _spikes(fired, values.shape)
    return Membranes("", relative(values, v_threshold), s, False, SpikeRaster.dt if dt is None else dt)


def _spikes(fired: Any, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    spikes_ = as_array(fired, "spikes")
    if spikes_.size != shape[0] * shape[1] or spikes_.shape[:1] != shape[:1]:
        raise DlmError(f"spikes have shape {spikes_.shape}, v has {shape}; give 0 or 1 for each step and neuron")
    check_each(spikes_, "spikes", (spikes_ == 0) | (spikes_ == 1), "0 or 1")
    return spikes_.reshape(shape).astype(bool)


def relative(v: NDArray, v_threshold: Any) -> NDArray[np.float64]:
    """v / v_threshold, (step, neuron).

    Raises:
        DlmError: a threshold that is not above 0, or not one for all neurons or for each.
    """
    level = as_floats(v_threshold, "v_threshold").ravel()
    if level.size not in (1, v.shape[1]):
        raise DlmError(f"v_threshold has {level.size} values for {v.shape[1]} neurons; give one, or one for each")
    if not (level > 0).all():
        raise DlmError(f"v_threshold = {level.min():g} leaves v without a scale; plot v itself")
    return np.asarray(v, dtype=np.float64) / level


def membranes_of(
    data: Any, population: str | None, sample: int, v_threshold: Any, fired: Any, dt: float | None
) -> list[Membranes]:
    """Those of a Recording, of several by name, or of an array.

    Raises:
        DlmError: see ``recorded`` and ``given``; runs of unequal extent.
    """
    if isinstance(data, Recording):
        data = {"": data}
    if not isinstance(data, Mapping):
        return [given(data, v_threshold, fired, dt)]
    found = _of_runs(data, population, sample, True)
    if not all(one.before for one in found):
        # One quantity on one axis.
        found = _of_runs(data, population, sample, False)
    shapes = {one.v.shape for one in found}
    if len(shapes) != 1:
        told = ", ".join(map(str, sorted(shapes))) or "no run"
        raise DlmError(f"voltages (step, neuron) of {told} are not drawn together; give runs of one extent")
    return found


def _of_runs(data: Mapping[Any, Any], population: str | None, sample: int, whole: bool) -> list[Membranes]:
    return [
        one if isinstance(one, Membranes) else recorded(_recording(one, name), population, sample, str(name), whole)
        for name, one in data.items()
    ]


def _recording(one: Any, name: Any) -> Recording:
    if not isinstance(one, Recording):
        raise DlmError(f"'{name}' is a {type(one).__name__}; give a Recording with v")
    return one


def chosen(neurons: Sequence[int] | None, membranes: Sequence[Membranes]) -> list[int]:
    """The neurons that were asked for; else those that say something in the first run, see ``telling``.

    Raises:
        DlmError: a neuron that is not there.
    """
    first = membranes[0]
    n = first.v.shape[1]
    if neurons is None:
        return telling(first)[0]
    for neuron in neurons:
        if not is_whole(neuron) or not 0 <= neuron < n:
            raise DlmError(f"neuron {neuron!r} is none of 0..{n - 1}")
    return [int(neuron) for neuron in neurons]


def telling(of: Membranes) -> tuple[list[int], str]:
    """Neurons that say something, in the order of their numbers, and the rule that chose them as a sentence.

    The one that spikes most; the one that spikes most in at most half of the steps; the one that spikes least, at least
    once; and silent ones whose highest v is closest to the threshold, at least one.
    """
    rate = of.fired.sum(axis=0) / max(len(of.v), 1)
    near = np.abs(of.v.max(axis=0, initial=-np.inf) - 1)
    by_rate = [int(k) for k in np.lexsort((near, -rate)) if rate[k] > 0]
    parts: dict[str, list[int]] = {"most spikes": by_rate[:1]}
    parts[f"most spikes in at most {BUSY:.0%} of the steps"] = [k for k in by_rate[1:] if rate[k] <= BUSY][:1]
    taken = [k for picked in parts.values() for k in picked]
    parts["fewest spikes"] = [k for k in by_rate[-1:] if k not in taken]
    taken += parts["fewest spikes"]
    silent = [int(k) for k in np.argsort(near, kind="stable") if rate[k] == 0]
    parts["silent and closest to the threshold"] = sorted(silent[: NEURONS - len(taken)])
    told = "; ".join(f"{listed(picked)}: {why}" for why, picked in parts.items() if picked)
    return sorted({*taken, *parts["silent and closest to the threshold"]}), f"Neurons: {told}.".replace("%", "\u00a0%")


def listed(numbers: Iterable[int]) -> str:
    """``1, 2 and 3``."""
    *some, last = map(str, numbers)
    return f"{', '.join(some)} and {last}" if some else last
