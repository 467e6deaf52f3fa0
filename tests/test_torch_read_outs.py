"""Read-outs in the forms that people write: taken, and equal on another sample, or refused by the true cause."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import snntorch as snn
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import dlm_snn as dlm
from dlm_snn.exchange.torch_modules import refusals as why
from dlm_snn.exchange.torch_modules.refusals import Refusal, RefusedError

STEPS, BATCH, N = 5, 3, 8


def sample(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand((STEPS, BATCH, N), generator=generator) < 0.5).float()


class Net(nn.Module):
    """A layer of neurons, and what is made of its spikes, a list of steps."""

    def __init__(self, end: End) -> None:
        super().__init__()
        self.end = end
        self.fc1, self.lif1 = nn.Linear(N, N), snn.Leaky(beta=0.75, threshold=0.25)
        self.fc, self.plain = nn.Linear(N, 4), nn.Linear(N, 4, bias=False)
        self.less, self.more = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Any:
        mem, found = self.lif1.init_leaky(), []
        for frame in x:
            spikes, mem = self.lif1(self.fc1(frame), mem)
            found.append(spikes)
        return self.end(self, found)


End = Callable[[Net, list[Tensor]], Any]


def made(end: End) -> Net:
    torch.manual_seed(0)
    return Net(end).eval()


OVER_STEPS: Mapping[str, tuple[End, str]] = {
    "mean of a stack": (lambda m, s: m.fc(torch.stack(s).mean(0)), "mean"),
    "mean of a stack by name": (lambda m, s: m.fc(torch.mean(torch.stack(s, dim=0), dim=0)), "mean"),
    "mean of a second axis": (lambda m, s: m.fc(torch.stack(s, 1).mean(1)), "mean"),
    "mean of pooled features": (
        lambda m, s: m.less(F.avg_pool1d(torch.stack(s, 1).mean(1)[:, None], 2).flatten(1)),
        "mean",
    ),
    "a sum divided": (lambda m, s: m.fc(sum(s) / len(s)), "mean"),
    "a sum of a stack divided": (lambda m, s: m.fc(torch.stack(s).sum(0) / len(s)), "mean"),
    "shares added up": (lambda m, s: m.fc(sum(own / len(s) for own in s)), "mean"),
    "sum of a stack": (lambda m, s: m.plain(torch.stack(s).sum(0)), "sum"),
    "sum of a second axis": (lambda m, s: m.plain(torch.stack(s, 1).sum(1)), "sum"),
    "a sum": (lambda m, s: m.plain(sum(s)), "sum"),
    "softmax of it": (lambda m, s: F.log_softmax(m.fc(torch.stack(s).mean(0)), dim=1), "mean"),
}


@pytest.mark.parametrize("name", OVER_STEPS)
def test_weights_behind_all_steps_are_a_read_out_of_each_step(name: str) -> None:
    end, how = OVER_STEPS[name]
    module = made(end)
    imported = dlm.from_torch(module, sample(0), check=sample(1))
    assert any(f"the {how} of its v" in note for note in imported.proof.notes)
    x = sample(2)
    v = dlm.run(imported.network, imported.encode(x), n_steps=STEPS, record=("v",)).v["read_out"]
    found = v.mean(1) if how == "mean" else v.sum(1)
    theirs = copy.deepcopy(module)(x).detach()
    ours = torch.tensor(found)
    ours = F.log_softmax(ours, dim=1) if name == "softmax of it" else ours
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-5)


REFUSED: Mapping[str, tuple[End, Refusal]] = {
    "a sum and a bias": (lambda m, s: m.fc(torch.stack(s).sum(0)), why.READ_OUT_BIAS),
    "a mean of some steps": (lambda m, s: m.fc(torch.stack(s[2:]).mean(0)), why.READ_OUT_COUNTS),
    "steps weighed": (lambda m, s: m.plain(sum(own * t for t, own in enumerate(s))), why.READ_OUT_COUNTS),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_read_out_of_each_step_is_refused_by_its_name(name: str) -> None:
    end, refusal = REFUSED[name]
    with pytest.raises(RefusedError) as error:
        dlm.from_torch(made(end), sample(0))
    assert error.value.refusal is refusal, str(error.value)


def values(m: Net, s: list[Tensor]) -> Tensor:
    return torch.stack([m.fc(own) for own in s])


OUTSIDE: Mapping[str, Callable[[Net, Tensor], Any]] = {
    "relu": lambda m, v: F.relu(v),
    "tanh of the mean": lambda m, v: v.mean(0).tanh(),
    "exp": lambda m, v: v.exp().sum(0),
    "clamp": lambda m, v: v.clamp(min=0, max=1).mean(0),
    "the largest over steps": lambda m, v: v.max(0)[0],
    "the largest over steps, by name": lambda m, v: torch.max(v, dim=0).values,
    "the class": lambda m, v: v.mean(0).max(1),
    "topk": lambda m, v: v.mean(0).topk(2),
    "normalize": lambda m, v: F.normalize(v.sum(0), dim=1),
    "a loss": lambda m, v: F.cross_entropy(v.mean(0), torch.tensor([0, 1, 2])),
    "decisions": lambda m, v: (v.mean(0) > 0).float(),
    "a head of its own": lambda m, v: m.more(F.relu(v)),
    "a gate": lambda m, v: (v * torch.sigmoid(v)).mean(0),
    "attention over steps": lambda m, v: (F.softmax(v, 0) * v).sum(0),
}
COLLECTED: Mapping[str, Callable[[Net, list[Tensor]], Tensor]] = {
    "in each step": values,
    "all at once": lambda m, s: m.fc(torch.stack(s)),
}


@pytest.mark.parametrize("how", COLLECTED)
@pytest.mark.parametrize("name", OUTSIDE)
def test_what_follows_a_read_out_is_outside(name: str, how: str) -> None:
    module = made(lambda m, s: OUTSIDE[name](m, COLLECTED[how](m, s)))
    imported = dlm.from_torch(module, sample(0), check=sample(1))
    assert list(imported.network.neurons) == ["lif1", "read_out"]
    x = sample(2)
    v = dlm.run(imported.network, imported.encode(x), n_steps=STEPS, record=("v",)).v["read_out"]
    ours = OUTSIDE[name](module, torch.tensor(v, dtype=torch.float32).transpose(0, 1))
    for own, theirs in zip(_tensors(ours), _tensors(module(x)), strict=True):
        np.testing.assert_allclose(own, theirs, atol=1e-5)


def _tensors(value: Any) -> list[Any]:
    found = list(value) if isinstance(value, tuple) else [value]
    return [part.detach().numpy() for part in found]


def test_the_line_names_the_function_that_is_no_sum() -> None:
    with pytest.raises(RefusedError, match=r"linear takes what is no sum of spikes: amax .*; apply weights to spikes"):
        dlm.from_torch(made(lambda m, s: m.fc(torch.stack(s).amax(0))), sample(0))
    with pytest.raises(RefusedError, match=r"linear takes what is no sum of spikes: mul multiplies "):
        dlm.from_torch(made(lambda m, s: [m.fc((1 - own) * own) for own in s]), sample(0))


def at_least(x: Tensor) -> Tensor:
    return (x >= 0).to(x.dtype)


@pytest.mark.parametrize(
    "options", [{}, {"reset_mechanism": "zero"}, {"reset_mechanism": "zero", "reset_delay": False}]
)
def test_a_spike_function_that_fires_at_the_threshold_does_so_here(options: dict[str, Any]) -> None:
    module = made(lambda m, s: torch.stack(s))
    module.lif1 = snn.Leaky(beta=0.5, threshold=0.5, spike_grad=at_least, **options)
    with torch.no_grad():
        for parameter in module.fc1.parameters():
            parameter.copy_(torch.round(parameter * 8) / 4)
    x = sample(2)
    theirs = module(x).detach().transpose(0, 1).numpy() > 0
    imported = dlm.from_torch(module, sample(0), check=sample(1))
    spikes = dlm.run(imported.network, imported.encode(x), n_steps=STEPS).rasters["lif1"].dense()
    np.testing.assert_array_equal(spikes, theirs)
    module.lif1 = snn.Leaky(beta=0.5, threshold=0.5, **options)
    # Weights in steps of 1/4: v meets the threshold, so that > and >= differ.
    assert (module(x).detach().transpose(0, 1).numpy() != theirs).any()


class Frames(Net):
    """Frames that come late, or end early: zeros stand for them, or something made of a frame."""

    def __init__(self, how: str, nothing: Callable[[Tensor], Tensor]) -> None:
        super().__init__(lambda m, s: s)
        self.how, self.nothing, self.late = how, nothing, nn.Linear(N, N)

    def forward(self, x: Tensor) -> Any:
        mem, old, found = self.lif1.init_leaky(), self.nothing(x[0]), []
        for t, frame in enumerate(x):
            given = self.fc1(frame if t < 3 else self.nothing(frame)) if self.how == "silence" else self.fc1(frame)
            spikes, mem = self.lif1(given + self.late(old) if self.how == "older" else given, mem)
            old = frame
            found.append(spikes)
        return torch.stack(found)


@pytest.mark.parametrize("how", ["silence", "older"])
def test_zeros_for_a_frame_are_a_line_and_its_remedy_is_taken(how: str) -> None:
    with pytest.raises(RefusedError, match=r"as where zeros stand for a frame; write frame \* 0"):
        dlm.from_torch(Frames(how, torch.zeros_like), sample(0))
    module = Frames(how, lambda frame: frame * 0)
    imported = dlm.from_torch(module, sample(0), check=sample(1))
    spikes = dlm.run(imported.network, imported.encode(sample(2)), n_steps=STEPS).rasters["lif1"].dense()
    np.testing.assert_array_equal(spikes, module(sample(2)).detach().transpose(0, 1).numpy() > 0)
