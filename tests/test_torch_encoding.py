"""``Imported.encode``: samples of other sizes, down to one sample of one step, as rows of a whole batch."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import snntorch as snn
import torch
from torch import Tensor, nn

import dlm_snn as dlm
from dlm_snn.exchange.torch_modules import refusals as why
from dlm_snn.exchange.torch_modules.refusals import RefusedError

STEPS, BATCH, N = 5, 3, 8


class Looped(nn.Module):
    """(step, sample, neuron)"""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.lif = nn.Linear(N, 6), snn.Leaky(beta=0.75, threshold=0.25)

    def front(self, x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor) -> list[Tensor]:
        mem, found = self.lif.init_leaky(), []
        for frame in self.front(x):
            spikes, mem = self.lif(self.fc(frame), mem)
            found.append(spikes)
        return found


class OneSize(Looped):
    """Written for its batch and its steps."""

    def front(self, x: Tensor) -> Tensor:
        return x.reshape(STEPS, BATCH, N)


class SamplesFirst(Looped):
    def front(self, x: Tensor) -> Tensor:
        return x.transpose(0, 1)


class LessTheMean(Looped):
    """Of all samples."""

    def front(self, x: Tensor) -> Tensor:
        return x - x.mean(1, keepdim=True)


class LessTheMeanOfSteps(Looped):
    def front(self, x: Tensor) -> Tensor:
        return x - x.mean(0, keepdim=True)


class OneStep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc, self.lif = nn.Linear(N, 6), snn.Leaky(beta=0.75, threshold=0.25, init_hidden=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.lif(self.fc(x))


class Static(Looped):
    """(sample, neuron)"""

    def front(self, x: Tensor) -> Any:
        return [x] * STEPS


def drawn(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(shape, generator=generator) < 0.5).float()


def imported_of(kind: type[nn.Module], shape: tuple[int, ...]) -> dlm.exchange.Imported:
    torch.manual_seed(0)
    return dlm.from_torch(kind(), drawn(*shape))


def encoded(imported: dlm.exchange.Imported, sample: Any) -> np.ndarray:
    return imported.encode(sample)["input"]


@pytest.mark.parametrize("kind", [Looped, OneStep, OneSize])
@pytest.mark.parametrize("sizes", [(5, 1), (2, 3), (1, 1), (2, 7), (1, 4), (9, 1)], ids=str)
def test_any_number_of_samples_and_steps(kind: type[nn.Module], sizes: tuple[int, int]) -> None:
    imported, x = imported_of(kind, (STEPS, BATCH, N)), drawn(*sizes, N, seed=1)
    if kind is OneSize and sizes[0] > STEPS:
        with pytest.raises(RefusedError, match="its forward fails on the sample"):
            imported.encode(x)
        return
    given = encoded(imported, x)
    if given.ndim == 2:  # held constant
        given = np.repeat(given[:, None], sizes[0], axis=1)
    np.testing.assert_array_equal(given, x.transpose(0, 1).numpy())


@pytest.mark.parametrize(
    ("kind", "shape", "axis"),
    [
        (Looped, (STEPS, BATCH, N), 1),
        (OneStep, (STEPS, BATCH, N), 1),
        (SamplesFirst, (BATCH, STEPS, N), 0),
        (Static, (BATCH, N), 0),
    ],
)
def test_one_sample_may_come_without_its_axis(kind: type[nn.Module], shape: tuple[int, ...], axis: int) -> None:
    imported, x = imported_of(kind, shape), drawn(*shape, seed=1)
    all_of_it = encoded(imported, x)
    np.testing.assert_array_equal(encoded(imported, x.select(axis, 1)), all_of_it[1:2])
    np.testing.assert_array_equal(encoded(imported, x.narrow(axis, 1, 1).numpy()), all_of_it[1:2])


@pytest.mark.parametrize("size", [3, N])
@pytest.mark.parametrize("kind", [Looped, SamplesFirst])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_axes_of_one_size_are_told_apart(kind: type[nn.Module], size: int, value: float) -> None:
    """Steps, samples, and features too: by what depends on what was filled up."""
    torch.manual_seed(0)
    imported = dlm.from_torch(kind(), drawn(size, size, N))
    one = torch.full((size, 1, N) if kind is Looped else (1, size, N), value)
    assert encoded(imported, one).shape in ((1, size, N), (1, N))
    few = torch.full((1, size, N) if kind is Looped else (size, 1, N), value)
    assert encoded(imported, few).shape in ((size, 1, N), (size, N))


def test_what_is_encoded_makes_the_spikes_of_the_module() -> None:
    torch.manual_seed(0)
    module, x = Looped(), drawn(STEPS, 1, N, seed=1)
    imported = dlm.from_torch(module, drawn(STEPS, BATCH, N))
    spikes = dlm.run(imported.network, imported.encode(x), n_steps=STEPS).rasters["lif"].dense()
    np.testing.assert_array_equal(spikes[0], torch.stack(module(x))[:, 0].detach().numpy() > 0)
    assert spikes.any()


@pytest.mark.parametrize(
    ("kind", "sizes"), [(LessTheMean, (STEPS, 1)), (LessTheMeanOfSteps, (2, BATCH)), (LessTheMeanOfSteps, (1, 1))]
)
def test_what_mixes_samples_or_steps_is_not_filled_up(kind: type[nn.Module], sizes: tuple[int, int]) -> None:
    imported = imported_of(kind, (STEPS, BATCH, N))
    with pytest.raises(RefusedError) as error:
        imported.encode(drawn(*sizes, N, seed=1))
    assert error.value.refusal is why.NEIGHBORS
    assert "encode 3 samples of 5 steps" in str(error.value)


class OfTheBatch(Looped):
    """Its weights, its constant or its input has a factor that the number of samples or of steps gives."""

    def __init__(self, where: str, factor: Callable[[Tensor], float]) -> None:
        super().__init__()
        self.where, self.factor = where, factor
        self.fc2, self.lif2 = nn.Linear(6, 6), snn.Leaky(beta=0.75, threshold=0.25)
        self.out = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> list[Tensor]:
        share = self.factor(x)
        mem, mem2, found = self.lif.init_leaky(), self.lif2.init_leaky(), []
        for frame in x * share if self.where == "input" else x:
            spikes, mem = self.lif(self.fc(frame), mem)
            spikes = spikes * share if self.where == "weights" else spikes
            spikes, mem2 = self.lif2(self.fc2(spikes) + share * (self.where == "constant"), mem2)
            found.append(self.out(spikes) * (share if self.where == "read-out" else 1))
        return found


OTHERS = [(1, sizes) for sizes in ((STEPS, 1), (STEPS, 2), (STEPS, 7), (2, 1), (8, 1), (2, 6))]
OTHERS += [(0, sizes) for sizes in ((1, BATCH), (4, 1), (8, BATCH), (2, 1), (8, 7), (2, 7))]


@pytest.mark.parametrize(("axis", "sizes"), OTHERS, ids=str)
@pytest.mark.parametrize("where", ["weights", "constant", "read-out", "input"])
def test_a_number_that_the_shape_gives_is_seen(where: str, axis: int, sizes: tuple[int, int]) -> None:
    """The network has that of the import: of another number of samples or steps the module makes something else."""
    torch.manual_seed(0)
    imported = dlm.from_torch(OfTheBatch(where, lambda x: 8 / x.shape[axis]), drawn(STEPS, BATCH, N))
    x = drawn(*sizes, N, seed=1)
    if where == "input" and min(sizes) > 1 and sizes[0] > 2:
        # The module runs on the sample alone, and the input is what it makes of that.
        with pytest.raises(dlm.DlmError, match="import with a") if sizes[axis] == 7 else nullcontext():
            values = imported.encode(x)["input"] / imported.network.populations["input"].scale
            np.testing.assert_allclose(values, (x * 8 / sizes[axis]).transpose(0, 1).numpy(), atol=1e-6)
        return
    with pytest.raises(RefusedError) as error:
        imported.encode(x)
    assert error.value.refusal is (why.NEIGHBORS if where == "input" else why.ENCODED_OTHERWISE)


@pytest.mark.parametrize("sizes", [(STEPS, 1), (4, 1), (8, 1), (2, 1), (STEPS, 7)], ids=str)
def test_a_number_that_is_the_same_whatever_the_shape_is_no_hindrance(sizes: tuple[int, int]) -> None:
    torch.manual_seed(0)
    imported = dlm.from_torch(OfTheBatch("weights", lambda x: 8 / x.shape[2]), drawn(STEPS, BATCH, N))
    assert encoded(imported, drawn(*sizes, N, seed=1)).shape[0] == sizes[1]


@pytest.mark.parametrize("shape", [(STEPS, BATCH, N - 1), (STEPS, 1, N - 1), (N,), (STEPS, 1, BATCH, N), (0, 1, N)])
def test_other_shapes_are_refused_and_nobody_speaks_of_a_check_sample(shape: tuple[int, ...]) -> None:
    with pytest.raises(RefusedError) as error:
        imported_of(Looped, (STEPS, BATCH, N)).encode(drawn(*shape))
    assert "check" not in str(error.value)


def test_a_sample_that_takes_another_way_is_named_so() -> None:
    class Branch(Looped):
        def front(self, x: Tensor) -> Tensor:
            self.scale = 2 if x.sum() > 1 else 1
            return x

        def forward(self, x: Tensor) -> list[Tensor]:
            mem, found = self.lif.init_leaky(), []
            for frame in self.front(x):
                spikes, mem = self.lif(self.fc(frame) * self.scale, mem)
                found.append(spikes)
            return found

    torch.manual_seed(0)
    imported = dlm.from_torch(Branch(), drawn(STEPS, BATCH, N), branches=True)
    with pytest.raises(RefusedError, match="the sample to be encoded makes another network"):
        imported.encode(torch.zeros(STEPS, BATCH, N))


def test_arguments_of_forward_are_filled_up_together() -> None:
    class Two(Looped):
        def forward(self, x: Tensor, skip: Tensor) -> list[Tensor]:
            mem, found = self.lif.init_leaky(), []
            for frame in x:
                spikes, mem = self.lif(self.fc(frame) + skip, mem)
                found.append(spikes)
            return found

    torch.manual_seed(0)
    imported = dlm.from_torch(Two(), (drawn(STEPS, BATCH, N), drawn(BATCH, 6, seed=2)))
    x, skip = drawn(2, 1, N, seed=1), drawn(1, 6, seed=3)
    given = imported.encode((x, skip))
    assert {name: values.shape for name, values in given.items()} == {"input": (1, 2, N), "input1": (1, 6)}
    np.testing.assert_array_equal(given["input1"], skip.numpy())
    with pytest.raises(RefusedError):
        imported.encode((x, drawn(2, 6)))
