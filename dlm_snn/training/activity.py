"""A penalty on how many neurons are active, step by step: sparseness that is learned, not enforced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field
from torch import Tensor

from dlm_snn.config import Config
from dlm_snn.errors import DlmError, nearest
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.neurons.models import spikes


class ActivityConfig(Config):
    """A penalty on how far the active neurons of a step are from a target; added to the loss.

    Attributes:
        target: k, active neurons of a population in a step.
        strength: of the penalty, in units of the cross-entropy.
        populations: each with this target.
    """

    target: float = Field(gt=0)
    strength: float = Field(default=0.1, gt=0)
    populations: tuple[str, ...] = Field(default=("hidden",), min_length=1)


def activity_penalty(fired: Tensor, target: float) -> Tensor:
    """Mean over steps and samples of ((a - k) / k)^2, with a the number of spikes of a sample in a step.

    Its gradient, as far as it goes, is dP/ds = 2 (a - k) / (k^2 n), the same for every neuron of a sample's step, with
    n the number of steps times samples; behind it stands the surrogate.

    Args:
        fired: spikes (step, sample, neuron).
        target: k.
    """
    return ((fired.sum(-1) / target - 1) ** 2).mean()


def penalized(fired: Mapping[str, Tensor], config: ActivityConfig) -> Tensor:
    """strength times the sum of the populations' penalties."""
    parts = (activity_penalty(fired[name], config.target) for name in dict.fromkeys(config.populations))
    return config.strength * sum(parts, start=next(iter(fired.values())).new_zeros(()))


def check_activity(network: Network | IntegerNetwork, config: ActivityConfig) -> None:
    """Refuse a penalty that a network cannot follow.

    Raises:
        DlmError: no such population, one that never spikes, a target beyond its neurons.
    """
    for name in config.populations:
        if name not in network.neurons:
            raise DlmError(f"activity.populations names '{name}'; {nearest(name, network.neurons)}")
        neuron: Any = network.neurons[name]
        if not spikes(neuron):
            raise DlmError(f"activity.populations names '{name}', which never spikes; leave it out")
        if config.target > neuron.n:
            raise DlmError(
                f"activity.target = {config.target:g}, but '{name}' has {neuron.n} neurons; lower it or leave it out"
            )
