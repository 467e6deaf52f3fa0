"""Figures over rasters: class read-out, accuracy, firing, synaptic operations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.errors import DlmError, how_many, nearest
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.neurons.models import spikes
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.recording import Recording, fed_into, spikes_of, voltages_of
from dlm_snn.values import as_array, as_floats, as_integers, check_each

UNKNOWN = "-"
"""What stands in a table for a figure that is not known, or not defined."""


OF_V: Mapping[str, Callable[[NDArray], NDArray]] = {
    "largest": lambda v: v.max(axis=1),
    "mean": lambda v: v.sum(axis=1),
    "last": lambda v: v[:, -1],
}
"""What is read of v (sample, step, neuron) -> its score (sample, neuron); the sum ranks as the mean, and is exact."""
KINDS = ("spikes", *OF_V)
_Z95 = 1.959963984540054
"""The normal distribution's 97.5 % quantile."""


def read_out(
    answers: SpikeRaster | Recording | ArrayLike, kind: str | None = None, population: str | None = None
) -> NDArray[np.int64]:
    """The class of each sample.

    Of spikes: most spikes; equal counts: earliest first spike; then the lower index. Of v: the neuron whose largest,
    mean or last v is the largest; of equal ones the lower index.

    Args:
        answers: the raster of the output population; a Recording; or its v, (sample, step, neuron).
        kind: "spikes", or "largest", "mean" or "last" of v. None: spikes, where the population has some; how the v of
            one that never spikes is read must be said.
        population: of a Recording; None: the one that sends to no other.

    Returns:
        (sample,) indices of output neurons; -1 where nothing spiked.

    Raises:
        DlmError: a kind that is not there, or cannot be read of what is given; v that is not finite, or has no step.
    """
    _check_kind(kind)
    if isinstance(answers, Recording):
        name = answering(answers.network) if population is None else population
        check_readable(answers.network, kind, name)
        answers = spikes_of(answers, name) if kind in (None, "spikes") else voltages_of(answers, name)
    elif population is not None:
        raise DlmError(f"population = {population!r} is for a Recording; leave it out")
    if isinstance(answers, SpikeRaster):
        if kind not in (None, "spikes"):
            raise DlmError(f"a raster holds no v for kind = {kind!r}; give a Recording with v, or v itself")
        return _most_spikes(answers)
    return _highest(as_array(answers, "v"), kind)


def check_readable(network: Network | IntegerNetwork, kind: str | None, population: str | None = None) -> None:
    """Raise unless a population can be read so, before the work of a run.

    Raises:
        DlmError: no such kind, no such population; one that never spikes whose v nobody says how to read.
    """
    _check_kind(kind)
    name = answering(network) if population is None else population
    if name not in network.neurons:
        raise DlmError(f"no neuron population '{name}' to read; {nearest(name, network.neurons)}")
    if kind in (None, "spikes") and not spikes(network.neurons[name]):
        raise DlmError(f"'{name}' never spikes; say how its v is read: {', '.join(map(repr, OF_V))}")


def _check_kind(kind: str | None) -> None:
    if kind is not None and kind not in KINDS:
        raise DlmError(f"no read-out of the kind {kind!r}; {nearest(str(kind), KINDS)}")


def _highest(v: NDArray, kind: str | None) -> NDArray[np.int64]:
    if kind is None or kind not in OF_V:
        raise DlmError(f"v alone does not say how it is read; give kind, of {', '.join(map(repr, OF_V))}")
    if v.ndim != 3 or 0 in v.shape[1:]:
        raise DlmError(f"v of shape {v.shape}; give (sample, step, neuron), with at least one step and neuron")
    check_each(v, "v", np.isfinite(v), "finite")
    return OF_V[kind](v).argmax(axis=1)


def _most_spikes(raster: SpikeRaster) -> NDArray[np.int64]:
    counts = raster.counts()
    first = np.full(counts.shape, raster.n_steps, dtype=np.int64)
    np.minimum.at(first, (raster.sample, raster.neuron), raster.step.astype(np.int64))
    score = counts * (raster.n_steps + 1) - first
    return np.where(counts.any(axis=1), score.argmax(axis=1), -1)


def accuracy(
    answers: SpikeRaster | Recording | ArrayLike,
    labels: ArrayLike,
    kind: str | None = None,
    population: str | None = None,
) -> float:
    """Share of samples that get the right class; a silent sample counts as wrong.

    Args:
        answers: what ``read_out`` takes; or classes (sample,), as ``read_out`` gives them, -1 where there is none.
        labels: (sample,) whole numbers; -1 where silence is right.
        kind, population: see ``read_out``.

    Raises:
        DlmError: see ``read_out``; the labels are not one for each sample; no samples.
    """
    labels = as_integers(labels, "labels", -1, 2**63 - 1)
    if isinstance(answers, (SpikeRaster, Recording)) or kind is not None or population is not None:
        answers = read_out(answers, kind, population)
    given = as_array(answers, "answers")
    if given.ndim != 1:
        raise DlmError(f"answers of shape {given.shape}; give one class per sample, a raster, or v with its kind")
    classes = as_integers(given, "answers", -1, 2**63 - 1)
    if labels.shape != classes.shape:
        raise DlmError(f"labels of shape {labels.shape} for {how_many(len(classes), 'samples')}")
    if not len(classes):
        raise DlmError("there are 0 samples; an accuracy needs at least one")
    return float(np.mean(classes == labels))


def silent(raster: SpikeRaster) -> int:
    """Samples without a single spike."""
    return int(np.count_nonzero(~raster.counts().any(axis=1)))


def answering(network: Network | IntegerNetwork) -> str:
    """The population whose spikes, or v, are the answer: the one that sends to no other; the last, where several do.

    Raises:
        DlmError: a network without neurons.
    """
    if not network.neurons:
        raise DlmError("the network has no neurons, nothing that could answer")
    senders = {p.pre for p in network.projections if p.pre != p.post}
    ends = [name for name in network.neurons if name not in senders]
    return (ends or list(network.neurons))[-1]


def unanswered(answers: Recording, kind: str | None = None) -> float:
    """Share of the samples without an answer: without an output spike; v always has one."""
    classes = read_out(answers, kind)
    return float(np.mean(classes < 0)) if classes.size else 0.0


def firing(recording: Recording, name: str) -> str:
    """How much a population spikes, as a phrase."""
    if not spikes(recording.network.populations[name]):
        return "never spikes"
    raster = spikes_of(recording, name)
    return f"{len(raster) / recording.n_samples:.1f} spikes per sample, rate {raster.rate:.1%}"


def silent_populations(rates: Mapping[str, float | None], network: Network | IntegerNetwork | None = None) -> list[str]:
    """The populations that never spike, of spikes, or rates, by population; of a network, those that could."""
    able = {name for name in rates if network is None or spikes(network.populations[name])}
    return [name for name, rate in rates.items() if not rate and name in able]


def silence(unanswered: float, never: Iterable[str] = ()) -> str:
    """What an accuracy must not be shown without: samples without an answer, populations that never spike.

    Args:
        unanswered: share of the samples without an output spike.
        never: populations without a spike in any sample.

    Returns:
        A phrase; empty where there is nothing to say.
    """
    told = [f"'{name}' never spikes" for name in never]
    if unanswered:
        share = "all" if unanswered == 1 else f"{unanswered:.1%} of"
        told.insert(0, f"{share} samples without an answer")
    return ", ".join(told)


def verdict(accuracy: float, samples: str, unanswered: float, never: Iterable[str] = ()) -> str:
    """An accuracy as a phrase, with what makes it no accuracy.

    Args:
        accuracy: share of the samples that got the right answer.
        samples: how many of which, such as ``450 held-out samples``.
        unanswered, never: see ``silence``.
    """
    quiet = silence(unanswered, never)
    return f"accuracy {accuracy:.2%} on {samples}" + (f" ({quiet})" if quiet else "")


def synaptic_operations(recording: Recording, stimulus: Mapping[str, Any]) -> float:
    """Synaptic operations per sample: each event times the nonzero synapses that leave its neuron.

    An event of a graded Input is a value other than zero.

    Args:
        recording: with "s" recorded, of every population that a projection leaves.
        stimulus: what was fed into the run.

    Raises:
        DlmError: a stimulus of other samples or steps, a population whose spikes were not recorded, or no samples.
    """
    return sum(operations_by_projection(recording, stimulus)) / recording.n_samples


def operations_by_projection(recording: Recording, stimulus: Mapping[str, Any]) -> list[int]:
    """Synaptic operations of all samples, one number for each projection; see ``synaptic_operations``."""
    events = events_by_population(recording, stimulus)
    return [int(events[p.pre] @ p.connection.fan_out()) for p in recording.network.projections]


def events_by_population(recording: Recording, stimulus: Mapping[str, Any]) -> dict[str, NDArray[np.int64]]:
    """Population that a projection leaves -> events of each neuron in all samples; see ``synaptic_operations``."""
    stimuli = fed_into(recording, stimulus)
    if not recording.n_samples:
        raise DlmError("the recording has 0 samples; operations per sample need at least one")
    found = {}
    for name in dict.fromkeys(projection.pre for projection in recording.network.projections):
        if name in stimuli:
            fed = stimuli[name]
            found[name] = np.count_nonzero(fed.values, axis=(0, 1)) * (fed.n_steps if fed.constant else 1)
        else:
            found[name] = spikes_of(recording, name).counts().sum(axis=0)
    return found


def wilson_95(share: float, n: int) -> tuple[float, float]:
    """95 % interval of a share that was measured on n independent samples, by Wilson's score.

    (p + z^2/2n -+ z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n), z = 1.96: inside 0..1, and no point at 0 and 1.

    Args:
        share: p, in 0..1.
        n: samples, at least one.

    Raises:
        DlmError: a share outside 0..1, or no samples.

    Source: Wilson, JASA 22:209 (1927); Brown, Cai and DasGupta, Statistical Science 16:101 (2001).
    """
    if not 0 <= share <= 1 or n < 1:
        wanted = "give a share in 0..1 of at least one sample"
        raise DlmError(f"a share of {share:g} of {n} samples has no interval; {wanted}")
    middle = share + _Z95**2 / (2 * n)
    half = _Z95 * np.sqrt(share * (1 - share) / n + _Z95**2 / (4 * n**2))
    scale = 1 + _Z95**2 / n
    # Rounding must neither push the ends past the share itself, where it is 0 or 1, nor out of 0..1.
    low, high = float((middle - half) / scale), float((middle + half) / scale)
    return max(0.0, min(share, low)), min(1.0, max(share, high))


def confidence_95(values: NDArray) -> tuple[float, float]:
    """Mean and half-width of its 95 % interval (Student's t over independent repetitions).

    The half-width is NaN for a single value.
    """
    values = as_floats(values, "values")
    if values.size < 2:
        return float(values.mean()), float("nan")
    from scipy.stats import t

    half = t.ppf(0.975, values.size - 1) * values.std(ddof=1) / np.sqrt(values.size)
    return float(values.mean()), float(half)


def interval(values: ArrayLike, form: str = ".2f") -> str:
    """Mean and half-width of the 95 % interval as text; ``form`` is of the mean, its sign left out of the width.

    A dash stands for what is not known: the width of a single value, all of none or where a value is NaN.
    """
    known = np.asarray(values, dtype=float)
    if not known.size or np.isnan(known).any():
        return UNKNOWN
    return plus_minus(*confidence_95(known), form)


def plus_minus(mean: float, half: float, form: str) -> str:
    """A mean and the half-width of its interval as text; a dash for a width that is not known."""
    return f"{mean:{form}} ± {UNKNOWN if np.isnan(half) else format(half, form.removeprefix('+'))}"
