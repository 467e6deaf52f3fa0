"""Common slips of a new user: the line names the true cause and a remedy that works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import snntorch as snn
import torch
from torch import Tensor, nn

import dlm_snn as dlm
from dlm_snn.exchange.torch_modules import refusals as why
from dlm_snn.exchange.torch_modules.refusals import RefusedError
from tests.test_torch_lines import BATCH, STEPS, N, Two, drawn


def refused(module: nn.Module, sample: Any = None, **options: Any) -> RefusedError:
    torch.manual_seed(0)
    with pytest.raises(RefusedError) as error:
        dlm.from_torch(module, drawn(STEPS, BATCH, N) if sample is None else sample, **options)
    assert "\n" not in str(error.value)
    return error.value


class Recurrent(nn.Module):
    """With the states that its loop passes on."""

    def __init__(self, kind: type[nn.Module], passed: Callable[[list[Tensor]], list[Tensor]] = list) -> None:
        super().__init__()
        torch.manual_seed(0)
        more = {} if kind in (snn.RLeaky, snn.Leaky) else {"alpha": 0.5}
        more |= {"linear_features": N} if kind in (snn.RLeaky, snn.RSynaptic) else {}
        self.fc, self.lif = nn.Linear(N, N), kind(beta=0.75, threshold=0.25, **more)
        self.passed = passed

    def forward(self, x: Tensor) -> list[Tensor]:
        states: Any = []
        found = []
        for frame in x:
            given = self.lif(self.fc(frame), *states)
            states = self.passed(list(given))
            found.append(given[0])
        return found


@pytest.mark.parametrize("kind", [snn.RLeaky, snn.RSynaptic])
def test_a_recurrent_neuron_without_its_spikes_is_told_to_take_them(kind: type[nn.Module]) -> None:
    assert dlm.from_torch(Recurrent(kind), drawn(STEPS, BATCH, N)).proof.layers[0].spikes
    error = refused(Recurrent(kind, lambda given: given[1:]))
    assert error.refusal is why.HALF_A_STATE
    assert "pass on all that a call takes, its spikes too" in str(error)


def test_a_synaptic_neuron_without_its_current_is_told_to_take_all() -> None:
    assert refused(Recurrent(snn.Synaptic, lambda given: given[2:])).refusal is why.HALF_A_STATE


def hooked(at: str, hook: Any) -> nn.Module:
    module = Recurrent(snn.RLeaky)
    module.get_submodule(at).register_forward_hook(hook)
    return module


@pytest.mark.parametrize("at", ["lif", "lif.recurrent"])
@pytest.mark.parametrize("hook", [lambda *given: None, lambda module, given, out: out], ids=["looks", "returns"])
def test_a_hook_on_a_neuron_is_told_to_be_removed(at: str, hook: Any) -> None:
    error = refused(hooked(at, hook))
    assert error.refusal is why.HOOKED
    assert "remove a hook that only looks" in str(error)


def test_a_recurrence_of_several_parts_is_refused_by_its_name() -> None:
    module = Recurrent(snn.RLeaky)
    module.lif.recurrent = nn.Sequential(nn.Linear(N, 2), nn.Linear(2, N))
    line = "layer 'lif' (RLeaky): the recurrence is a Sequential; give one Linear or Conv2d"
    assert str(refused(module)).startswith(line)


class OneStep(nn.Module):
    """With a state of its own, from what it is given at first."""

    def __init__(self, first: Any) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.fc, self.lif = nn.Linear(N, N), snn.Leaky(beta=0.75, threshold=0.25)
        self.kept = {"mem": self.lif.init_leaky() if first == "init" else first}

    def forward(self, x: Tensor) -> Tensor:
        spikes, self.kept["mem"] = self.lif(self.fc(x), self.kept["mem"])
        return spikes


@pytest.mark.parametrize("first", [None, "init", torch.zeros(BATCH, N)], ids=["None", "init_leaky", "zeros"])
def test_a_step_with_a_state_of_its_own_begins_anew_with_each_sample(first: Any) -> None:
    imported = dlm.from_torch(OneStep(first), drawn(STEPS, BATCH, N), check=drawn(STEPS, BATCH, N, seed=2))
    module, x = OneStep(first), drawn(STEPS, BATCH, N, seed=1)
    theirs = np.stack([module(step).detach().numpy() for step in x], axis=1) > 0
    for _ in range(2):
        spikes = dlm.run(imported.network, imported.encode(x), n_steps=STEPS).rasters["lif"].dense()
        np.testing.assert_array_equal(spikes, theirs)
    assert theirs.any()


def test_a_step_that_has_been_called_is_not_at_rest() -> None:
    assert refused(OneStep(torch.ones(BATCH, N))).refusal is why.NOT_AT_REST


def test_a_sample_of_one_step_is_told_to_be_longer() -> None:
    error = refused(Two(), drawn(1, 4, N))
    assert error.refusal is why.FEW_STEPS
    assert refused(Two(), drawn(2, 4, N)).refusal is why.FEW_STEPS
