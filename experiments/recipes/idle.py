"""Values of a configuration that change nothing under its others: a ``--set`` of one of them is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dlm_snn.config import parsed_override
from dlm_snn.errors import DlmError
from dlm_snn.physics.weights.trainer import DynamicsConfig
from experiments.recipes.config import RunConfig


def refuse_idle(overrides: Sequence[str], config: RunConfig) -> None:
    """Raise where a ``--set`` names only values that change nothing.

    Args:
        overrides: texts ``a.b=value``.
        config: with them, whole.

    Raises:
        DlmError: the text, why it is without effect, and what to set instead.
    """
    reasons = idle(config)
    for text in overrides:
        leaves = list(_leaves(*parsed_override(text)))
        if leaves and all(leaf in reasons for leaf in leaves):
            raise DlmError(f"--set {text}: it changes nothing here, since {reasons[leaves[0]]}")


def _leaves(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner, deeper in value.items():
            yield from _leaves(f"{key}.{inner}", deeper)
    else:
        yield key


def idle(config: RunConfig) -> dict[str, str]:
    """Dotted key -> why its value changes nothing, and the remedy."""
    found = {}
    if config.network.winners is None:
        found["network.groups"] = "network.winners is null: nobody competes; set network.winners too"
    inhibition = config.network.inhibition
    if inhibition is not None and inhibition.kind == "lateral":
        no_counters = "network.inhibition.kind is 'lateral': nobody counts; set it to 'counting'"
        found |= {f"network.inhibition.{name}": no_counters for name in ("neurons", "spacing")}
    if config.dynamics is not None:
        own = "the weights move by the DLM's dynamics; take --dynamics plain, or set"
        found["training.learning_rate"] = f"{own} dynamics.step"
        found["training.weight_decay"] = f"{own} dynamics.dissipation_rate"
        found["training.schedule"] = f"{own} dynamics.warmup and dynamics.last_step"
        found |= {f"dynamics.{key}": reason for key, reason in _dynamics(config.dynamics).items()}
    return found


def _dynamics(dynamics: DynamicsConfig) -> dict[str, str]:
    found = {}
    layers = dynamics.layers.values()
    cold = dynamics.temperature == 0 and not any(layer.temperature for layer in layers)
    still = dynamics.alpha == 0 and not any(layer.alpha for layer in layers)
    if cold:
        found["thermostat"] = "dynamics.temperature is 0: there is no noise; set that too"
    if dynamics.friction is None:
        found["current_as"] = "dynamics.friction is null: there is no momentum that a force would act on; set that too"
    if dynamics.form == "hebbian":
        found["current_as"] = "the current of form 'hebbian' is always a force; set dynamics.form to 'antisymmetric'"
    if still:
        no_current = "dynamics.alpha is 0: there is no current; set that too"
        found |= dict.fromkeys(("form", "function", "current_as"), no_current)
    if dynamics.dissipation == "none":
        found["dissipates"] = "dynamics.dissipation is 'none'; set that too"
        if dynamics.dissipation_rate > 0:
            found["dissipation_rate"] = found["dissipates"]
    elif dynamics.dissipation_rate == 0:
        found["dissipates"] = "dynamics.dissipation_rate is 0; set that too"
    if cold and (still or dynamics.form == "hebbian") and dynamics.injection_rate == 0:
        found["seed"] = "nothing is drawn: neither noise nor pairs of a current; set dynamics.temperature or alpha"
    return found
