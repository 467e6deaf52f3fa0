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
