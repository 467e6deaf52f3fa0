"""``dlm-snn analyze --what stability``: how one flipped spike grows or dies out, and periods of integer networks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from dlm_snn.verbs.rasters.analyses.outcome import Outcome, Part
from dlm_snn.verbs.rasters.analyses.run_answers import answers_of

if TYPE_CHECKING:
    import numpy as np

    from dlm_snn.analysis.finding import Finding

MOST_STEPS = 100_000
"""Steps in which a state may come back."""


def analyze(selected: Part, population: str, rng: np.random.Generator) -> Outcome:
    """Flip spikes of this population, on what fed the network; where nothing feeds it, look for its period."""
    network: Any = selected.stored.network
    if network is None:
        return Outcome([_missing("a network; give a run or a recording")])
    if population not in network.neurons:
        return Outcome([_missing("neurons, and this population is an Input")])
    from dlm_snn.analysis.estimators.damage import damage_spreading
    from dlm_snn.analysis.estimators.periods import find_period
    from dlm_snn.analysis.plots.damage_plot import draw_damage

    fed = {name: one for name, one in network.inputs.items() if not one.constant}
    stimulus, n_steps = _stimulus(selected, population, fed)
    lacking = [name for name in fed if name not in stimulus]
    if lacking:
        return Outcome([_missing(f"what fed the Input '{lacking[0]}', which the file does not hold")])
    damage = damage_spreading(network, stimulus, n_steps, rng, populations=[population])
    found = damage.findings()
    if not fed and _is_integer(network):
        found += find_period(network, max_steps=MOST_STEPS).findings()
    return Outcome(found, {"damage": partial(draw_damage, damage)})


def _is_integer(network: Any) -> bool:
    from dlm_snn.networks.network import IntegerNetwork

    return isinstance(network, IntegerNetwork)


def _missing(what: str) -> Finding:
    from dlm_snn.analysis.finding import Finding

    return Finding("damage slope", None, doubts=(f"needs {what}",))


def _stimulus(selected: Part, population: str, fed: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """What fed the Inputs: their rasters where the file has them, or the images that a run keeps; and steps."""
    whole = selected.stored.rasters
    stimulus = {name: whole[name] for name in fed if name in whole}
    answers = answers_of(selected.path)
    if len(fed) == 1 and not stimulus and answers is not None and len(answers.images):
        name, population_in = next(iter(fed.items()))
        images = answers.images.reshape(len(answers.images), -1)
        if images.shape[1] == population_in.n and population_in.graded_bits is not None:
            stimulus = {name: images}
    return stimulus, whole[population].n_steps
