"""What a code costs against what it is good for, for use as a library: bits of weights, winners and steps.

For each setting the network is run on labeled samples. Its hidden code is bounded from both sides: from above by the
sum of the entropies of all spike counts (what the code needs if each neuron is written down by itself), from below by
what a decoder makes of it about the label.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.analysis.estimators.blocks import NORMAL
from dlm_snn.analysis.estimators.decoder import decoder_bound
from dlm_snn.analysis.estimators.information_counts import entropy
from dlm_snn.analysis.finding import Finding
from dlm_snn.backends import fast
from dlm_snn.conversion.quantization import quantize
from dlm_snn.errors import DlmError, nearest
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.neurons.lif import LIF
from dlm_snn.runs.metrics import accuracy
from dlm_snn.values import as_integers, check_generator


@dataclass(frozen=True)
class Compressed:
    """One setting and what came of it.

    Attributes:
        bits: of the weights; None: the float network.
        winners: of the population; None: as it is.
        steps: of a sample.
        accuracy: share of samples that get the right class, with Wilson's interval.
        spikes: spikes of the population per sample.
        needs: nats per sample that its counts need at most, neuron by neuron.
        tells: nats per sample that a decoder finds in them about the label, at least.
    """

    bits: int | None
    winners: int | None
    steps: int
    accuracy: Finding
    spikes: float
    needs: float
    tells: Finding


def compression(
    network: Network,
    stimulus: Mapping[str, Any],
    labels: ArrayLike,
    population: str,
    rng: np.random.Generator,
    bits: Sequence[int | None] = (None, 8, 4, 3),
    winners: Sequence[int | None] = (None,),
    steps: Sequence[int] = (20,),
    calibration: Mapping[str, Any] | None = None,
) -> Iterator[Compressed]:
    """Run a network in every combination of bits, winners and steps, one after another.

    Args:
        network: of floats, with an output population that is read by its spikes.
        stimulus: Input name -> array (sample, neuron), held constant, so that any number of steps can be taken.
        labels: (sample,) classes.
        population: whose code is looked at, and whose winners are set.
        rng: of the decoder's parts and shuffles.
        bits: of the weights, 3 to 8; None: floats.
        winners: at most so many spikes per step and group of the population; None: as it is.
        steps: of a sample.
        calibration: as for ``quantize``, of the same Inputs; not the samples that accuracy is told of.

    Yields:
        One result per combination. Nothing is trained anew, so that other winners or steps than trained cost accuracy.

    Raises:
        DlmError: an unknown population, labels that do not fit, settings that the network refuses.
    """
    check_generator(rng)
    classes = as_integers(labels, "labels", 0, 2**31)
    if not isinstance(network.neurons.get(population), LIF):
        raise DlmError(f"no LIF population '{population}'; {nearest(population, network.neurons)}")
    if not len(classes):
        raise DlmError("labels hold 0 samples; an accuracy needs at least one")
    for k, width, n_steps in product(winners, bits, steps):
        tried = _with_winners(network, population, k)
        recording = fast.run(_in_bits(tried, width, calibration, n_steps), stimulus, n_steps)
        counts = recording.rasters[population].counts()
        right = accuracy(recording, classes)
        yield Compressed(
            width,
            k,
            n_steps,
            _share(right, len(classes)),
            float(counts.sum() / len(classes)),
            _needs(counts),
            _tells(classes, counts, rng),
        )


def _tells(classes: NDArray[np.int64], counts: NDArray[np.int64], rng: np.random.Generator) -> Finding:
    """The decoder's bound of samples in random order: the network starts anew in each, so that nothing drifts."""
    order = rng.permutation(len(classes))
    return decoder_bound(classes[order], counts[order], rng)


def _with_winners(network: Network, population: str, winners: int | None) -> Network:
    if winners is None:
        return network
    changed = replace(network.neurons[population], winners=winners)
    return Network({**network.populations, population: changed}, network.projections)


def _in_bits(
    network: Network, width: int | None, calibration: Mapping[str, Any] | None, n_steps: int
) -> Network | IntegerNetwork:
    return network if width is None else quantize(network, width, calibration, n_steps)[0]


def _needs(counts: NDArray[np.int64]) -> float:
    """Sum over neurons of the entropy of their counts (sample, neuron)."""
    return float(sum(entropy(np.bincount(own), "miller-madow") for own in counts.T))


def _share(right: float, n: int) -> Finding:
    """A share of n samples with Wilson's 95 % interval. Source: Wilson, J. Am. Stat. Assoc. 22, 209 (1927)."""
    square = NORMAL**2 / n
    middle, half = right + square / 2, float(np.sqrt(square * (right * (1 - right) + square / 4)))
    interval = (middle - half) / (1 + square), (middle + half) / (1 + square)
    return Finding("accuracy", right, interval, "", "share of samples, Wilson's interval", {"samples": n})
