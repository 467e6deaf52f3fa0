"""Common slips of a new user: the line names the true cause and a remedy that works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import snntorch as snn
import torch
from torch import Tensor, nn
from torch.nn import functional as F

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


class Normalized(Two):
    def __init__(self, between: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.norm, self.made = nn.BatchNorm1d(N).eval(), between
        self.norm.running_mean += 0.25

    def between(self, spikes: Tensor) -> Tensor:
        return self.fc2(self.made(self, spikes))


FUNCTIONS = [F.relu, F.leaky_relu, F.elu, F.gelu, torch.tanh, torch.sigmoid]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_of_normalized_currents_is_named(function: Callable[[Tensor], Tensor]) -> None:
    error = refused(Normalized(lambda m, s: function(m.norm(m.fc1(s)))))
    assert error.refusal is why.FUNCTION
    assert f"it is fed by what {function.__name__} makes of a layer" in str(error)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_a_function_of_normalized_spikes_has_two_values(function: Callable[[Tensor], Tensor], factor: float) -> None:
    torch.manual_seed(0)
    module = Normalized(lambda m, s: function(m.norm(factor * s.to(m.fc1.weight.dtype))) - 0.125).double()
    x = drawn(STEPS, BATCH, N, seed=1)
    theirs = module(x.double()).transpose(0, 1).detach().numpy() > 0
    imported = dlm.from_torch(module, drawn(STEPS, BATCH, N))
    spikes = dlm.run(imported.network, imported.encode(x), n_steps=STEPS).rasters["lif2"].dense()
    np.testing.assert_array_equal(spikes, theirs)
    assert theirs.any()


@pytest.mark.parametrize(
    "between",
    [lambda m, s: m.fc1(s).gather(1, s.long()), lambda m, s: m.fc1.bias[s.long()], lambda m, s: s.gather(1, s.long())],
    ids=["gather", "getitem", "gather of spikes"],
)
def test_places_that_spikes_tell_are_named(between: Callable[[Any, Tensor], Tensor]) -> None:
    assert refused(Normalized(between)).refusal in (why.FUNCTION, why.PRODUCT)


class Restarted(Two):
    def forward(self, x: Tensor) -> Any:
        mem1, mem2, found = self.lif1.init_leaky(), self.lif2.init_leaky(), []
        for number, frame in enumerate(x):
            if number == 3:
                mem1 = self.lif1.init_leaky()
            spk1, mem1 = self.lif1(self.fc1(frame), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            found.append(spk2)
        return torch.stack(found)


class OneRestarted(Restarted):
    def forward(self, x: Tensor) -> Any:
        mem, found = self.lif1.init_leaky(), []
        for number, frame in enumerate(x):
            if number == 3:
                mem = self.lif1.init_leaky()
            spikes, mem = self.lif1(self.fc1(frame), mem)
            found.append(spikes)
        return torch.stack(found)


@pytest.mark.parametrize(("kind", "steps"), [(Restarted, 8), (Restarted, 5), (OneRestarted, 8), (OneRestarted, 5)])
def test_a_state_that_begins_anew_in_the_middle_is_named(kind: type[nn.Module], steps: int) -> None:
    error = refused(kind(), drawn(steps, BATCH, N))
    assert error.refusal is why.RESTARTED
    assert f"'lif1' (Leaky): its state begins anew at call 3 of {steps}; make the state once" in str(error)


def test_a_lazy_part_is_told_to_be_run_once() -> None:
    module = Two()
    module.fc1 = nn.LazyLinear(N)
    line = "the module: its lazy parts (fc1) have no parameters yet; run the module once, on a sample"
    assert str(refused(module)).startswith(line)
    module(drawn(STEPS, BATCH, N))
    assert dlm.from_torch(module, drawn(STEPS, BATCH, N)).proof.samples == BATCH


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["fc2.weight", "fc1.bias", "one.weight"])
def test_a_parameter_that_is_not_finite_is_named(name: str, value: float) -> None:
    class Read(Two):
        def forward(self, x: Tensor) -> Any:
            return [self.one(spikes) for spikes in super().forward(x)]

    module = Read()
    with torch.no_grad():
        module.get_parameter(name).view(-1)[0] = value
    error = refused(module)
    assert error.refusal is why.NOT_FINITE
    assert name in str(error)


@pytest.mark.parametrize("given", [None, [[0, 1], [1, 0]], 3, "events"], ids=str)
def test_what_holds_no_tensor_is_not_encoded(given: Any) -> None:
    with pytest.raises(RefusedError, match=f"it is a {type(given).__name__} without a tensor; give tensors or arrays"):
        dlm.from_torch(Two(), drawn(STEPS, BATCH, N)).encode(given)
