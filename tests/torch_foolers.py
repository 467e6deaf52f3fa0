"""Modules made to fool the intake: each looks like a network and is none, with the refusal that it must meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import snntorch as snn
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlm_snn.exchange.torch_modules import refusals as why
from dlm_snn.exchange.torch_modules.refusals import Refusal
from tests.torch_styles import BATCH, STEPS, trains

FOOLERS: list[tuple[type[Two], Refusal]] = []


def refused(refusal: Refusal) -> Callable[[type[Two]], type[Two]]:
    def kept(kind: type[Two]) -> type[Two]:
        FOOLERS.append((kind, refusal))
        return kind

    return kept


class Two(nn.Module):
    """Two layers; what stands before, between and behind them is a method each."""

    hidden_states = False

    def __init__(self) -> None:
        super().__init__()
        options: Any = {"init_hidden": self.hidden_states, "output": self.hidden_states}
        self.fc1, self.lif1 = nn.Linear(36, 24), snn.Leaky(beta=0.75, threshold=0.5, **options)
        self.fc2, self.lif2 = nn.Linear(24, 5), snn.Leaky(beta=0.75, threshold=0.25, **options)

    def before(self, x: Tensor, t: int) -> Tensor:
        return self.fc1(x[t].flatten(1))

    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(spikes)

    def state(self, mem: Tensor, t: int) -> Tensor:
        return mem

    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        found = []
        for t in range(x.shape[0]):
            spk1, mem1 = self.lif1(self.before(x, t), mem1)
            mem1 = self.state(mem1, t)
            spk2, mem2 = self.lif2(self.between(spk1, t), mem2)
            found.append(spk2)
        return torch.stack(found)


@refused(why.PRODUCT)
class Gate(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(spikes * spikes.roll(1, 1))


@refused(why.PRODUCT)
class Square(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        current = self.fc2(spikes)
        return current * current


@refused(why.COMPUTED_WEIGHTS)
class FastWeights(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        column = spikes.unsqueeze(2)
        return self.fc2(torch.bmm(torch.bmm(column, column.transpose(1, 2)), column)[..., 0])


@refused(why.FUNCTION)
class Rectified(Two):
    """ReLU of what is above 0 in this sample anyway."""

    def between(self, spikes: Tensor, t: int) -> Tensor:
        return F.relu(self.fc2(spikes) + 100) - 99


@refused(why.FOREIGN_STATE)
class ClampedMembrane(Two):
    def state(self, mem: Tensor, t: int) -> Tensor:
        return mem.clamp(min=-1000)


@refused(why.FOREIGN_STATE)
class ScaledMembrane(Two):
    def state(self, mem: Tensor, t: int) -> Tensor:
        return mem * (1 - 1e-12)


@refused(why.FOREIGN_STATE)
class ResetInPlace(Two):
    def state(self, mem: Tensor, t: int) -> Tensor:
        if t == 4:
            mem[0] = 0
        return mem


@refused(why.FOREIGN_STATE)
class SwappedStates(Two):
    def __init__(self) -> None:
        super().__init__()
        self.fc2 = nn.Linear(24, 24)

    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        for t in range(x.shape[0]):
            spk1, mem1 = self.lif1(self.before(x, t), mem1)
            spk2, mem2 = self.lif2(self.between(spk1, t), mem2)
            mem1, mem2 = mem2, mem1
        return spk2


@refused(why.FOREIGN_STATE)
class SwappedParts(Two):
    """The current as the membrane, the membrane as the current."""

    def __init__(self) -> None:
        super().__init__()
        self.lif1 = snn.Synaptic(alpha=0.5, beta=0.5)

    def forward(self, x: Tensor) -> Tensor:
        syn, mem = self.lif1.init_synaptic()
        for t in range(x.shape[0]):
            spk, syn, mem = self.lif1(self.before(x, t), mem, syn)
        return spk


@refused(why.HALF_A_STATE)
class HalfAState(Two):
    """The current begins anew in every step."""

    def __init__(self) -> None:
        super().__init__()
        self.lif1 = snn.Synaptic(alpha=0.5, beta=0.5)

    def forward(self, x: Tensor) -> Tensor:
        _, mem = self.lif1.init_synaptic()
        for t in range(x.shape[0]):
            spk, _, mem = self.lif1(self.before(x, t), torch.zeros(BATCH, 24), mem)
        return spk


@refused(why.OVER_SAMPLES)
class MeanOfAllSamples(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(spikes - spikes.mean())


@refused(why.FOREIGN_STATE)
class OlderState(Two):
    def forward(self, x: Tensor) -> Tensor:
        mem1, first = self.lif1.init_leaky(), None
        for t in range(x.shape[0]):
            spk1, new = self.lif1(self.before(x, t), mem1 if t < 5 else first)
            first, mem1 = mem1, new
        return spk1


@refused(why.ANEW)
class StateAnew(Two):
    def forward(self, x: Tensor) -> Tensor:
        for t in range(x.shape[0]):
            spk1, _ = self.lif1(self.before(x, t), torch.zeros(BATCH, 24))
        return spk1


@refused(why.NOT_AT_REST)
class WarmStart(Two):
    def forward(self, x: Tensor) -> Tensor:
        mem1 = torch.full((BATCH, 24), 0.125)
        for t in range(x.shape[0]):
            spk1, mem1 = self.lif1(self.before(x, t), mem1)
        return spk1


@refused(why.UNEVEN)
class OneStateForTwoLayers(Two):
    hidden_states = True

    def __init__(self) -> None:
        super().__init__()
        self.fc2 = nn.Linear(24, 24)

    def forward(self, x: Tensor) -> Tensor:
        for t in range(x.shape[0]):
            spikes, _ = self.lif2(self.between(self.lif1(self.between(self.lif1(self.before(x, t))[0], t))[0], t))
        return spikes


@refused(why.CHANGED)
class HiddenStateChanged(Two):
    hidden_states = True

    def forward(self, x: Tensor) -> Tensor:
        for t in range(x.shape[0]):
            spk1, _ = self.lif1(self.before(x, t))
            self.lif1.mem = self.lif1.mem.clamp(min=-1000)
            spk2, _ = self.lif2(self.between(spk1, t))
        return spk2


@refused(why.CHANGED)
class ResetOnTheWay(Two):
    hidden_states = True

    def forward(self, x: Tensor) -> Tensor:
        for t in range(x.shape[0]):
            if t == 4:
                self.lif2.reset_mem()
            spk2, _ = self.lif2(self.between(self.lif1(self.before(x, t))[0], t))
        return spk2


@refused(why.CHANGED)
class ThresholdThatGrows(Two):
    def state(self, mem: Tensor, t: int) -> Tensor:
        self.lif1.threshold = self.lif1.threshold + 1e-9
        return mem


@refused(why.UNLIKE_STEPS)
class WeightsThatFade(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        with torch.no_grad():
            self.fc2.weight.mul_(1 - 1e-9)
        return self.fc2(spikes)


@refused(why.UNLIKE_STEPS)
class LaterOtherwise(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(spikes) * (1 if t < 4 else 1.0001)


@refused(why.UNLIKE_CONSTANT)
class BiasThatGrows(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(spikes) + t * 1e-6


@refused(why.BY_DATA)
class WeightsThatFadeByData(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        self.fc2.weight.data.mul_(1 - 1e-9)
        return self.fc2(spikes)


@refused(why.BY_DATA)
class OtherData(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        self.lif2.threshold.data = self.lif2.threshold.data + 1e-9
        return self.fc2(spikes)


@refused(why.BY_DATA)
class MembraneByData(Two):
    def state(self, mem: Tensor, t: int) -> Tensor:
        mem.data.view(-1).clamp_(min=-1000)
        return mem


@refused(why.LOOKS)
class Branch(Two):
    """A branch that no sample takes."""

    def between(self, spikes: Tensor, t: int) -> Tensor:
        current = self.fc2(spikes)
        return current * 0 if spikes.sum() > 1e9 else current


@refused(why.LOOKS)
class BranchOnTheSample(Two):
    def before(self, x: Tensor, t: int) -> Tensor:
        return self.fc1(x[t].flatten(1) if bool((x >= 0).all()) else -x[t].flatten(1))


@refused(why.LOOKS)
class Compared(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(spikes) if not torch.equal(spikes, spikes + 1) else self.fc2(-spikes)


@refused(why.LOOKS)
class ByNumpy(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(torch.from_numpy(np.maximum(spikes.detach().numpy(), 0)))


@refused(why.LOOKS)
class ByLists(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(torch.tensor(spikes.tolist()))


@refused(why.LOOKS)
class ByAnArray(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(torch.as_tensor(np.array(spikes)))


def _compiled_elsewhere(x: Tensor) -> Any:
    """Halves, where the mode cannot see it."""
    with torch._C.DisableTorchFunction():
        return x / 2


@refused(why.STRANGER)
class Unseen(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(spikes) + self.fc2(_compiled_elsewhere(spikes))


@refused(why.NOISE)
class Noise(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(spikes) + 1e-9 * torch.randn(BATCH, 5)


@refused(why.NOISE)
class OneDrawnBias(Two):
    def forward(self, x: Tensor) -> Tensor:
        self.drawn = torch.rand(5)
        return super().forward(x)

    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(spikes) + self.drawn


@refused(why.UNSTEADY)
class OneDrawnFactor(Two):
    """Drawn by numpy, once a run."""

    def forward(self, x: Tensor) -> Tensor:
        self.factor = float(np.random.default_rng().random())
        return super().forward(x)

    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(spikes) * self.factor


@refused(why.UNSTEADY)
class Counter(Two):
    runs = 0

    def forward(self, x: Tensor) -> Tensor:
        self.runs = self.runs + 1
        return super().forward(x)

    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(spikes) * (1 + self.runs)


@refused(why.DROPOUT)
class DropoutThatStays(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(F.dropout(spikes, 0.01))


@refused(why.BATCH_STATISTICS)
class BatchStatistics(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        return F.batch_norm(self.fc2(spikes), None, None, training=True)


@refused(why.MIXED)
class OtherSamples(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(spikes.flip(0))


@refused(why.ALL_AT_ONCE)
class BackwardInTime(Two):
    """The second layer gets the first one's last spikes first."""

    def forward(self, x: Tensor) -> Tensor:
        currents = self.fc1(x.flatten(2))
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        spikes = []
        for current in currents:
            spk1, mem1 = self.lif1(current, mem1)
            spikes.append(spk1)
        for current in self.fc2(torch.stack(spikes).flip(0)):
            spk2, mem2 = self.lif2(current, mem2)
        return spk2


@refused(why.IN_PLACE)
class SetItem(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        current = self.fc2(spikes)
        current[:, :2] = 0
        return current


@refused(why.STALE)
class ThroughAView(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        current = self.fc2(spikes)
        whole = current.view(-1)
        whole += 1
        return current


@refused(why.FED_BY_STATE)
class MembraneAsInput(Two):
    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        for t in range(x.shape[0]):
            _, mem1 = self.lif1(self.before(x, t), mem1)
            spk2, mem2 = self.lif2(self.between(mem1, t), mem2)
        return spk2


@refused(why.FED_BY_READ_OUT)
class SilentLayerAsInput(Two):
    def __init__(self) -> None:
        super().__init__()
        self.lif1 = snn.Leaky(beta=0.75, reset_mechanism="none")


@refused(why.FEEDBACK)
class Feedback(Two):
    def __init__(self) -> None:
        super().__init__()
        self.back = nn.Linear(5, 24, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2, spk2 = self.lif1.init_leaky(), self.lif2.init_leaky(), torch.zeros(BATCH, 5)
        for t in range(x.shape[0]):
            spk1, mem1 = self.lif1(self.before(x, t) + self.back(spk2), mem1)
            spk2, mem2 = self.lif2(self.between(spk1, t), mem2)
        return spk2


@refused(why.LAGGED)
class OnlyOldSpikes(Two):
    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2, spk1 = self.lif1.init_leaky(), self.lif2.init_leaky(), torch.zeros(BATCH, 24)
        for t in range(x.shape[0]):
            spk2, mem2 = self.lif2(self.between(spk1, t), mem2)
            spk1, mem1 = self.lif1(self.before(x, t), mem1)
        return spk2


class HandMade(nn.Module):
    """A leaky neuron written by hand."""

    def forward(self, current: Tensor, mem: Tensor) -> tuple[Tensor, Tensor]:
        mem = 0.5 * mem + current
        spikes = (mem > 1).to(mem.dtype)
        return spikes, mem * (1 - spikes)


@refused(why.FRONT_END)
class HandMadeInFront(Two):
    def forward(self, x: Tensor) -> Tensor:
        hand, own = HandMade(), torch.zeros(BATCH, 24)
        mem2 = self.lif2.init_leaky()
        for t in range(x.shape[0]):
            spk1, own = hand(self.before(x, t), own)
            spk2, mem2 = self.lif2(self.between(spk1, t), mem2)
        return spk2


@refused(why.FUNCTION)
class HandMadeBetween(Two):
    def __init__(self) -> None:
        super().__init__()
        self.middle = nn.Linear(24, 24)

    def forward(self, x: Tensor) -> Tensor:
        hand, own = HandMade(), torch.zeros(BATCH, 24)
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        for t in range(x.shape[0]):
            spk1, mem1 = self.lif1(self.before(x, t), mem1)
            spk, own = hand(self.middle(spk1), own)
            spk2, mem2 = self.lif2(self.between(spk, t), mem2)
        return spk2


@refused(why.HAND_MADE)
class HandMadeAtTheEnd(Two):
    def forward(self, x: Tensor) -> Tensor:
        hand, own = HandMade(), torch.zeros(BATCH, 5)
        mem1, found = self.lif1.init_leaky(), []
        for t in range(x.shape[0]):
            spk1, mem1 = self.lif1(self.before(x, t), mem1)
            spk2, own = hand(self.between(spk1, t), own)
            found.append(spk2)
        return torch.stack(found)


@refused(why.BEHIND)
class HeadOnMaxima(Two):
    def forward(self, x: Tensor) -> Tensor:
        mem1, found = self.lif1.init_leaky(), []
        for t in range(x.shape[0]):
            spk1, mem1 = self.lif1(self.before(x, t), mem1)
            found.append(spk1)
        return self.fc2(torch.stack(found).amax(0))


@refused(why.READ_OUT_BIAS)
class HeadOnCounts(Two):
    def forward(self, x: Tensor) -> Tensor:
        mem1 = self.lif1.init_leaky()
        count: Any = 0
        for t in range(x.shape[0]):
            spk1, mem1 = self.lif1(self.before(x, t), mem1)
            count = count + spk1
        return self.fc2(count)


@refused(why.LEAKY_READ_OUT)
class LeakByHand(Two):
    def forward(self, x: Tensor) -> Tensor:
        mem1, found = self.lif1.init_leaky(), []
        leak: Any = 0
        for t in range(x.shape[0]):
            spk1, mem1 = self.lif1(self.before(x, t), mem1)
            leak = 0.5 * leak + self.between(spk1, t)
            found.append(leak)
        return torch.stack(found)


@refused(why.READ_OUT_STEPS)
class HeadAtTimes(Two):
    def forward(self, x: Tensor) -> Tensor:
        mem1, found = self.lif1.init_leaky(), []
        for t in range(x.shape[0]):
            spk1, mem1 = self.lif1(self.before(x, t), mem1)
            if t % 2:
                found.append(self.between(spk1, t))
        return torch.stack(found)


class OwnLeaky(snn.Leaky):
    """A class that looks like its base, and halves its input."""

    def forward(self, input_: Tensor, mem: Any = None) -> Any:
        return super().forward(input_ / 2, mem)


@refused(why.UNKNOWN_NEURON)
class DerivedNeuron(Two):
    def __init__(self) -> None:
        super().__init__()
        self.lif1 = OwnLeaky(beta=0.75)


@refused(why.PATCHED)
class PatchedNeuron(Two):
    def __init__(self) -> None:
        super().__init__()
        forward = self.lif1.forward
        self.lif1.forward = lambda current, mem: forward(current / 2, mem)


@refused(why.HOOKED)
class HookedNeuron(Two):
    def __init__(self) -> None:
        super().__init__()
        self.lif1.register_forward_pre_hook(_halve)


def _halve(module: nn.Module, args: Any) -> Any:
    return (args[0] / 2, *args[1:])


@refused(why.POOL_FORM)
class PoolOfSomeSpikes(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        return self.fc2(F.max_pool1d(spikes[:, None], 2, 1, 1, dilation=2)[:, 0])


@refused(why.FEW_STEPS)
class TwoSteps(Two):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x[:2])


class IntoTheSample(Two):
    """Writes spikes into a clone of the sample, by a way that leaves that clone's own tag alone."""

    def into(self, frame: Tensor, spikes: Tensor) -> None:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2, found = self.lif1.init_leaky(), self.lif2.init_leaky(), []
        for t in range(x.shape[0]):
            frame = x[t].flatten(1)
            spk1, mem1 = self.lif1(self.fc1(frame), mem1)
            skip = frame[:, :24].clone()
            self.into(skip, spk1)
            spk2, mem2 = self.lif2(self.fc2(skip), mem2)
            found.append(spk2)
        return torch.stack(found)


@refused(why.STALE)
class IntoASlice(IntoTheSample):
    def into(self, frame: Tensor, spikes: Tensor) -> None:
        frame[:, :3].add_(spikes[:, :3])


@refused(why.STALE)
class IntoAChunk(IntoTheSample):
    def into(self, frame: Tensor, spikes: Tensor) -> None:
        first, _ = frame.chunk(2, 1)
        first += spikes[:, :12]


@refused(why.STALE)
class CopiedIntoAView(IntoTheSample):
    def into(self, frame: Tensor, spikes: Tensor) -> None:
        frame.view(-1).copy_(spikes.reshape(-1))


@refused(why.STALE)
class IntoADetached(IntoTheSample):
    def into(self, frame: Tensor, spikes: Tensor) -> None:
        frame.detach().add_(spikes)


@refused(why.IN_PLACE)
class IntoAnOut(IntoTheSample):
    def into(self, frame: Tensor, spikes: Tensor) -> None:
        torch.add(frame, spikes, out=frame)


@refused(why.STALE)
class IntoAConstant(Two):
    def between(self, spikes: Tensor, t: int) -> Tensor:
        current = torch.zeros(len(spikes), 24)
        current[:, :3].copy_(spikes[:, :3])
        return self.fc2(current)


@refused(why.ENDLESS)
class AddsUpItsSpikes(Two):
    def forward(self, x: Tensor) -> Tensor:
        mem1, total, found = self.lif1.init_leaky(), torch.zeros(x.shape[1], 24), []
        for t in range(x.shape[0]):
            spk1, mem1 = self.lif1(self.before(x, t) - total / 4, mem1)
            total = total + spk1
            found.append(spk1)
        return torch.stack(found)


@refused(why.GIVEN_PARAMETER)
class ThresholdOfTheSample(Two):
    def forward(self, x: Tensor) -> Tensor:
        self.lif1.threshold = x.mean()
        return super().forward(x)


@refused(why.ORIGINAL)
class HeldByALambda(Two):
    def __init__(self) -> None:
        super().__init__()
        self.enter = lambda frame: 1.0 * self.fc1(frame)

    def before(self, x: Tensor, t: int) -> Tensor:
        return self.enter(x[t].flatten(1))


@refused(why.FAILS)
class MisspeltAtTheEnd(Two):
    def forward(self, x: Tensor) -> Tensor:
        return torch.stak(super().forward(x))


SAMPLE = trains(3)
assert len(SAMPLE) == STEPS
