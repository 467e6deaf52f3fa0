"""Torch modules of any class: what comes in is equal to the module in every layer, the rest is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import dlm_snn as dlm
from dlm_snn.exchange.torch_modules.refusals import Refusal, RefusedError
from tests.torch_foolers import FOOLERS, SAMPLE
from tests.torch_styles import (
    BATCH,
    STEPS,
    STYLES,
    HandMadeRecurrence,
    Learned,
    OneNeuronTwice,
    PooledSpikes,
    Residual,
    made,
)

TAKEN = [kind for kind in STYLES if not hasattr(kind, "refused")]


@pytest.mark.parametrize("quarters", [False, True])
@pytest.mark.parametrize("kind", TAKEN, ids=lambda kind: kind.__name__)
def test_a_style_is_taken_and_equal_in_every_layer(kind: Any, quarters: bool) -> None:
    module = made(kind, quarters)
    imported = dlm.from_torch(module, kind.sample(0), check=kind.sample(7))
    proof = imported.proof
    assert (proof.steps, proof.samples, proof.digest) == (STEPS, 2 * BATCH, imported.network.digest())
    layers = {layer.population for layer in proof.layers}
    assert layers == set(imported.network.neurons)
    assert all(layer.spikes or layer.v_difference is not None for layer in proof.layers)


@pytest.mark.parametrize("kind", [kind for kind in STYLES if hasattr(kind, "refused")], ids=lambda kind: kind.__name__)
def test_a_style_without_an_equal_is_refused_with_a_remedy(kind: Any) -> None:
    with pytest.raises(dlm.UnsupportedError, match=kind.refused):
        dlm.from_torch(made(kind), kind.sample(0))


def test_ten_of_twelve_styles_come_in() -> None:
    assert (len(TAKEN), len(STYLES)) == (10, 12)


@pytest.mark.parametrize("kind", [PooledSpikes, OneNeuronTwice, Residual, HandMadeRecurrence])
def test_membranes_meet_the_threshold_on_quarters(kind: Any) -> None:
    """Or > and >= could not be told apart."""
    imported = dlm.from_torch(made(kind, quarters=True), kind.sample(0))
    recording = dlm.run(imported.network, imported.input, n_steps=STEPS, record=("v",))
    met = {
        name: int((recording.v[name] == population.v_threshold).sum())
        for name, population in imported.network.neurons.items()
    }
    assert sum(met.values()) > 0, met


def test_the_users_module_stays_as_it_was() -> None:
    module: Any = made(Learned).train()
    module.lif1.mem = torch.full((3, 20), 0.5)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.random.get_rng_state()
    dlm.from_torch(module, Learned.sample(0))
    assert module.training
    assert torch.get_default_dtype() == torch.float32
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.equal(module.lif1.mem, torch.full((3, 20), 0.5))
    for name, value in module.state_dict().items():
        assert value.dtype == before[name].dtype
        assert torch.equal(value, before[name])
    assert not module.lif1._forward_hooks


@pytest.mark.parametrize(("kind", "refusal"), FOOLERS, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_made_to_fool_is_refused_by_name(kind: Any, refusal: Refusal) -> None:
    torch.manual_seed(2)
    with pytest.raises(RefusedError) as error:
        dlm.from_torch(kind(), SAMPLE)
    assert error.value.refusal is refusal, str(error.value)
    assert "\n" not in str(error.value)
