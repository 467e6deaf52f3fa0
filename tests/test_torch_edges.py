"""Refusals of torch modules that a whole style does not show: copies, scripts, refused networks, sums that round."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import snntorch as snn
import torch
from torch import Tensor, nn

import dlm_snn as dlm
from dlm_snn.exchange.torch_modules import refusals as why
from dlm_snn.exchange.torch_modules.neurons import ForeignNeuron
from dlm_snn.exchange.torch_modules.recorder import Recorder
from dlm_snn.exchange.torch_modules.refusals import RefusedError
from tests.torch_foolers import SAMPLE, Two


def refused(module: nn.Module, sample: Tensor = SAMPLE, **options: Any) -> RefusedError:
    with pytest.raises(RefusedError) as error:
        dlm.from_torch(module, sample, **options)
    assert "\n" not in str(error.value)
    return error.value


class SumOfThree(nn.Module):
    """Three spikes, weighed .1, .2 and .3 and added in the order that the module is given."""

    def __init__(self, last_first: bool) -> None:
        super().__init__()
        self.last_first = last_first
        self.copy, self.lif = (
            snn.Leaky(beta=0.5, threshold=threshold, reset_mechanism="zero") for threshold in (0.5, 0.6)
        )
        self.fc = nn.Linear(3, 3, bias=False)
        self.fc.weight = nn.Parameter(torch.eye(3))
        self.lif.threshold = torch.tensor(0.6, dtype=torch.float64)
        self.weight = nn.Parameter(torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2, found = self.copy.init_leaky(), self.lif.init_leaky(), []
        for step in x:
            spikes, mem1 = self.copy(self.fc(step), mem1)
            one, two, three = (spikes[:, i : i + 1] * self.weight[i] for i in range(3))
            current = one + (two + three) if self.last_first else (one + two) + three
            spikes, mem2 = self.lif(current, mem2)
            found.append(spikes)
        return torch.stack(found)


def test_a_sum_that_rounds_to_the_threshold_is_refused_as_a_tie() -> None:
    """(.1 + .2) + .3 is above .6 by a bit, .1 + (.2 + .3) is not; a network adds from the left."""
    sample = torch.ones(4, 2, 3)
    assert dlm.from_torch(SumOfThree(last_first=False), sample).proof.layers[-1].spikes == 8
    error = refused(SumOfThree(last_first=True), sample)
    assert error.refusal is why.TOLD_APART
    assert "threshold" in error.values["advice"], error.values


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_scripted_module_is_refused() -> None:
    error = refused(torch.jit.script(nn.Linear(36, 5)))
    assert error.refusal is why.SCRIPTED


def test_what_cannot_be_copied_is_refused_and_stays() -> None:
    module: Any = Two()
    module.lock = threading.Lock()
    error = refused(module)
    assert error.refusal is why.NO_COPY
    assert "lock" in error.values["error"]
    assert not module.lif1._forward_hooks


def test_a_parameter_that_no_network_takes_is_refused_with_its_layer() -> None:
    module = Two()
    module.lif2.beta = torch.tensor(float("nan"))
    error = refused(module)
    assert str(error) == "layer 'lif2' (Leaky): dv holds NaN or infinity; give finite numbers"


def test_what_a_reader_of_ones_own_refuses_is_refused_with_its_layer() -> None:
    class Own(snn.Leaky):
        pass

    def read(module: nn.Module, shape: tuple[int, ...], where: str) -> ForeignNeuron:
        return ForeignNeuron(dlm.LIF(shape, dv=2.0))

    module = Two()
    module.lif2 = Own(beta=0.75)
    error = refused(module, neurons={Own: read})
    assert error.refusal is why.NETWORK
    assert str(error).startswith("layer 'lif2' (Own): the network that it makes is refused: dv ")


def test_a_rule_that_fails_on_a_call_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a traceback: a call that torch takes and we do not know the form of."""

    def fails(call: Any) -> Any:
        raise KeyError("dim")

    made = Recorder.__init__

    def with_a_rule_that_fails(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        self._rules["linear"] = fails

    monkeypatch.setattr(Recorder, "__init__", with_a_rule_that_fails)
    error = refused(Two())
    assert error.refusal is why.UNKNOWN_CALL
    assert "KeyError: 'dim'" in str(error)


def with_one(value: float) -> Tensor:
    """The sample with one value that is another."""
    other = SAMPLE.clone()
    other.view(-1)[7] = value
    return other


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        (with_one(float("nan")), "holds NaN or infinity"),
        (with_one(float("-inf")), "holds NaN or infinity"),
    ],
    ids=["nan", "inf"],
)
def test_a_sample_without_values_is_refused_everywhere(sample: Tensor, found: str) -> None:
    imported = dlm.from_torch(Two(), SAMPLE)
    for used in (lambda: dlm.from_torch(Two(), sample), lambda: imported.encode(sample)):
        with pytest.raises(RefusedError, match=found) as error:
            used()
        assert error.value.refusal is why.NOT_VALUES


def test_a_sparse_sample_is_refused() -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.lif = nn.Linear(6, 4), snn.Leaky(beta=0.5)

        def forward(self, x: Tensor) -> list[Tensor]:
            mem, found = self.lif.init_leaky(), []
            for step in x:
                spikes, mem = self.lif(self.fc(step), mem)
                found.append(spikes)
            return found

    imported = dlm.from_torch(Flat(), torch.eye(6).expand(4, 6, 6))
    sparse = torch.eye(6).expand(4, 6, 6).to_sparse()
    for used in (lambda: dlm.from_torch(Flat(), sparse), lambda: imported.encode(sparse)):
        with pytest.raises(RefusedError, match="is a sparse_coo tensor"):
            used()


def test_a_front_that_divides_by_0_is_refused_in_encode() -> None:
    class Scaled(Two):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward((x - x.min()) / (x.max() - x.min()))

    imported = dlm.from_torch(Scaled(), SAMPLE, outside=True)
    for shape in (SAMPLE.shape, (SAMPLE.shape[0], 1, *SAMPLE.shape[2:])):
        with pytest.raises(RefusedError, match="holds NaN or infinity"):
            imported.encode(torch.zeros(shape))


@pytest.mark.parametrize("neurons", [3, [snn.Leaky], {"Leaky": print}, {snn.Leaky: 3}, {int: print}], ids=str)
def test_what_is_no_reader_is_refused(neurons: Any) -> None:
    assert refused(Two(), neurons=neurons).refusal is why.NO_READERS
