"""What users wrap around their modules, and what they may allow or tell."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import snntorch as snn
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import prune
from torch.nn.utils.parametrizations import weight_norm

import dlm_snn as dlm
from dlm_snn.errors import LossWarning
from dlm_snn.exchange.torch_modules import refusals as why
from dlm_snn.exchange.torch_modules.neurons import ForeignNeuron
from dlm_snn.exchange.torch_modules.refusals import Refusal, RefusedError
from tests.torch_foolers import Branch, DerivedNeuron, HandMadeInFront, OwnLeaky, Two
from tests.torch_styles import BATCH, PIXELS, STEPS, Learned, OneStep, Residual, StaticImage, made, trains


def told(module: nn.Module, x: Any, **options: Any) -> dlm.Imported:
    """Taken, with spikes everywhere."""
    imported = dlm.from_torch(module, x, **options)
    assert all(layer.spikes or layer.v_difference is not None for layer in imported.proof.layers), str(imported.proof)
    return imported


def in_parallel(module: nn.Module) -> nn.Module:
    return nn.DataParallel(module)


def compiled(module: nn.Module) -> nn.Module:
    return torch.compile(module)  # type: ignore[return-value]


def compiled_within(module: nn.Module) -> nn.Module:
    module.fc2 = torch.compile(module.fc2)  # type: ignore[assignment]
    return module


def in_training(module: nn.Module) -> nn.Module:
    return module.train()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("wrap", [in_parallel, compiled, compiled_within, in_training])
def test_wrappers_are_taken_off(wrap: Callable[[nn.Module], nn.Module]) -> None:
    plain = dlm.from_torch(made(StaticImage), StaticImage.sample(0))
    assert told(wrap(made(StaticImage)), StaticImage.sample(0)).network.digest() == plain.network.digest()


def test_a_pruned_module_has_its_zeros() -> None:
    module: Any = made(StaticImage)
    prune.l1_unstructured(module.fc1, "weight", 0.5)
    module(StaticImage.sample(0))
    weight = told(module, StaticImage.sample(0)).network.projections[0].connection.weight
    assert np.mean(weight == 0) == 0.5


def test_weights_made_in_each_call_are_one_weight() -> None:
    module: Any = made(StaticImage)
    module.fc2 = weight_norm(module.fc2)
    assert len(told(module, StaticImage.sample(0)).network.projections) == 2


def test_after_a_training_step_hidden_states_are_at_rest_again() -> None:
    module: Any = made(Learned)
    module(Learned.sample(3)).sum().backward()
    assert module.lif1.mem.grad_fn is not None
    fresh = dlm.from_torch(made(Learned), Learned.sample(0))
    assert told(module, Learned.sample(0)).network.digest() == fresh.network.digest()


class Hidden(nn.Module):
    """Recurrent neurons with states of their own, resets of all kinds that are exact."""

    def __init__(self) -> None:
        super().__init__()
        options: Any = {"init_hidden": True, "threshold": 0.5}
        zero: Any = {"reset_mechanism": "zero", "reset_delay": False, **options}
        self.fcs = nn.ModuleList(nn.Linear(n, 12) for n in (36, 12, 12, 12))
        self.lifs = nn.ModuleList(
            (
                snn.RLeaky(beta=0.5, linear_features=12, **zero),
                snn.Synaptic(alpha=0.5, beta=0.75, **zero),
                snn.RSynaptic(alpha=0.5, beta=0.75, all_to_all=False, V=-0.25, **options),
                snn.Leaky(beta=0.5, reset_mechanism="zero", **options),
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        for fc, lif in zip(self.fcs, self.lifs, strict=True):
            x = lif(fc(x))
        return x


@pytest.mark.parametrize("quarters", [False, True])
def test_recurrent_neurons_with_states_of_their_own(quarters: bool) -> None:
    imported = told(made(Hidden, quarters), trains(0), check=trains(1))
    assert list(imported.network.neurons) == ["lifs_0", "lifs_1", "lifs_2", "lifs_3"]
    assert {p.name for p in imported.network.projections if p.pre == p.post} == {"lifs_0->lifs_0", "lifs_2->lifs_2"}


def test_a_loop_of_ones_own_drives_a_module_of_one_step() -> None:
    def drive(module: nn.Module, x: Tensor) -> list[Tensor]:
        return [module(x[:, step]) for step in range(x.shape[1])]

    x = trains(0)
    by_call = told(made(OneStep), x.transpose(0, 1), call=drive)
    assert by_call.network.digest() == told(made(OneStep), x).network.digest()


class ReadOuts(nn.Module):
    """Linear read-outs behind a neuron, collected in one of several ways."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.fc1, self.lif1, self.head = nn.Linear(36, 24), snn.Leaky(beta=0.75, threshold=0.5), nn.Linear(24, 3)

    def forward(self, x: Tensor) -> Any:
        mem, total, found = self.lif1.init_leaky(), 0, []
        kept = torch.zeros(len(x), x.shape[1], 3)
        for t, frame in enumerate(x):
            spikes, mem = self.lif1(self.fc1(frame.flatten(1)), mem)
            value = self.head(spikes)
            total = total + value
            kept[t] = value
            found.append(value)
        ways: dict[str, Callable[[], Any]] = {
            "mean": lambda: torch.stack(found).mean(0),
            "sum": lambda: total,
            "share": lambda: total / len(x),
            "kept": lambda: kept,
            "softmax": lambda: F.log_softmax(torch.stack(found, dim=1), dim=2),
            "dictionary": lambda: {"values": found, "spikes": spikes},
        }
        return ways[self.how]()


@pytest.mark.parametrize("how", ["mean", "sum", "share", "kept", "softmax", "dictionary"])
def test_read_outs_are_found_however_they_are_collected(how: str) -> None:
    imported = told(made(lambda: ReadOuts(how)), trains(0))
    assert list(imported.network.neurons) == ["lif1", "read_out"]
    assert type(imported.network.populations["read_out"]).__name__ == "LI"


def test_a_front_end_is_the_input_where_it_is_allowed() -> None:
    with pytest.raises(RefusedError, match="outside=True"):
        dlm.from_torch(made(HandMadeInFront), trains(0))
    imported = told(made(HandMadeInFront), trains(0), outside=True)
    assert list(imported.network.neurons) == ["lif2"]
    assert any("the input" in note for note in imported.proof.notes)


def test_a_look_at_values_is_told_where_it_is_allowed() -> None:
    imported = told(made(Branch), trains(0), branches=True)
    assert any("looks at values (bool)" in note for note in imported.proof.notes)


class EveryOther(Two):
    """Another way for a sample with few spikes."""

    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(spikes) if float(spikes.sum()) > 0 else self.fc2(-spikes)


def test_a_check_sample_tells_that_a_branch_was_taken() -> None:
    with pytest.raises(RefusedError) as error:
        dlm.from_torch(made(EveryOther), trains(0), check=torch.zeros_like(trains(0)), branches=True)
    assert error.value.refusal in (why.OTHER_STRUCTURE, why.UNLIKE_STEPS)


def _halving(module: nn.Module, shape: tuple[int, ...], where: str) -> ForeignNeuron:
    neuron: Any = module
    beta = float(neuron.beta)
    return ForeignNeuron(dlm.LIF(shape, dv=1 - beta, v_threshold=float(neuron.threshold), reset="subtract"), gain=0.5)


def test_a_neuron_class_of_ones_own_comes_in_by_a_reader() -> None:
    imported = told(made(DerivedNeuron), trains(0), neurons={OwnLeaky: _halving})
    assert list(imported.network.neurons) == ["lif1", "lif2"]


def test_a_reader_that_is_wrong_is_found_out() -> None:
    def wrong(module: nn.Module, shape: tuple[int, ...], where: str) -> ForeignNeuron:
        return ForeignNeuron(_halving(module, shape, where).population)

    with pytest.raises(RefusedError, match="its spikes differ at sample") as error:
        dlm.from_torch(made(DerivedNeuron), trains(0), neurons={OwnLeaky: wrong})
    assert error.value.refusal is why.TOLD_APART


class Doubling(nn.Module):
    """Spikes of the size 2."""

    def forward(self, x: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        spikes = (x + 0 * v > 0).to(x.dtype)
        return 2 * spikes, v


@pytest.mark.parametrize(
    ("population", "refusal"), [(dlm.LIF, why.NOT_SPIKES), (dlm.LI, why.VALUES_APART)], ids=["spikes", "v"]
)
def test_what_a_neuron_of_ones_own_gives_is_looked_at(population: Any, refusal: Refusal) -> None:
    class Own(Two):
        def __init__(self) -> None:
            super().__init__()
            self.lif2 = Doubling()  # type: ignore[assignment]
            self.lif2.init_leaky = lambda: torch.zeros(BATCH, 5)  # type: ignore[assignment,method-assign]

    readers = {Doubling: lambda module, shape, where: ForeignNeuron(population(shape, dv=1.0))}
    with pytest.raises(RefusedError) as error:
        dlm.from_torch(made(Own), trains(0), neurons=readers)
    assert error.value.refusal is refusal


def test_another_sample_is_encoded_on_the_same_grid() -> None:
    module, x = made(StaticImage), StaticImage.sample(5)
    imported = told(module, StaticImage.sample(0))
    recording = dlm.run(imported.network, imported.encode(x), n_steps=STEPS)
    own = copy.deepcopy(module)
    theirs = own(x)[0].detach().transpose(0, 1).numpy() > 0
    np.testing.assert_array_equal(recording.rasters["lif2"].dense(), theirs)
    with pytest.raises(dlm.DlmError, match=r"'input' holds .*, not"):
        imported.encode(2 * x)
    with pytest.raises(dlm.DlmError, match="multiples of"):
        imported.encode(x / 3)


def test_normalization_inside_forward_is_the_inputs_grid() -> None:
    class Normal(StaticImage):
        def forward(self, x: Tensor) -> Any:
            return super().forward((x - 0.1307) / 0.3081)

    proof = told(made(Normal), StaticImage.sample(0), check=StaticImage.sample(1)).proof
    assert not proof.inputs["input"].exact
    assert "rounded to this grid" in str(proof)


def test_scalings_are_folded_into_the_weights_beside_them() -> None:
    from tests.torch_styles import Normalized

    network = told(made(Normalized), Normalized.sample(0)).network
    assert {p.name: type(p.connection).__name__ for p in network.projections} == {
        "input->lif1": "Conv2d",
        "lif1->lif2": "Dense",
        "one->lif2": "Dense",
    }


def test_what_the_network_is_named_by() -> None:
    network = told(made(Residual), Residual.sample(0)).network
    assert list(network.populations) == ["input", "lifs_0", "lifs_1", "lifs_2", "out"]


@pytest.mark.parametrize(
    ("module", "sample", "refusal"),
    [
        (lambda: 3, trains(0), why.NOT_A_MODULE),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 3)), trains(0)[0], why.NO_NEURON),
        (lambda: made(StaticImage), torch.zeros(BATCH, 7), why.FAILS),
        (lambda: made(StaticImage), torch.zeros(1, *PIXELS), why.UNBATCHED),
        (lambda: made(Hidden), trains(0)[:2], why.FEW_STEPS),
    ],
)
def test_what_is_no_module_or_no_sample_is_refused(module: Any, sample: Any, refusal: Refusal) -> None:
    with pytest.raises(RefusedError) as error:
        dlm.from_torch(module(), sample)
    assert error.value.refusal is refusal, str(error.value)
    assert "\n" not in str(error.value)


class InhibitedByHand(nn.Module):
    """What forward adds between its modules, their list does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.lif = nn.Linear(36, 12), snn.Leaky(beta=0.75, threshold=0.25)

    def forward(self, x: Tensor) -> Tensor:
        mem, spikes, found = self.lif.init_leaky(), torch.zeros(x.shape[1], 12), []
        for frame in x:
            spikes, mem = self.lif(self.fc(frame.flatten(1)) - 0.5 * spikes, mem)
            found.append(spikes)
        return torch.stack(found)


def test_a_list_is_proved_by_spikes_of_its_forward() -> None:
    module, x = made(InhibitedByHand), trains(0)
    modules, pixels = list(module.children()), x.flatten(2)
    with pytest.warns(LossWarning, match="a list of modules tells nothing of the forward"):
        lost = dlm.from_snntorch(modules)
    with pytest.raises(RefusedError, match=r"layer 'output': its spikes differ .*; the forward does more"):
        dlm.from_snntorch(modules, sample=(pixels, module(x)))
    assert dlm.from_snntorch(nn.Sequential(*modules), sample=pixels).digest() == lost.digest()
    (inhibition,) = [p for p in told(module, x).network.projections if p.pre == p.post]
    np.testing.assert_array_equal(inhibition.connection.sparse().dense(), -0.5 * np.eye(12))


def test_the_membrane_of_a_last_layer_is_proved_by_a_sample() -> None:
    stack = nn.Sequential(nn.Linear(36, 4), snn.Leaky(beta=0.75, reset_mechanism="none"))
    assert list(dlm.from_snntorch(stack, sample=trains(0).flatten(2)).neurons) == ["output"]
    with pytest.raises(RefusedError, match="its spikes differ at sample 0, step 0, neuron 0"):
        dlm.from_snntorch(stack, sample=(trains(0).flatten(2), torch.ones(STEPS, BATCH, 4)))


@pytest.mark.parametrize("hidden", [False, True])
def test_a_stack_of_all_kinds_is_proved_by_a_sample(hidden: bool) -> None:
    module: Any = made(Hidden)
    modules = [part for pair in zip(module.fcs, module.lifs, strict=True) for part in pair]
    for lif in module.lifs:
        lif.init_hidden = hidden
    assert len(dlm.from_snntorch(nn.Sequential(*modules), sample=trains(0).flatten(2)).neurons) == 4
    with pytest.raises(dlm.DlmError, match="in multiples of 1/1, which 'pixels' holds"):
        dlm.from_snntorch(nn.Sequential(*modules), sample=trains(0).flatten(2) / 2)
    with pytest.raises(dlm.DlmError, match=r"is not \(step, sample, "):
        dlm.from_snntorch(nn.Sequential(*modules), sample=trains(0)[0, :, 0, 0])
