"""The drawn networks are what they are meant to be: here some of them, with ``make test-long`` all 200."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from dlm_snn import run
from dlm_snn.neurons.models import spikes
from tests import drawing
from tests.drawing import LEAST, MOST, SEEDS
from tests.drawn_features import BOTH, EACH, FLOAT_ONLY, INTEGER_ONLY, WRAPPING, features

FORMS = {"integer": drawing.integer, "floats": drawing.floats}


def check(form: str, seed: int) -> set[str]:
    """Raise unless the network is large and busy enough; its features."""
    network, stimulus, n_steps = FORMS[form](seed)
    recording = run(network, stimulus, n_steps, record=("s", "u", "v"))
    assert n_steps >= 50
    assert all(neuron.n >= 20 for neuron in network.neurons.values())
    rates = {name: recording.rasters[name].rate for name, neuron in network.neurons.items() if spikes(neuron)}
    assert all(LEAST <= rate <= MOST for rate in rates.values()), rates
    return features(network, stimulus, recording)


@pytest.mark.parametrize("seed", SEEDS[::25])
@pytest.mark.parametrize("form", FORMS)
def test_some_are_large_and_busy_enough(form, seed):
    check(form, seed)


def test_the_same_seed_gives_the_same_network():
    for draw in FORMS.values():
        again = draw.__wrapped__(3)
        assert again[0].digest() == draw(3)[0].digest()
        for name, given in draw(3)[1].items():
            np.testing.assert_array_equal(again[1][name], given)


@pytest.mark.long
def test_all_hold_every_feature_often_enough():
    seen = {form: Counter(f for seed in SEEDS for f in check(form, seed)) for form in FORMS}
    wanted = {"integer": BOTH | INTEGER_ONLY, "floats": BOTH | FLOAT_ONLY}
    rare = {(form, f): seen[form][f] for form in FORMS for f in wanted[form] if seen[form][f] < EACH}
    assert rare == {}
    assert seen["integer"]["wraps"] >= WRAPPING
    assert seen["integer"]["beyond one wrap"] > 0
    assert seen["integer"]["saturates"] > 0
