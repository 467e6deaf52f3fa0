"""How much memory a run takes at least, told before any is taken."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from dlm_snn.errors import DlmError
from dlm_snn.network import IntegerNetwork, Network

STATE_BYTES = 16
"""u and v of one neuron and sample."""
VALUE_BYTES = 8
"""One recorded u or v."""


def check_memory(
    network: Network | IntegerNetwork, n_samples: int, n_steps: int, chosen: Mapping[str, Sequence[str]]
) -> None:
    """Raise where a run cannot fit into the machine's memory.

    Args:
        network: its populations count with the state of one sample at least, and with recorded u and v.
        n_samples, n_steps: extent of the run.
        chosen: "u", "v" -> populations recorded in memory.

    Raises:
        DlmError: names the population that takes most, and how much.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    needs = {
        name: n_samples * neuron.n * (STATE_BYTES + VALUE_BYTES * n_steps * _traces(chosen, name))
        for name, neuron in network.neurons.items()
    }
    if sum(needs.values()) > memory:
        name = max(needs, key=lambda key: needs[key])
        raise DlmError(
            f"population '{name}' of {network.populations[name].n} neurons needs {needs[name] / 2**30:.3g} GiB for "
            f"{n_samples} samples x {n_steps} steps, the machine has {memory / 2**30:.3g}; take fewer samples, record "
            "fewer traces, or record into a FolderSink"
        )


def _traces(chosen: Mapping[str, Sequence[str]], name: str) -> int:
    return sum(name in chosen.get(key, ()) for key in ("u", "v"))
