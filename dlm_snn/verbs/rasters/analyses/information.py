"""``dlm-snn analyze --what information``: what spikes say about labels, other layers and each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dlm_snn.verbs.rasters.analyses.outcome import Outcome, Part
from dlm_snn.verbs.rasters.analyses.run_answers import answers_of

if TYPE_CHECKING:
    import numpy as np

    from dlm_snn.analysis.finding import Finding
    from dlm_snn.runs.raster import SpikeRaster

NEURONS = 3
"""Neurons whose counts are held against the labels."""
LABELS = ("label", "class", "target", "condition", "stimulus")
"""Columns of a table of trials that tell what a sample is, the first that is there."""


def analyze(selected: Part, population: str, rng: np.random.Generator) -> Outcome:
    """Counts against labels, where the file has labels; this layer against the next; two neurons against each other."""
    raster, called = selected.rasters[population], selected.called(population)
    labels = labels_of(selected, population)
    found = [] if labels is None or len(labels) != raster.n_samples else list(_of_labels(raster, labels, rng, called))
    found += [*_to_the_next(selected, population, rng), *_between(raster, rng, called)]
    resolved = [finding for finding in found if finding.resolved]
    told = f"{len(resolved)} of {len(found)} figures resolved{', ' if resolved else ''}"
    return Outcome(found, conclusion=told + "; ".join(map(str, resolved[:2])) if found else "")


def labels_of(selected: Part, population: str) -> list[int] | None:
    """What each selected sample is, as the number of its kind; None where neither trials nor a run tell."""
    answers = answers_of(selected.path)
    if answers is not None:
        # A run's rasters are those of the first samples of its test set.
        whole = answers.labels[: selected.stored.rasters[population].n_samples]
        return [int(label) for label in whole[selected.samples]]
    trials = list(selected.stored.trials)[selected.samples]
    column = next((name for name in LABELS if trials and all(name in trial for trial in trials)), None)
    if column is None:
        return None
    kinds = {kind: i for i, kind in enumerate(dict.fromkeys(str(trial[column]) for trial in trials))}
    return [kinds[str(trial[column])] for trial in trials]


def _of_labels(
    raster: SpikeRaster, labels: list[int], rng: np.random.Generator, called: list[str]
) -> Iterator[Finding]:
    from dlm_snn.analysis.estimators.decoder import decoder_bound
    from dlm_snn.analysis.estimators.information import mutual_information
    from dlm_snn.analysis.estimators.pools import liveliest

    counts = raster.counts()
    for neuron in liveliest(raster, NEURONS):
        yield mutual_information(labels, counts[:, neuron], rng, name=f"I(label; count of neuron {called[neuron]})")
    if len(labels) > 1:
        yield decoder_bound(labels, counts, rng, name="decoder bound of I(label; all counts)")


def _to_the_next(selected: Part, population: str, rng: np.random.Generator) -> Iterator[Finding]:
    """The pools of the next layer with the same samples and steps, if there is one."""
    from dlm_snn.analysis.estimators.information_pools import pool_information

    network: Any = selected.stored.network
    order = [name for name in (network.order if network else selected.rasters) if name in selected.rasters]
    if population not in order[:-1]:
        return
    after = order[order.index(population) + 1]
    first, second = selected.rasters[population], selected.rasters[after]
    if first.extent[:2] == second.extent[:2] and first.n_neurons and second.n_neurons and len(first):
        yield pool_information(first, second, rng, name=f"I(2 neurons; 2 neurons of {after})")


def _between(raster: SpikeRaster, rng: np.random.Generator, called: list[str]) -> Iterator[Finding]:
    from dlm_snn.analysis.estimators.pools import liveliest
    from dlm_snn.analysis.estimators.transfer import transfer_entropy

    pair = liveliest(raster, 2)
    if len(pair) < 2:
        from dlm_snn.analysis.finding import Finding

        yield Finding("transfer entropy", None, doubts=("does not apply: needs two neurons or more",))
        return
    if raster.n_steps < 2 or not raster.n_samples:
        return
    spikes = raster[:, :, pair].dense()
    for source, target in ((0, 1), (1, 0)):
        name = f"transfer entropy of neuron {called[pair[source]]} to {called[pair[target]]}"
        found = transfer_entropy(spikes[..., source], spikes[..., target], rng, name=name)
        yield replace(found, estimator=f"{found.estimator}; the two most active neurons")
