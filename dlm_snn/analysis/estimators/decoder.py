"""What the spike counts of many neurons say about labels, in nats: the bound that a decoder gives."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.analysis.estimators.blocks import draws, in_blocks, middle, spread_of_mean
from dlm_snn.analysis.estimators.information import LARGEST, mutual_information, paired
from dlm_snn.analysis.estimators.information_counts import PER_CELL, Codes, coded, entropy
from dlm_snn.analysis.finding import Control, Finding
from dlm_snn.errors import DlmError
from dlm_snn.runs.metrics import wilson_95
from dlm_snn.values import as_integers, check_generator

FOLDS = 10
"""Of the cross-validation."""
FEWEST = 5
"""Samples per class, on average, below which the entropy of the labels is not known."""
EVEN = 10
"""Numbers of copies that are free to be odd, from which on they all share a divisor by chance in 2^-10 < .001."""


def decoder_bound(
    labels: ArrayLike,
    counts: ArrayLike,
    rng: np.random.Generator,
    name: str = "decoder bound",
) -> Finding:
    """A lower bound of I(label; counts of many neurons) by decoding the label, nats.

    What a decoder makes of the counts holds no more than the counts (data processing inequality). The decoder takes
    counts as independent Poisson variables given the label, ln P(label | counts) = sum counts ln rate - sum rate
    + const, and decodes each sample with the rates of the others, in 10 parts. With 6 samples or more per pair of
    classes the bound is I(label; decoded label); with fewer it is Fano's, see ``fano_bound``.

    Samples are independent of each other, in an order that has nothing to do with their labels, and each is there once.
    Where labels come in blocks, a slow drift of all counts is decoded as the label; a copy of a sample in another part
    gives its label away.

    Args:
        labels: (sample,) whole numbers.
        counts: (sample, neuron) spikes, whole numbers >= 0.
        rng: of the parts, and of the shuffles.
        name: of the finding.

    Returns:
        The bound; not resolved where that of the two methods is not, where labels come in blocks, or where every
        sample is there several times.

    Raises:
        DlmError: shapes that do not fit; fewer than two samples.
    """
    check_generator(rng)
    classes, spikes = _samples(labels, counts)
    codes, n_classes = coded(classes)
    decoded = np.empty_like(codes)
    part = rng.permutation(len(codes)) % FOLDS
    for fold in range(FOLDS):
        held = part == fold
        if held.any():
            decoded[held] = _decoded(codes[~held], spikes[~held], spikes[held], n_classes)
    enough = len(codes) >= PER_CELL * n_classes**2
    # In random order: what the order of samples says is said below.
    order = rng.permutation(len(codes))
    found = (mutual_information if enough else fano_bound)(codes[order], decoded[order], rng, name=name)
    doubts = [] if not in_blocks(codes, rng) else ["labels come in blocks; a drift of the counts would look the same"]
    times = _times(codes, spikes)
    if times > 1:
        doubts.append(f"every sample is there {times} times or a multiple; give each once")
    return replace(found, doubts=(*found.doubts, *doubts))


def _samples(labels: ArrayLike, counts: ArrayLike) -> tuple[Codes, Codes]:
    """Labels (sample,) and counts (sample, neuron), two samples or more."""
    classes = as_integers(labels, "labels", -LARGEST, LARGEST)
    spikes = as_integers(counts, "counts", 0, LARGEST)
    if classes.ndim != 1 or spikes.ndim != 2 or len(classes) != len(spikes) or len(classes) < 2:
        raise DlmError(
            f"labels of shape {classes.shape} and counts of shape {spikes.shape}; give (sample,) and (sample, neuron) "
            "of at least 2 samples"
        )
    return classes, spikes


def _times(labels: Codes, counts: NDArray) -> int:
    """Greatest common divisor of how often each pair of label and counts is there; 1 where chance could share one.

    Samples that are drawn coincide too, but unevenly. A label's number of samples is given, so that of its pairs one is
    not free.
    """
    alike = Counter((label, row.tobytes()) for label, row in zip(labels.tolist(), counts, strict=True))
    free = len(alike) - len(np.unique(labels))
    return int(np.gcd.reduce(list(alike.values()))) if free >= EVEN else 1


def _decoded(labels: Codes, counts: NDArray, others: NDArray, n_classes: int) -> Codes:
    """The likeliest labels of other samples; a class without a sample is none."""
    samples = np.bincount(labels, minlength=n_classes)
    sums = np.zeros((n_classes, counts.shape[1]))
    np.add.at(sums, labels, counts)
    # Half a spike more keeps the logarithm of a neuron that was silent.
    rate = (sums + 0.5) / np.maximum(samples, 1)[:, None]
    with np.errstate(divide="ignore"):
        prior = np.log(samples)
    return np.asarray(np.argmax(others @ np.log(rate).T - rate.sum(1) + prior, axis=1))


def fano_bound(labels: ArrayLike, decoded: ArrayLike, rng: np.random.Generator, name: str = "Fano's bound") -> Finding:
    """A lower bound of I(label; decoded label) from the share of errors e alone: H - h(e) - e ln(K - 1), nats.

    H is the entropy of the K labels (Grassberger's), h(e) = -e ln e - (1 - e) ln(1 - e). A table of K x K pairs needs
    many samples; e needs few. Its interval is Wilson's, that of H is the standard error of -ln p(label); the distances
    of the ends from the bound are added as squares.

    Args:
        labels, decoded: (sample,) whole numbers, of independent samples.
        rng: of the shuffles.
        name: of the finding.

    Returns:
        The bound; not resolved where there are fewer than 5 samples per label, where labels in random order give as
        much, or where its interval holds 0.

    Raises:
        DlmError: see ``mutual_information``.

    Source: Fano (1961); Cover and Thomas, Elements of Information Theory, theorem 2.10.1.
    """
    check_generator(rng)
    true, given = (one.ravel() for one in paired(labels, decoded, ("labels", "decoded")))
    kinds, codes, counts = np.unique(true, return_inverse=True, return_counts=True)
    how = "errors of a decoder, Fano's inequality, Wilson's interval"
    size = {"samples": true.size, "labels": kinds.size}
    if kinds.size < 2:
        return Finding(name, None, None, "nats", how, size, doubts=(f"all samples have the label {kinds[0]}",))
    whole = entropy(counts)
    known = spread_of_mean(-np.log(counts / true.size)[codes][:, None]).half

    def bound(error: float) -> float:
        return whole - _lost(error, kinds.size)

    error = float(np.mean(true != given))
    least, most = wilson_95(error, true.size)
    estimate = bound(error)
    low = estimate - float(np.hypot(estimate - bound(most), known))
    high = estimate + float(np.hypot(bound(least) - estimate, known))
    nulls = np.array([bound(float(np.mean(rng.permutation(true) != given))) for _ in range(draws(true.size))])
    control = Control("labels shuffled", float(nulls.mean()), middle(nulls))
    doubts = []
    if true.size < FEWEST * kinds.size:
        doubts.append(f"{true.size} samples of {kinds.size} labels; {FEWEST} each are needed")
    if low <= 0:
        doubts.append(f"0 lies in [{low:.2g}, {high:.2g}]")
    elif control.interval is not None and estimate <= control.interval[1]:
        doubts.append(f"no more than the control '{control.name}' gives")
    return Finding(name, estimate, (low, high), "nats", how, size, (control,), tuple(doubts))


def _lost(error: float, n_labels: int) -> float:
    """h(e) + e ln(K - 1), the most that an error of e can hide; beyond chance, what chance hides."""
    from scipy.special import entr

    e = min(error, 1 - 1 / n_labels)
    return float(entr(e) + entr(1 - e) + e * np.log(n_labels - 1))
