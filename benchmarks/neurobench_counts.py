"""Synaptic operations and activation sparsity of three snnTorch networks: NeuroBench 2.3.0 beside ``hardware.count``.

Run: make neurobench, which installs NeuroBench into an environment of its own, on top of the product's (by its own
metadata it wants tonic and torchaudio, which these figures do not need).

NeuroBench sums each call of a layer in float32, so counts are equal below 2^24 a call. It calls operations accumulates
where all values of a call are -1, 0 or 1, and multiplies elsewhere, we by what the Input is: compared is their sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import snntorch as snn
import torch
from torch import nn

import dlm_snn as dlm
from hardware import count

VERSION = "2.3.0"
SAMPLES, STEPS = 40, 8


@dataclass(frozen=True)
class Counts:
    """Of a sample: synaptic operations, those of a dense network, and the share of neurons' steps without a spike."""

    operations: float
    dense: float
    sparsity: float


def _leaky(**options: bool) -> snn.Leaky:
    return snn.Leaky(beta=0.5, threshold=1.0, init_hidden=True, reset_mechanism="zero", **options)


def _on_grid(net: nn.Sequential, seed: int) -> nn.Sequential:
    """Weights in steps of 1/64, a third of them 0: float32 makes no rounding error, and the same spikes as float64."""
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.ndim:
                drawn = rng.integers(-40, 48, parameter.shape) * (rng.random(parameter.shape) < 2 / 3) / 64
                parameter.copy_(torch.tensor(drawn / max(1, parameter[0].numel() / 64) ** 0.5 // (1 / 64) / 64))
    return net.eval()


def networks() -> dict[str, tuple[nn.Sequential, torch.Tensor]]:
    """Name -> network, and its input (sample, step, ...)."""
    rng = np.random.default_rng(0)
    events = torch.tensor(rng.random((SAMPLES, STEPS, 784)) < 0.1, dtype=torch.float32)
    drawn = rng.integers(0, 17, (SAMPLES, STEPS, 64)) * (rng.random((SAMPLES, STEPS, 64)) < 0.3)
    pixels = torch.tensor(drawn / 16, dtype=torch.float32)
    images = torch.tensor(rng.random((SAMPLES, STEPS, 2, 17, 14)) < 0.1, dtype=torch.float32)
    dense = nn.Sequential(nn.Linear(784, 128), _leaky(), nn.Linear(128, 10), _leaky(output=True))
    graded = nn.Sequential(nn.Linear(64, 96), _leaky(), nn.Linear(96, 10), _leaky(output=True))
    conv = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1),
        _leaky(),
        nn.Conv2d(6, 4, (3, 5), stride=2),
        _leaky(),
        nn.Flatten(),
        nn.Linear(160, 10),
        _leaky(output=True),
    )
    return {
        "dense, binary input": (_on_grid(dense, 1), events),
        "dense, graded input": (_on_grid(graded, 2), pixels),
        "convolution": (_on_grid(conv, 3), images),
    }


def ours(net: nn.Module, data: torch.Tensor) -> Counts:
    """The network imported, run and counted."""
    imported = dlm.from_torch(net, data.transpose(0, 1))
    stimulus = imported.input
    found = count(dlm.run(imported.network, stimulus, STEPS, backend="fast"), stimulus)
    return Counts(found.synaptic, found.dense, found.activation_sparsity)


def theirs(net: nn.Module, data: torch.Tensor) -> Counts:
    """NeuroBench's own benchmark of it."""
    from neurobench.benchmarks import Benchmark
    from neurobench.metrics.workload import ActivationSparsity, SynapticOperations
    from neurobench.models import SNNTorchModel
    from torch.utils.data import DataLoader, TensorDataset

    loader = DataLoader(TensorDataset(data, torch.zeros(len(data))), batch_size=len(data))
    benchmark = Benchmark(SNNTorchModel(net), loader, [], [], [[], [ActivationSparsity, SynapticOperations]])
    with torch.no_grad():
        found = benchmark.run(quiet=True)
    operations = found["SynapticOperations"]
    effective = operations["Effective_ACs"] + operations["Effective_MACs"]
    return Counts(effective, operations["Dense"], found["ActivationSparsity"])


def main() -> None:
    """Print the table."""
    print(f"{'network':<22}{'operations':>14}{'NeuroBench':>14}{'sparsity':>12}{'NeuroBench':>12}")
    for name, (net, data) in networks().items():
        own, other = ours(net, data), theirs(net, data)
        print(
            f"{name:<22}{own.operations:>14,.3f}{other.operations:>14,.3f}{own.sparsity:>12.6f}{other.sparsity:>12.6f}"
        )


if __name__ == "__main__":
    main()
