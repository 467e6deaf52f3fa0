"""snnTorch chooses the reset when it makes a neuron: what ``reset_mechanism`` is set to later does nothing in a run."""

from __future__ import annotations

import copy
import warnings
from itertools import product
from typing import Any

import numpy as np
import pytest
import snntorch as snn
import torch
from torch import Tensor, nn

import dlm_snn as dlm
from dlm_snn.errors import LossWarning
from dlm_snn.exchange.snntorch.neurons import reset_of

RESETS = ("subtract", "zero", "none")
KINDS: dict[type, dict[str, Any]] = {
    snn.Leaky: {"beta": 0.75},
    snn.Synaptic: {"alpha": 0.5, "beta": 0.75},
    snn.RLeaky: {"beta": 0.75, "linear_features": 8},
}
RECURRENT = (snn.RLeaky, snn.RSynaptic)


class One(nn.Module):
    def __init__(self, neuron: Any) -> None:
        super().__init__()
        self.fc, self.lif = nn.Linear(8, 8), neuron

    def forward(self, x: Tensor) -> list[Tensor]:
        states, found = (), []
        for frame in x:
            spikes, *others = self.lif(self.fc(frame), *states)
            states = (spikes, *others) if isinstance(self.lif, snn.RLeaky) else tuple(others)
            found.append(spikes)
        return found


def made(kind: type, first: str, then: str, delayed: bool = True) -> One:
    torch.manual_seed(0)
    module = One(kind(**KINDS[kind], threshold=0.25, reset_mechanism=first, reset_delay=delayed))
    module.lif.reset_mechanism = then
    return module


def sample(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand((6, 4, 8), generator=generator) < 0.5).float()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("first", "then"), list(product(RESETS, RESETS)))
def test_the_network_resets_as_the_run_does(kind: type, first: str, then: str) -> None:
    module = made(kind, first, then)
    theirs = np.array([spikes.detach().numpy() for spikes in copy.deepcopy(module)(sample(1))]) > 0
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            imported = dlm.from_torch(module, sample(0))
        except dlm.UnsupportedError:
            # As a neuron that was made so.
            with pytest.raises(dlm.UnsupportedError):
                dlm.from_torch(made(kind, first, first), sample(0))
            return
        encoded = imported.encode(sample(1))
    assert any(issubclass(warning.category, LossWarning) for warning in told) == (first != then)
    assert imported.network.digest() == dlm.from_torch(made(kind, first, first), sample(0)).network.digest()
    if first != "none":
        ours = dlm.run(imported.network, encoded, n_steps=6).rasters["lif"].dense()
        np.testing.assert_array_equal(ours.transpose(1, 0, 2), theirs)


def test_without_a_proof_too() -> None:
    module = made(snn.Leaky, "subtract", "zero")
    with pytest.warns(LossWarning, match="made with reset_mechanism='subtract', and runs so"):
        network = dlm.from_snntorch(nn.Sequential(module.fc, module.lif))
    assert network.populations["output"].reset == "subtract"  # type: ignore[union-attr]


@pytest.mark.parametrize(("first", "then"), [(a, b) for a, b in product(RESETS, RESETS) if a != b])
def test_two_resets_at_once_are_refused(first: str, then: str) -> None:
    with pytest.raises(dlm.UnsupportedError, match=f"make it anew with reset_mechanism='{then}'"):
        dlm.from_torch(made(snn.Leaky, first, then, delayed=False), sample(0))


def test_a_state_function_of_ones_own_is_refused() -> None:
    module = made(snn.Leaky, "subtract", "subtract")
    module.lif.state_function = lambda current: current
    assert reset_of(module.lif) is None
    with pytest.raises(dlm.UnsupportedError, match="a state_function of its own; use snnTorch's"):
        dlm.from_torch(module, sample(0))


class Quarters(nn.Module):
    """Weights in steps of 1/4, so that membranes meet the threshold; states of zeros at first."""

    def __init__(self, kind: type, options: dict[str, Any]) -> None:
        super().__init__()
        torch.manual_seed(0)
        own = {**KINDS.get(kind, {"alpha": 0.5, "beta": 0.5, "linear_features": 8}), "beta": 0.5}
        self.fc, self.lif = nn.Linear(8, 8), kind(**own, threshold=0.5, **options)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.round(parameter * 12) / 4)

    def forward(self, x: Tensor) -> Tensor:
        kind = type(self.lif)
        states: Any = [torch.zeros(x.shape[1], 8)] * (3 if kind is snn.RSynaptic else 1 if kind is snn.Leaky else 2)
        found = []
        for frame in x:
            spikes, *others = self.lif(self.fc(frame), *states)
            states = [spikes, *others] if kind in RECURRENT else others
            found.append(spikes)
        return torch.stack(found)


@pytest.mark.parametrize("delayed", [True, False])
@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("kind", [*KINDS, snn.RSynaptic])
def test_a_reset_a_step_late_or_at_once_is_what_the_run_does(kind: type, reset: str, delayed: bool) -> None:
    module = Quarters(kind, {"reset_mechanism": reset, "reset_delay": delayed})
    if reset == "subtract" and not delayed and kind is not snn.RSynaptic:
        with pytest.raises(dlm.UnsupportedError, match="subtracts before the decay"):
            dlm.from_torch(module, sample(0))
        return
    x = torch.cat([sample(seed) for seed in range(1, 6)])
    theirs = copy.deepcopy(module)(x).detach().transpose(0, 1).numpy() > 0
    imported = dlm.from_torch(module, x)
    spikes = dlm.run(imported.network, imported.input, n_steps=len(x)).rasters["lif"].dense()
    np.testing.assert_array_equal(spikes, theirs)
    assert 0.05 < theirs.mean() < 0.95
    late = reset == "zero" and kind is not snn.Leaky and (delayed or kind is snn.RSynaptic)
    lif: Any = imported.network.populations["lif"]
    assert lif.refractory == int(late)
    if late:
        assert theirs[:, 1:][theirs[:, :-1]].sum() == 0
