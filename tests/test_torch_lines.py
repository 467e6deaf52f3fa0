"""What a new user meets: the line names the true cause and the remedy, or the module is taken as it is."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import snntorch as snn
import torch
from torch import Tensor, nn

import dlm_snn as dlm
from dlm_snn.exchange import ForeignNeuron
from dlm_snn.exchange.torch_modules import refusals as why
from dlm_snn.exchange.torch_modules.refusals import Refusal, RefusedError

STEPS, BATCH, N = 5, 3, 8


def drawn(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(shape, generator=generator) < 0.5).float()


class Two(nn.Module):
    """Two layers; what stands between them is a method."""

    threshold = 0.25

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.lif1 = nn.Linear(N, N), snn.Leaky(beta=0.75, threshold=self.threshold)
        self.fc2, self.lif2 = nn.Linear(N, N), snn.Leaky(beta=0.75, threshold=0.25)
        self.one = nn.Linear(N, 1)

    def between(self, spikes: Tensor) -> Tensor:
        return self.fc2(spikes)

    def forward(self, x: Tensor) -> Any:
        mem1, mem2, found = self.lif1.init_leaky(), self.lif2.init_leaky(), []
        for frame in x:
            spk1, mem1 = self.lif1(self.fc1(frame), mem1)
            spk2, mem2 = self.lif2(self.between(spk1), mem2)
            found.append(spk2)
        return torch.stack(found)


class AllSteps(Two):
    """Layer by layer, the second one backward in time."""

    def forward(self, x: Tensor) -> Any:
        mem1, mem2, found, last = self.lif1.init_leaky(), self.lif2.init_leaky(), [], []
        for current in self.fc1(x).unbind(0):
            spk1, mem1 = self.lif1(current, mem1)
            found.append(spk1)
        for current in self.fc2(torch.stack(found).flip(0)).unbind(0):
            spk2, mem2 = self.lif2(current, mem2)
            last.append(spk2)
        return last


class Unbatched(Two):
    """(step, channel, length)"""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(BATCH, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Any:
        mem1, found = self.lif1.init_leaky(), []
        for frame in x:
            spk1, mem1 = self.lif1(self.conv(frame), mem1)
            found.append(spk1)
        return found


class LessTheMean(Two):
    def between(self, spikes: Tensor) -> Tensor:
        current = self.fc2(spikes)
        return current - current.mean(0)


class LessTheKeptMean(Two):
    def between(self, spikes: Tensor) -> Tensor:
        current = self.fc2(spikes)
        return current - current.mean(0, keepdim=True)


class Running(Two):
    """Sums over the samples, in the shape that it had."""

    def between(self, spikes: Tensor) -> Tensor:
        return self.fc2(spikes).cumsum(0)


class Inferred(Two):
    @torch.inference_mode()
    def forward(self, x: Tensor) -> Any:
        return super().forward(x)


class InAList(Two):
    def __init__(self) -> None:
        super().__init__()
        self.lifs = [self.lif1, snn.Leaky(beta=0.75)]

    def forward(self, x: Tensor) -> Any:
        mems, found = [None, None], []
        for frame in x:
            for i, lif in enumerate(self.lifs):
                frame, mems[i] = lif(self.fc1(frame), mems[i])
            found.append(frame)
        return found


class AllInAList(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc, self.lifs = nn.Linear(N, N), {"one": snn.Leaky(beta=0.75)}

    def forward(self, x: Tensor) -> Any:
        mem: Any = None
        found = []
        for frame in x:
            spikes, mem = self.lifs["one"](self.fc(frame), mem)
            found.append(spikes)
        return found


class MadeInForward(Two):
    def forward(self, x: Tensor) -> Any:
        self.__dict__["lif2"] = snn.Leaky(beta=0.75)
        del self._modules["lif2"]
        return super().forward(x)


class Kept(Two):
    """The state of the last call, which the copy's second run meets."""

    def __init__(self) -> None:
        super().__init__()
        self.mem: Any = None

    def forward(self, x: Tensor) -> Any:
        found = []
        for frame in x:
            spikes, self.mem = self.lif1(self.fc1(frame), self.mem)
            found.append(spikes)
        return found


class Squeezed(Two):
    def between(self, spikes: Tensor) -> Tensor:
        return self.one(spikes).squeeze(-1)


class Logged(Two):
    def between(self, spikes: Tensor) -> Tensor:
        self.rate = spikes.mean().item()
        return self.fc2(spikes)


class Floored(Two):
    def between(self, spikes: Tensor) -> Tensor:
        return self.fc2(spikes) // 2


class Rounded(Two):
    def between(self, spikes: Tensor) -> Tensor:
        return torch.div(self.fc2(spikes), 2, rounding_mode="trunc")


class Negative(Two):
    threshold = -0.25


LINES: list[tuple[type[nn.Module], Refusal, str]] = [
    (
        AllSteps,
        why.ALL_AT_ONCE,
        "unbind takes apart what linear made of all steps (or samples) together, which no step ma",
    ),
    (
        Unbatched,
        why.UNBATCHED_CALL,
        "conv1d gets 2 axes, so its first are channels and not samples; give it (sample, ch",
    ),
    (
        LessTheMean,
        why.OVER_SAMPLES,
        "mean runs over the first axis, so that samples (or steps) depend on each other; leave",
    ),
    (LessTheKeptMean, why.OVER_SAMPLES, "mean runs over the first axis"),
    (Running, why.OVER_SAMPLES, "cumsum runs over the first axis"),
    (
        Inferred,
        why.INFERENCE,
        "forward runs in torch.inference_mode, in which a tensor that is changed in place leaves n",
    ),
    (
        InAList,
        why.UNSEEN_NEURON,
        "a Leaky: this neuron is no part of the module: it stands in a plain list or dictionary",
    ),
    (AllInAList, why.UNSEEN_NEURON, "keep several in nn.ModuleList or nn.ModuleDict"),
    (MadeInForward, why.UNSEEN_NEURON, "or is made in forward; make it in __init__"),
    (
        Kept,
        why.NOT_AT_REST,
        "begin the state anew in forward (None, zeros or the neuron's own initial state): one that th",
    ),
    (
        Squeezed,
        why.NO_NEURONS,
        "it gets one value a sample, without an axis of neurons; keep that axis: no squeeze, or un",
    ),
    (
        Logged,
        why.LOOKS,
        "where it is for a log, or the same for all samples, allow it by branches=True and prove it on a ch",
    ),
    (Floored, why.ROUNDED, "floordiv rounds what a layer makes; divide by / or multiply, without rounding"),
    (Rounded, why.ROUNDED, "div rounds what a layer makes"),
]


@pytest.mark.parametrize(("kind", "refusal", "line"), LINES, ids=[kind.__name__ for kind, _, _ in LINES])
def test_the_line_names_the_cause_and_the_remedy(kind: type[nn.Module], refusal: Refusal, line: str) -> None:
    torch.manual_seed(0)
    with pytest.raises(RefusedError) as error:
        dlm.from_torch(kind(), drawn(STEPS, BATCH, N))
    assert error.value.refusal is refusal
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_a_negative_threshold_is_named() -> None:
    with pytest.raises(RefusedError, match=r"a threshold of -0\.25, at which it spikes at rest; give one of 0 or more"):
        dlm.from_torch(Negative(), drawn(STEPS, BATCH, N))


def equal(module: nn.Module, **options: Any) -> None:
    """Taken, and equal on a sample that it has not seen."""
    x = drawn(STEPS, BATCH, N, seed=1)
    theirs = torch.stack(list(copy.deepcopy(module)(x))).transpose(0, 1).detach().numpy() > 0
    imported = dlm.from_torch(module, drawn(STEPS, BATCH, N), **options)
    spikes = dlm.run(imported.network, imported.encode(x), n_steps=STEPS).rasters[
        list(imported.network.populations)[-1]
    ]
    np.testing.assert_array_equal(spikes.dense(), theirs)
    assert theirs.any()


class Yielding(Two):
    def forward(self, x: Tensor) -> Iterator[Tensor]:
        yield from super().forward(x)


def test_a_forward_that_yields_is_run_to_its_end() -> None:
    torch.manual_seed(0)
    equal(Yielding())


def test_a_log_is_allowed_by_branches() -> None:
    torch.manual_seed(0)
    equal(Logged(), branches=True)


class Hidden(nn.Module):
    def __init__(self, touch: Callable[[Any], Any]) -> None:
        super().__init__()
        self.fc, self.lif = nn.Linear(N, N), snn.Leaky(beta=0.75, threshold=0.25, init_hidden=True)
        self.touch = touch

    def forward(self, x: Tensor) -> Any:
        found = []
        for frame in x:
            found.append(self.lif(self.fc(frame)))
            self.touch(self.lif)
        return found


def _detached(lif: Any) -> None:
    lif.mem = lif.mem.detach()


def _viewed(lif: Any) -> None:
    lif.mem = lif.mem.view(-1).view(lif.mem.shape)


@pytest.mark.parametrize("touch", [_detached, _viewed])
def test_a_state_that_is_detached_is_the_same_state(touch: Callable[[Any], Any]) -> None:
    torch.manual_seed(0)
    equal(Hidden(touch))


def _detached_and_changed(lif: Any) -> None:
    kept = lif.mem.detach()
    kept[0, 0] = 0
    lif.mem = kept


def _changed_then_detached(lif: Any) -> None:
    lif.mem.clamp_(min=-1000)
    lif.mem = lif.mem.detach()


def _changed_behind_its_data(lif: Any) -> None:
    old = lif.mem
    lif.mem = old.data
    old.mul_(1.0)


def _of_another_order(lif: Any) -> None:
    lif.mem = lif.mem.detach().flip(1).flip(1)


@pytest.mark.parametrize(
    "touch", [_detached_and_changed, _changed_then_detached, _changed_behind_its_data, _of_another_order]
)
def test_a_state_that_may_be_another_is_refused(touch: Callable[[Any], Any]) -> None:
    torch.manual_seed(0)
    with pytest.raises(RefusedError) as error:
        dlm.from_torch(Hidden(touch), drawn(STEPS, BATCH, N))
    assert error.value.refusal is why.CHANGED


def _into_its_data(lif: Any) -> None:
    torch.mul(lif.mem, 1.0, out=lif.mem.data)


def test_an_out_that_is_data_is_seen() -> None:
    with pytest.raises(RefusedError) as error:
        dlm.from_torch(Hidden(_into_its_data), drawn(STEPS, BATCH, N))
    assert error.value.refusal is why.BY_DATA


class Own(snn.Leaky):
    """A neuron class of one's own."""


def _complaining(module: nn.Module, shape: tuple[int, ...], where: str) -> ForeignNeuron:
    raise dlm.DlmError(f"{where}: beta of {where} is odd; mend it")


@pytest.mark.parametrize(
    ("reader", "line"),
    [
        (_complaining, "layer 'lif1' (Own): the network that it makes is refused: beta is odd; mend it"),
        (lambda module: None, "layer 'lif1' (Own): its reader fails (TypeError: "),
        (lambda module, shape, where: 3, "layer 'lif1' (Own): its reader gives something of type int; give a ForeignN"),
        (
            lambda module, shape, where: ForeignNeuron(dlm.LIF((N + 1,), dv=0.5)),
            "layer 'lif1' (Own): its reader gives a population of shape (9,); give a ForeignNeuron whose population "
            "has the shape (8,)",
        ),
    ],
    ids=["complains", "fails", "gives a number", "gives another shape"],
)
def test_a_reader_is_judged_in_a_line_that_names_the_layer_once(reader: Any, line: str) -> None:
    module = Two()
    module.lif1 = Own(beta=0.75)
    with pytest.raises(RefusedError) as error:
        dlm.from_torch(module, drawn(STEPS, BATCH, N), neurons={Own: reader})
    assert str(error.value).startswith(line)
    assert str(error.value).count("'lif1'") == 1


def test_a_recurrent_parameter_of_another_shape_names_its_layer_once() -> None:
    class Recurrent(Two):
        def __init__(self) -> None:
            super().__init__()
            self.lif1 = snn.RLeaky(beta=0.75, all_to_all=False, V=torch.ones(BATCH, N))

        def forward(self, x: Tensor) -> Any:
            spikes, mem = self.lif1.init_rleaky()
            for frame in x:
                spikes, mem = self.lif1(self.fc1(frame), spikes, mem)
            return spikes

    with pytest.raises(RefusedError, match=r"the recurrence: V \(3, 8\) is not one of \(8,\)") as error:
        dlm.from_torch(Recurrent(), drawn(STEPS, BATCH, N))
    assert str(error.value).count("'lif1'") == 1


class AsksForNone(Two):
    def forward(self, x: Tensor) -> Any:
        mem: Any = None
        found = []
        for frame in x:
            if mem == None:  # noqa: E711
                mem = self.lif1.init_leaky()
            spikes, mem = self.lif1(self.fc1(frame), mem)
            found.append(spikes)
        return torch.stack(found)


def test_a_comparison_with_none_is_no_look_at_values() -> None:
    torch.manual_seed(0)
    equal(AsksForNone())


@pytest.mark.parametrize("shape", [(0, BATCH, N), (STEPS, 0, N)])
def test_an_empty_sample_is_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(RefusedError) as error:
        dlm.from_torch(Two(), torch.zeros(shape))
    assert error.value.refusal is why.EMPTY
