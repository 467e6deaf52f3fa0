"""Spike-by-spike comparison of two runs of one network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.network import IntegerNetwork
from dlm_snn.recording import Recording, before_reset

TIE = 1e-9
"""Two float simulators add in different orders: a spike decided by less than this share of the scale is a tie."""


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
        values: population -> largest |difference| of u and of v where both runs recorded them.
        divergence: the first difference that is not a tie, or None.
    """

    n_samples: int
    spikes: Mapping[str, tuple[int, int, int]]
    ties: tuple[int, ...]
    values: Mapping[str, tuple[float, float]]
    divergence: Divergence | None

    @property
    def differ(self) -> int:
        """Places (sample, step, neuron) at which the spikes differ, ties set aside."""
        return sum(counts[2] for counts in self.spikes.values())

    @property
    def equal(self) -> bool:
        """Whether nothing differs, with at most one sample in 100 set aside as a tie."""
        return self.divergence is None and len(self.ties) * 100 <= self.n_samples

    def __str__(self) -> str:
        aside = f" ({len(self.ties)} of {self.n_samples} samples set aside as ties)" if self.ties else ""
        if self.divergence is not None:
            return f"{self.differ} spikes differ{aside}; {self.divergence}"
        return ("equal" if self.equal else "too many ties") + aside


def compare(first: Recording, second: Recording, tolerance: float = TIE) -> Comparison:
    """Compare two runs of one network, sample by sample up to the first difference.

    Integer networks have no ties: spikes, and u and v where both recorded them, must be equal. In float networks
    a sample whose first difference is decided by less than ``tolerance`` times the scale of v in both runs is set
    aside and counted; telling that needs u and v recorded in both.

    Args:
        first, second: recordings with "s", of networks with the same digest.
        tolerance: relative distance to the threshold, or between rank k and k+1, below which a difference is a tie.

    Raises:
        DlmError: the runs are of different networks or extents, or recorded no spikes.
    """
    _check_comparable(first, second)
    exact = isinstance(first.network, IntegerNetwork)
    names = list(first.network.neurons)
    spikes = {name: (first.rasters[name].dense(), second.rasters[name].dense()) for name in names}
    ties, divergences = [], []
    for sample in range(first.n_samples):
        place = _first_difference(spikes, names, sample)
        if place is not None:
            step, name = place
            if not exact and _is_tie(first, second, sample, step, name, tolerance):
                ties.append(sample)
                continue
            neuron = int(np.flatnonzero(spikes[name][0][sample, step] != spikes[name][1][sample, step])[0])
            divergences.append(_divergence(first, second, sample, step, name, neuron, exact))
    kept = np.setdiff1d(np.arange(first.n_samples), ties)
    values = {name: _gaps(first, second, name, kept) for name in names}
    if exact and not divergences:
        divergences += _value_divergence(first, second, names, values)
    return Comparison(
        n_samples=first.n_samples,
        spikes={
            n: (int(a[kept].sum()), int(b[kept].sum()), int((a[kept] != b[kept]).sum())) for n, (a, b) in spikes.items()
        },
        ties=tuple(ties),
        values=values,
        divergence=divergences[0] if divergences else None,
    )


def _check_comparable(first: Recording, second: Recording) -> None:
    if first.network is not second.network and first.network.digest() != second.network.digest():
        raise DlmError("the recordings are of different networks; compare runs of one network")
    extents = [(r.n_samples, r.n_steps) for r in (first, second)]
    if extents[0] != extents[1]:
        raise DlmError(f"the recordings differ in (samples, steps): {extents[0]} and {extents[1]}")
    for recording in (first, second):
        missing = [name for name in first.network.neurons if name not in recording.rasters]
        if missing:
            raise DlmError(f"no spikes of '{missing[0]}' in a recording; record 's'")


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
    first: Recording, second: Recording, sample: int, step: int, name: str, neuron: int, exact: bool
) -> Divergence:
    texts = []
    for recording in (first, second):
        spike = int(recording.rasters[name][sample].dense()[0, step, neuron])
        known = [
            f"{key} = {getattr(recording, key)[name][sample, step, neuron]:.17g}"
            for key in ("u", "v")
            if name in getattr(recording, key)
        ]
        texts.append(", ".join([f"s = {spike}", *known]))
    cause = _cause(first, second, sample, step, name, exact)
    return Divergence(sample, step, name, neuron, " against ".join(texts), cause)


def _cause(first: Recording, second: Recording, sample: int, last: int, where: str, exact: bool) -> str:
    """Which quantity parted first, up to the step and the population of the first differing spike."""
    names = list(first.network.neurons)
    if not all(name in r.u and name in r.v for name in names for r in (first, second)):
        return "cause unknown: record u and v in both runs"
    for step in range(last + 1):
        # What is computed after that population in its step is a consequence.
        for name in names if step < last else names[: names.index(where) + 1]:
            for key, meaning in (
                ("u", "the synaptic drive, its delay or du differs"),
                ("v", "dv, bias or reset differs"),
            ):
                a, b = (getattr(r, key)[name][sample, : step + 1] for r in (first, second))
                scale = max(np.abs(a).max(), np.abs(b).max())
                parted = np.abs(a[step] - b[step]) > (0 if exact else 1e-9 * scale)
                same_spikes = np.equal(*(r.rasters[name][sample].dense()[0, step] for r in (first, second)))
                if key == "v":
                    # A neuron that spiked in one run only was reset there only.
                    parted &= same_spikes
                if parted.any():
                    return f"{key} of {name}[{np.flatnonzero(parted)[0]}] parted at step {step}: {meaning}"
    return "u and v agree up to it: the threshold comparison or the competition differs"


def _gaps(first: Recording, second: Recording, name: str, kept: NDArray) -> tuple[float, float]:
    """Largest |difference| of u and of v; NaN where either run did not record it."""
    gaps = []
    for key in ("u", "v"):
        a, b = getattr(first, key).get(name), getattr(second, key).get(name)
        gaps.append(float("nan") if a is None or b is None else float(np.abs(a[kept] - b[kept]).max(initial=0)))
    return gaps[0], gaps[1]


def _value_divergence(
    first: Recording, second: Recording, names: list[str], values: Mapping[str, tuple[float, float]]
) -> list[Divergence]:
    """The first differing u or v of an integer network whose spikes agree."""
    places = []
    for rank, name in enumerate(names):
        for key, gap in zip(("u", "v"), values[name], strict=True):
            if gap > 0:
                differ = getattr(first, key)[name] != getattr(second, key)[name]
                sample, step, neuron = map(int, np.argwhere(differ)[0])
                places.append((sample, step, rank, neuron, name))
    return [_divergence(first, second, s, t, name, n, exact=True) for s, t, _, n, name in sorted(places)[:1]]
