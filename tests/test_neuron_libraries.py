"""spikingjelly, norse and sinabs themselves: ``make test-libraries``."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import version

import numpy as np
import pytest
import torch
from torch import nn

import dlm_snn as dlm
from tests.libraries.make_golden import NAMES, rounded
from tests.libraries.nets import Net, sample
from tests.libraries.styles import STYLES
from tests.libraries.trying import GOLDEN, ON_GRID, OWN, tried

pytestmark = [
    pytest.mark.skipif(not OWN, reason="needs the libraries themselves: make test-libraries"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
OLDER = {"spikingjelly": "0.0.0.0.14", "sinabs": "2.0.3"}
"""Versions that make the same spikes, the second run of ``make test-libraries``."""
DRAWN = 40
"""Random networks of each library."""


@pytest.mark.parametrize("library", NAMES)
def test_the_installed_library_is_a_known_one(library: str) -> None:
    assert version(library) in (GOLDEN[library]["version"], OLDER.get(library))


@pytest.mark.parametrize("library", NAMES)
def test_float32_makes_the_same_spikes_on_the_grid(library: str) -> None:
    with tried(library) as found:
        differ = rounded(found)
    if version(library) == GOLDEN[library]["version"]:
        assert differ == GOLDEN[library]["float32"]
    assert not any(differ.get(case, 0) for own, case in ON_GRID if own == library)


NEURONS = {
    "spikingjelly": ("spikingjelly.activation_based.neuron", r".*"),
    "norse": ("norse.torch", r"(?!Regularization).*Cell$|(LI|LIF|LSNN|IAF|Izhikevich)(?!.*Encoder)"),
    "sinabs": ("sinabs.layers", r"(A?LIF|IAF|ExpLeak|StatefulLayer)"),
}
"""Where the neurons of a library are, and what they are called."""


@pytest.mark.parametrize("library", NAMES)
def test_every_neuron_of_a_library_is_taken_or_refused_by_name(library: str) -> None:
    place, names = NEURONS[library]
    with tried(library):
        table = import_module(f"dlm_snn.exchange.torch_modules.{library}_table").TABLE
        modules = [kind for kind in vars(import_module(place)).values() if isinstance(kind, type)]
    neurons = [kind for kind in modules if issubclass(kind, nn.Module) and re.match(names, kind.__name__)]
    assert len(neurons) >= 10
    assert not [kind for kind in neurons if not issubclass(kind, table.stateful)]


@pytest.mark.parametrize("style", STYLES)
def test_a_style_is_taken_and_fires_in_every_layer(style: str) -> None:
    torch.manual_seed(0)
    module, given, call = STYLES[style]()
    layers = dlm.from_torch(module, given, call).proof.layers
    assert len(layers) >= 2
    assert all(layer.v_difference is not None or layer.spikes for layer in layers)


@pytest.mark.parametrize("library", NAMES)
def test_drawn_networks_are_equal(library: str) -> None:
    """Options and weights at random; a network that differs in a spike would be refused."""
    rng = np.random.default_rng(22)
    spikes = 0
    with tried(library) as found:
        for _ in range(DRAWN):
            net = Net(found.drawn(rng), found.call)
            with torch.no_grad():
                for linear in (net.first, net.second):
                    linear.weight.mul_(rng.uniform(0.5, 1.5))
            layers = dlm.from_torch(net, sample(int(rng.integers(1000)))).proof.layers
            spikes += sum(layer.spikes or 0 for layer in layers)
    assert spikes > 1000 * DRAWN
