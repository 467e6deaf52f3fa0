"""Figures over rasters: class read-out, accuracy, firing, synaptic operations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.errors import DlmError
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.recording import Recording, fed_into, spikes_of
from dlm_snn.values import as_floats, as_integers

UNKNOWN = "-"
"""What stands in a table for a figure that is not known, or not defined."""


def read_out(raster: SpikeRaster) -> NDArray[np.int64]:
    """The class of each sample: most spikes; equal counts: earliest first spike; then the lower index.

    Returns:
        (sample,) indices of output neurons; -1 where nothing spiked.
    """
    counts = raster.counts()
    first = np.full(counts.shape, raster.n_steps, dtype=np.int64)
    np.minimum.at(first, (raster.sample, raster.neuron), raster.step.astype(np.int64))
    score = counts * (raster.n_steps + 1) - first
    return np.where(counts.any(axis=1), score.argmax(axis=1), -1)


def accuracy(answers: SpikeRaster | ArrayLike, labels: NDArray) -> float:
    """Share of samples that get the right class; a silent sample counts as wrong.

    Args:
        answers: the raster of the output population, which is read out; or classes (sample,), as ``read_out`` gives
            them, -1 where there is none.
        labels: (sample,) whole numbers; -1 where silence is right.

    Raises:
        DlmError: the labels are not one for each sample; no samples.
    """
    labels = as_integers(labels, "labels", -1, 2**63 - 1)
    given = read_out(answers) if isinstance(answers, SpikeRaster) else answers
    classes = as_integers(given, "answers", -1, 2**63 - 1)
    if classes.ndim != 1:
        raise DlmError(f"answers of shape {classes.shape}; give one class per sample, or a raster")
    if labels.shape != classes.shape:
        raise DlmError(f"labels of shape {labels.shape} for {len(classes)} samples")
    if not len(classes):
        raise DlmError("there are 0 samples; an accuracy needs at least one")
    return float(np.mean(classes == labels))


def silent(raster: SpikeRaster) -> int:
    """Samples without a single spike."""
    return int(np.count_nonzero(~raster.counts().any(axis=1)))


def answering(network: Network | IntegerNetwork) -> str:
    """The population whose spikes are the answer: the one that sends to no other; the last, where several do.

    Raises:
        DlmError: a network without neurons.
    """
    if not network.neurons:
        raise DlmError("the network has no neurons, nothing that could answer")
    senders = {p.pre for p in network.projections if p.pre != p.post}
    ends = [name for name in network.neurons if name not in senders]
    return (ends or list(network.neurons))[-1]


def silent_populations(rates: Mapping[str, float | None]) -> list[str]:
    """The populations that never spike, of spikes, or rates, by population."""
    return [name for name, rate in rates.items() if not rate]


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
    network = recording.network
    stimuli = fed_into(recording, stimulus)
    if not recording.n_samples:
        raise DlmError("the recording has 0 samples; operations per sample need at least one")
    total = 0
    for projection in network.projections:
        if projection.pre in stimuli:
            fed = stimuli[projection.pre]
            events = np.count_nonzero(fed.values, axis=(0, 1)) * (fed.n_steps if fed.constant else 1)
        else:
            events = spikes_of(recording, projection.pre).counts().sum(axis=0)
        total += int(events @ projection.connection.fan_out())
    return total / recording.n_samples


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
