"""How long a sample takes on a chip, and what comes in meanwhile: bounds, where no more is public."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

from dlm_snn.errors import DlmError
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.runs.metrics import answering
from dlm_snn.values import is_whole
from hardware.chips import LOIHI2_STEP

SHORTEST_STEP = LOIHI2_STEP.value / 1e9
"""Seconds of Loihi 2's shortest step."""
SHORTEST_STEP_SOURCE = f"{LOIHI2_STEP.mark}: {LOIHI2_STEP.source}"
HOST_LINK: float | None = None
"""Events a second that a host brings onto Loihi 2; not public."""


@dataclass(frozen=True)
class Latency:
    """Of a sample, from its first step to its answer.

    Attributes:
        steps: the window, and the steps that the answer lies behind the input.
        step_time: seconds of a step.
        given: the step time is the user's, measured; else the shortest that the chip has, and the time a lower bound.
        input_events_a_step: that the host has to bring.
    """

    steps: int
    step_time: float
    given: bool
    input_events_a_step: float

    @property
    def seconds(self) -> float:
        """Of a sample; a lower bound where no step time was given."""
        return self.steps * self.step_time

    @property
    def input_events_a_second(self) -> float:
        """At that step time."""
        return self.input_events_a_step / self.step_time

    def __str__(self) -> str:
        each = f"{1e6 * self.step_time:.4g} us"
        told = f"{self.steps} steps of {each} (given)" if self.given else f"{self.steps} steps"
        time = (
            f"latency {1e6 * self.seconds:.4g} us: {told}"
            if self.given
            else f"latency at least {1e6 * self.seconds:.4g} us: {told}, on Loihi 2 of {each} at least "
            f"({SHORTEST_STEP_SOURCE})"
        )
        return (
            f"{time}\ninput: {self.input_events_a_step:.4g} events a step, {self.input_events_a_second:.3g} a second "
            "at that step; what the host's link takes is not public"
        )

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "steps": self.steps,
            "step_seconds": self.step_time,
            "seconds": self.seconds,
            "kind": "given" if self.given else "lower bound",
            "source": None if self.given else SHORTEST_STEP_SOURCE,
            "input_events_a_step": self.input_events_a_step,
            "input_events_a_second": self.input_events_a_second,
            "host_link_events_a_second": HOST_LINK,
        }


def latency(
    network: Network | IntegerNetwork, n_steps: int, input_events_a_step: float, step_time: float | None = None
) -> Latency:
    """Steps times the time of a step.

    Args:
        network: its answer lies ``depth`` steps behind the input.
        n_steps: of a window.
        input_events_a_step: of Operations.
        step_time: seconds, as measured; None: the shortest of Loihi 2.

    Raises:
        DlmError: a step time that is not above 0, no steps, events below 0.
    """
    if step_time is not None and not (isfinite(step_time) and step_time > 0):
        raise DlmError(f"step time {step_time!r} s is not a positive number of seconds")
    if not is_whole(n_steps) or n_steps < 1:
        raise DlmError(f"n_steps = {n_steps!r} is not a positive integer")
    if not (isfinite(input_events_a_step) and input_events_a_step >= 0):
        raise DlmError(f"input_events_a_step = {input_events_a_step!r} is not a number of at least 0")
    steps = n_steps + network.depth[answering(network)]
    given = step_time is not None
    return Latency(steps, SHORTEST_STEP if step_time is None else step_time, given, input_events_a_step)
