"""Spike-by-spike comparison of two runs of one network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, UnlikeError, how_many
from dlm_snn.networks.network import IntegerNetwork
from dlm_snn.neurons.models import spikes as ever_spikes
from dlm_snn.runs.recording import Recording, before_reset

TIE = 1e-9
"""Two float simulators add in different orders: a spike decided by less than this share of the scale is a tie, and u
and v agree where they differ by no more."""

TRACES = {
    "u": "the synaptic drive, its delay or du differs",
    "v": "dv, bias or reset differs",
}
"""Recorded quantities, in the order in which they are computed -> what a first difference in them means."""


@dataclass(frozen=True)
class Divergence:
    """The first place where two runs part.

    Attributes:
        sample, step, population, neuron: where; step counts the population's window.
        states: the neuron's recorded state in both runs, as text.
        cause: what the states suggest.
    """

    sample: int
    step: int
    population: str
    neuron: int
    states: str
    cause: str

    def __str__(self) -> str:
        where = f"sample {self.sample}, step {self.step}, {self.population}[{self.neuron}]"
        return f"first divergence at {where}: {self.states}; {self.cause}"


@dataclass(frozen=True)
class Comparison:
    """What two runs of one network share.

    Attributes:
        n_samples: samples compared.
        spikes: population -> (spikes of the first run, of the second, places where they differ); samples that
            are set aside as ties do not count.
        ties: samples set aside: their first difference was decided by rounding in both runs.
        values: population -> largest |difference| of u and of v, infinite where one of them is not finite; NaN where
            a run did not record them.
        divergence: the first difference that is not a tie, or None.
        tolerance: share of its scale by which a float u or v may differ; 0: integers.
    """

    n_samples: int
    spikes: Mapping[str, tuple[int, int, int]]
    ties: tuple[int, ...]
    values: Mapping[str, tuple[float, float]]
    divergence: Divergence | None
    tolerance: float

    @property
    def differ(self) -> int:
        """Places (sample, step, neuron) at which the spikes differ, ties set aside."""
        return sum(counts[2] for counts in self.spikes.values())

    @property
    def equal(self) -> bool:
        """Whether nothing differs, with at most one sample in 100 set aside as a tie."""
        return self.divergence is None and len(self.ties) * 100 <= self.n_samples

    def __str__(self) -> str:
        aside = f" ({len(self.ties)} of {how_many(self.n_samples, 'samples')} set aside as ties)" if self.ties else ""
        if self.divergence is not None:
            what = f"{how_many(self.differ, 'spikes')} differ" if self.differ else "spikes agree, u or v do not"
            return f"{what}{aside}; {self.divergence}"
        return (f"equal: {self._compared()}" if self.equal else "too many ties") + aside

    def _compared(self) -> str:
        """What was held against each other."""
        count = len(self.spikes)
        recorded = {key: sum(not isnan(gaps[i]) for gaps in self.values.values()) for i, key in enumerate(TRACES)}
        told = [key if held == count else f"{key} of {held} of them" for key, held in recorded.items() if held]
        within = f" within {self.tolerance:g} of their scale" if self.tolerance else ""
        values = f", {' and '.join(told)}{within}" if told else ""
        return f"spikes of {how_many(count, 'populations')}{values}, {how_many(self.n_samples, 'samples')}"


def compare(first: Recording, second: Recording, tolerance: float = TIE) -> Comparison:
    """Compare two runs of one network, sample by sample up to the first difference.

    Integer networks have no ties: spikes, and u and v where both recorded them, must be equal. In float networks
    a sample whose first difference is decided by less than ``tolerance`` times the scale of v in both runs is set
    aside and counted; telling that needs u and v recorded in both. What both recorded of u and v must agree to
    ``tolerance`` times its scale, the largest |value| of the population in the sample, or its threshold if that is
    larger; in samples that are set aside, up to the tie. A value that is not finite equals nothing.

    Args:
        first, second: recordings with "s", of networks with the same digest.
        tolerance: see above; of runs in float32, give about 1e-5.

    Raises:
        DlmError: the runs are of different networks or extents, recorded no spikes, or no v of what never
            spikes.
    """
    _check_comparable(first, second, tolerance)
    exact = isinstance(first.network, IntegerNetwork)
    tolerance = 0.0 if exact else tolerance
    names = list(first.network.neurons)
    spikes = {name: (first.rasters[name].dense(), second.rasters[name].dense()) for name in names}
    ties: dict[int, int] = {}
    divergences = []
    for sample in range(first.n_samples):
        place = _first_difference(spikes, names, sample)
        if place is not None:
            step, name = place
            if not exact and _is_tie(first, second, sample, step, name, tolerance):
                ties[sample] = step
                continue
            neuron = int(np.flatnonzero(spikes[name][0][sample, step] != spikes[name][1][sample, step])[0])
            divergences.append(_divergence(first, second, sample, step, name, neuron, tolerance))
    kept = np.setdiff1d(np.arange(first.n_samples), list(ties))
    if not divergences:
        divergences += _value_divergence(first, second, ties, tolerance)
    return Comparison(
        n_samples=first.n_samples,
        spikes={
            n: (int(a[kept].sum()), int(b[kept].sum()), int((a[kept] != b[kept]).sum())) for n, (a, b) in spikes.items()
        },
        ties=tuple(ties),
        values={name: _gaps(first, second, name, kept) for name in names},
        divergence=divergences[0] if divergences else None,
        tolerance=tolerance,
    )


def _check_comparable(first: Recording, second: Recording, tolerance: float) -> None:
    for given in (first, second):
        if not isinstance(given, Recording):
            raise DlmError(f"compare takes recordings, as run gives them, not a {type(given).__name__}")
    if not 0 <= tolerance < np.inf:
        raise DlmError(f"tolerance = {tolerance} is no share of a scale; give a number >= 0, such as {TIE:g}")
    if first.network is not second.network and first.network.digest() != second.network.digest():
        raise DlmError("the recordings are of different networks; compare runs of one network")
    if not first.network.neurons:
        raise DlmError("the network has no neurons, nothing to compare")
    extents = [(r.n_samples, r.n_steps) for r in (first, second)]
    if extents[0] != extents[1]:
        raise UnlikeError(f"the recordings differ in (samples, steps): {extents[0]} and {extents[1]}")
    for recording in (first, second):
        for name, neuron in first.network.neurons.items():
            if name not in recording.rasters:
                raise DlmError(f"no spikes of '{name}' in a recording; record 's'")
            if name not in recording.v and not ever_spikes(neuron):
                raise DlmError(f"no v of '{name}', which never spikes, in a recording; record 'v'")
            extent = (*extents[0], neuron.n)
            shapes = {"s": recording.rasters[name].extent}
            shapes |= {key: getattr(recording, key)[name].shape for key in TRACES if name in getattr(recording, key)}
            for key, shape in shapes.items():
                if tuple(shape) != extent:
                    raise DlmError(f"{key} of '{name}' has the shape {tuple(shape)} in a recording of {extent}")


def _first_difference(spikes: Mapping[str, tuple[NDArray, NDArray]], names: list[str], sample: int) -> Any:
    """(step, population) of the first difference in window time, pre before post; None where there is none."""
    best = None
    for name in names:
        differ = np.any(spikes[name][0][sample] != spikes[name][1][sample], axis=-1)
        step = int(differ.argmax())
        if differ[step] and (best is None or step < best[0]):
            best = (step, name)
    return best


def _is_tie(first: Recording, second: Recording, sample: int, step: int, name: str, tolerance: float) -> bool:
    neuron: Any = first.network.populations[name]
    pair = [r.rasters[name][sample].dense()[0, step] for r in (first, second)]
    differ = pair[0] != pair[1]
    for recording in (first, second):
        whole = before_reset(recording, name)
        if whole is None:
            return False
        v = whole[sample, step]
        overshoot = v - neuron.v_threshold
        close = tolerance * max(np.abs(v).max(), np.max(neuron.v_threshold))
        undecided = np.abs(overshoot) < close
        if neuron.winners is not None:
            undecided |= _rank_ties(overshoot, neuron.winners, neuron.groups, close)
        if not undecided[differ].all():
            return False
    return True


def _rank_ties(overshoot: NDArray, winners: int, groups: int, close: float) -> NDArray[np.bool_]:
    """Neurons whose place on either side of rank k hangs on less than ``close``."""
    blocks = overshoot.reshape(groups, -1)
    if winners == blocks.shape[1]:
        return np.zeros(overshoot.shape, dtype=bool)
    ranked = -np.sort(-blocks, axis=-1)
    last, next_ = ranked[:, winners - 1, None], ranked[:, winners, None]
    near = np.minimum(np.abs(blocks - last), np.abs(blocks - next_)) < close
    return (near & (last - next_ < close)).reshape(overshoot.shape)


def _divergence(
    first: Recording, second: Recording, sample: int, step: int, name: str, neuron: int, tolerance: float
) -> Divergence:
    texts = []
    for recording in (first, second):
        spike = int(recording.rasters[name][sample].dense()[0, step, neuron])
        known = [
            f"{key} = {getattr(recording, key)[name][sample, step, neuron]:.17g}"
            for key in TRACES
            if name in getattr(recording, key)
        ]
        texts.append(", ".join([f"s = {spike}", *known]))
    cause = _cause(first, second, sample, step, name, tolerance)
    return Divergence(sample, step, name, neuron, " against ".join(texts), cause)


def _cause(first: Recording, second: Recording, sample: int, last: int, where: str, tolerance: float) -> str:
    """Which quantity parted first, up to the step and the population of the first differing spike."""
    names = list(first.network.neurons)
    if not all(name in r.u and name in r.v for name in names for r in (first, second)):
        return "cause unknown: record u and v in both runs"
    parted = {
        (name, key): _parted(first, second, key, name, [sample], last + 1, tolerance)[0]
        for name in names
        for key in TRACES
    }
    for name in names:
        # A neuron that spiked in one run only was reset there only.
        same = np.equal(*(r.rasters[name][sample].dense()[0, : last + 1] for r in (first, second)))
        parted[name, "v"] &= same
    for step in range(last + 1):
        # What is computed after that population in its step is a consequence.
        for name in names if step < last else names[: names.index(where) + 1]:
            for key, meaning in TRACES.items():
                if parted[name, key][step].any():
                    neuron = int(np.flatnonzero(parted[name, key][step])[0])
                    values = [getattr(r, key)[name][sample, step, neuron] for r in (first, second)]
                    if not np.isfinite(values).all():
                        return f"{key} of {name}[{neuron}] is not finite at step {step}"
                    return f"{key} of {name}[{neuron}] parted at step {step}: {meaning}"
    return "u and v agree up to it: the threshold comparison or the competition differs"


def _parted(
    first: Recording, second: Recording, key: str, name: str, samples: Any, n_steps: int, tolerance: float
) -> NDArray[np.bool_]:
    """Where u or v differ by more than the tolerance times their scale in the sample, or are not finite."""
    a, b = (getattr(r, key)[name][samples, :n_steps] for r in (first, second))
    if not tolerance:
        return ~(np.isfinite(a) & (a == b))
    # A model of another package may have no threshold, and one out of reach is no scale.
    threshold = np.asarray(getattr(first.network.populations[name], "v_threshold", 0.0), float)
    reached = np.max(threshold, where=np.isfinite(threshold), initial=0)
    size = np.maximum(*(np.where(np.isfinite(x), np.abs(x), 0) for x in (a, b)))
    scale = size.max(axis=(1, 2), keepdims=True, initial=float(reached))
    with np.errstate(invalid="ignore"):
        return ~(np.abs(a - b) <= tolerance * scale)


def _gaps(first: Recording, second: Recording, name: str, kept: NDArray) -> tuple[float, float]:
    """Largest |difference| of u and of v; NaN where either run did not record it, infinite where one is not finite."""
    gaps = []
    for key in TRACES:
        a, b = getattr(first, key).get(name), getattr(second, key).get(name)
        if a is None or b is None:
            gaps.append(float("nan"))
            continue
        with np.errstate(invalid="ignore"):
            gap = np.abs(a[kept] - b[kept]).max(initial=0)
        gaps.append(float("inf") if np.isnan(gap) else float(gap))
    return gaps[0], gaps[1]


def _value_divergence(
    first: Recording, second: Recording, ties: Mapping[int, int], tolerance: float
) -> list[Divergence]:
    """The first differing u or v of runs whose spikes agree; of a sample with a tie, before its step."""
    places = []
    for rank, name in enumerate(first.network.neurons):
        for key in TRACES:
            if not all(name in getattr(r, key) for r in (first, second)):
                continue
            parted = _parted(first, second, key, name, slice(None), first.n_steps, tolerance)
            for sample, step in ties.items():
                parted[sample, step:] = False
            if parted.any():
                sample, step, neuron = map(int, np.argwhere(parted)[0])
                places.append((sample, step, rank, neuron, name))
    return [_divergence(first, second, s, t, name, n, tolerance) for s, t, _, n, name in sorted(places)[:1]]
