"""A simulator in one file: the reference, with nothing of its own but its name."""

from __future__ import annotations

from typing import Any

from dlm_snn.backends import reference


def run(network: Any, stimulus: Any, n_steps: int, record: Any = ("s",), state: Any = None) -> Any:
    """As every simulator."""
    return reference.run(network, stimulus, n_steps, record, state)
