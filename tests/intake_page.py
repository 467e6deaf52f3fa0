"""What comes in by ``from_torch``, tried: the tables at the end of docs/intake.md. ``python -m tests.intake_page``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import snntorch as snn
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import dlm_snn as dlm
from dlm_snn.exchange.torch_modules.proof import DEFECT, TIE
from dlm_snn.exchange.torch_modules.refusals import Refusal, RefusedError, refusals
from dlm_snn.exchange.torch_modules.snntorch_table import TABLE

STEPS, BATCH, SHAPE = 6, 3, (2, 4, 4)
EXACT, READ = "exact", "v read"
Current = Callable[[Tensor], Tensor]


def sample(seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand((STEPS, BATCH, *SHAPE), generator=generator) < 0.5).float()


KINDS: Mapping[str, tuple[type, dict[str, Any]]] = {
    "Leaky": (snn.Leaky, {"beta": 0.75}),
    "Synaptic": (snn.Synaptic, {"alpha": 0.5, "beta": 0.75}),
    "RLeaky": (snn.RLeaky, {"beta": 0.75, "linear_features": 8}),
    "RSynaptic": (snn.RSynaptic, {"alpha": 0.5, "beta": 0.75, "linear_features": 8}),
    "Alpha": (snn.Alpha, {"alpha": 0.85, "beta": 0.75}),
    "Lapicque": (snn.Lapicque, {"beta": 0.75}),
}
OPTIONS: Mapping[str, dict[str, Any]] = {
    "subtract": {},
    "zero": {"reset_mechanism": "zero"},
    "none": {"reset_mechanism": "none"},
    "subtract, `reset_delay=False`": {"reset_delay": False},
    "zero, `reset_delay=False`": {"reset_mechanism": "zero", "reset_delay": False},
    "`init_hidden`": {"init_hidden": True},
    "beta and threshold of each neuron, learned": {
        "beta": torch.linspace(0.25, 0.75, 8),
        "threshold": torch.linspace(0.25, 0.75, 8),
        "learn_beta": True,
        "learn_threshold": True,
    },
    "`inhibition=True`": {"inhibition": True},
}


class One(nn.Module):
    """A Linear and a neuron with states of its own."""

    def __init__(self, kind: type, options: Mapping[str, Any]) -> None:
        super().__init__()
        self.fc, self.lif = nn.Linear(32, 8), kind(**{"threshold": 0.5, **options})

    def forward(self, x: Tensor) -> list[Tensor]:
        found, states = [], ()
        for frame in x:
            if type(self.lif) is snn.RSynaptic and not (states or self.lif.init_hidden):
                # With reset_delay=False it wants spikes in the first step, too.
                states = (torch.zeros(len(frame), 8),) * 3
            result = self.lif(self.fc(frame.flatten(1)), *states)
            spikes, *others = result if isinstance(result, tuple) else (result,)
            if not self.lif.init_hidden:
                states = (spikes, *others) if type(self.lif) in (snn.RLeaky, snn.RSynaptic) else tuple(others)
            found.append(spikes)
        return found


class Between(nn.Module):
    """Two layers of images, and what stands between them."""

    def __init__(self, between: Callable[[Between, Tensor], Tensor]) -> None:
        super().__init__()
        self.between, self.steps = between, STEPS
        self.conv1, self.lif1 = nn.Conv2d(2, 2, 3, padding=1), snn.Leaky(beta=0.75, threshold=0.5)
        self.conv2, self.fc, self.norm = nn.Conv2d(2, 2, 3, padding=1), nn.Linear(32, 32), nn.BatchNorm2d(2)
        self.lif2 = snn.Leaky(beta=0.75, threshold=0.25)
        self.norm.running_mean.fill_(0.125)  # type: ignore[union-attr,operator]
        self.norm.running_var.fill_(0.5)  # type: ignore[union-attr,operator]

    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2, found = self.lif1.init_leaky(), self.lif2.init_leaky(), []
        self.last, self.old = torch.zeros(BATCH, *SHAPE), torch.zeros(BATCH, *SHAPE)
        for self.frame in x:
            spk1, mem1 = self.lif1(self.before(self.conv1(self.frame)), mem1)
            self.last, mem2 = self.lif2(self.between(self, spk1), mem2)
            self.old = spk1
            found.append(self.last)
        return torch.stack(found)

    def before(self, current: Tensor) -> Tensor:
        return current


class FedBack(Between):
    def before(self, current: Tensor) -> Tensor:
        return current + self.last


class AtOnce(Between):
    """Each layer over all steps before the next one begins."""

    def forward(self, x: Tensor) -> Tensor:
        first = self.spikes(self.lif1, self.conv1(x.flatten(0, 1)).unflatten(0, (len(x), -1)))
        return self.spikes(self.lif2, self.between(self, first))

    def spikes(self, lif: Any, currents: Tensor) -> Tensor:
        mem, found = lif.init_leaky(), []
        for current in currents:
            spikes, mem = lif(current, mem)
            found.append(spikes)
        return torch.stack(found)


FORMS: Mapping[str, Callable[[], nn.Module]] = {
    "Linear, Conv2d, convolutions of 1 and 3 axes, `matmul`, `einsum`": lambda: Between(
        lambda m, s: torch.einsum("oi,bi->bo", m.fc.weight, s.flatten(1)).view_as(s)
    ),
    "BatchNorm in eval": lambda: Between(lambda m, s: m.norm(m.conv2(s))),
    "Dropout in eval": lambda: Between(lambda m, s: F.dropout(m.conv2(s), 0.5, m.training)),
    "AvgPool, means and sums over features": lambda: Between(
        lambda m, s: F.interpolate(F.avg_pool2d(s, 2), scale_factor=2)
    ),
    "MaxPool of spikes": lambda: Between(lambda m, s: m.conv2(F.max_pool2d(s, 3, 1, 1))),
    "MaxPool of currents": lambda: Between(lambda m, s: F.max_pool2d(m.conv2(s), 3, 1, 1)),
    "views, permutations, slices, padding": lambda: Between(
        lambda m, s: m.conv2(F.pad(s.permute(0, 1, 3, 2)[..., 1:], (1, 0)).flip(1))
    ),
    "`gather`, constant indices and masks, `where`, `lerp`": lambda: Between(
        lambda m, s: torch.lerp(m.conv2(s[:, [1, 0]]), m.frame, 0.25).masked_fill(torch.eye(4).bool(), 0.25)
    ),
    "casts, comparisons, functions of one spike and constants": lambda: Between(
        lambda m, s: m.conv2((s.bool() ^ True).to(s.dtype)) - s * s / 2 + torch.cos(s)
    ),
    "skips, sums, differences, factors": lambda: Between(lambda m, s: m.conv2(s) - s / 2 + m.frame),
    "concatenation": lambda: Between(lambda m, s: m.conv2(torch.cat([s[:, :1], m.frame[:, 1:]], dim=1))),
    "recurrence within a layer": lambda: Between(lambda m, s: m.conv2(s) - 0.5 * m.last),
    "older spikes beside those of the step": lambda: Between(lambda m, s: m.conv2(s) + m.conv2(m.old)),
    "older spikes alone": lambda: Between(lambda m, s: m.conv2(m.old)),
    "layers before the loop, on all steps at once; layer by layer": lambda: AtOnce(
        lambda m, s: m.fc(s.flatten(2)).view_as(s)
    ),
    "all steps mixed, as backward in time": lambda: AtOnce(lambda m, s: m.fc(s.flip(0).flatten(2)).view_as(s)),
    "feedback over layers, one step later": lambda: FedBack(lambda m, s: m.conv2(s)),
    "ReLU, clamp, softmax, ... of currents": lambda: Between(lambda m, s: F.relu(m.conv2(s))),
    "products of spikes (gates, attention)": lambda: Between(lambda m, s: s * m.conv2(s)),
    "branches on values, NumPy": lambda: Between(lambda m, s: m.conv2(s) if s.sum() > 0 else s),
    "random numbers": lambda: Between(lambda m, s: m.conv2(s) + torch.randn(SHAPE)),
}


def outcome(module: nn.Module) -> str:
    """ "exact", "v read", or what the refusal says."""
    try:
        imported = dlm.from_torch(module, sample(), check=sample(1))
    except RefusedError as error:
        _, _, told = str(error).partition(": ")
        return f"refused: {told.partition('; ')[0]}"
    return READ if any(layer.v_difference is not None for layer in imported.proof.layers) else EXACT


def neuron(kind: str, option: str) -> str:
    torch.manual_seed(0)
    made, own = KINDS[kind]
    options = {**own, **OPTIONS[option]}
    try:
        module = One(made, options)
    except TypeError:
        return "-"
    return "refused" if outcome(module).startswith("refused") else outcome(module)


def tables() -> str:
    """All tables in Markdown."""
    names = [kind for kind in KINDS if KINDS[kind][0] in TABLE.readers]
    others = ", ".join(kind for kind in KINDS if kind not in names and neuron(kind, "subtract") == "refused")
    parts = [_table(["snnTorch", *names], [[option, *(neuron(kind, option) for kind in names)] for option in OPTIONS])]
    parts.append(f"Refused by name: {others}, and every class derived from these or from SpikingNeuron.\n")
    rows = []
    for form, make in FORMS.items():
        torch.manual_seed(0)
        rows.append([form, outcome(make())])
    parts.append(_table(["between, before and behind neurons", "comes in"], rows))
    parts.append("## Your network does not come in: why, and what to change\n")
    parts.append("The line begins with the layer; what stands in braces is filled in.\n")
    parts.append(_table(["it says", "change"], [_told(refusal) for refusal in refusals().values()]))
    return "\n".join(parts)


def _told(refusal: Refusal) -> list[str]:
    remedy = refusal.remedy.replace("{advice}", f"{TIE}. Else: {DEFECT}").replace("{remedy}", "what the line says")
    return [text.replace("{{", "{").replace("}}", "}") for text in (refusal.why, remedy)]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    import warnings

    warnings.filterwarnings("ignore")
    print(tables(), end="")
