"""How much memory a run takes at least, told before any is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlm_snn.errors import DlmError, how_many
from dlm_snn.files.free_memory import SMALL, free_memory
from dlm_snn.networks.network import IntegerNetwork, Network

STATE_BYTES = 16
"""u and v of one neuron and sample."""
VALUE_BYTES = 8
"""One recorded u or v."""


def check_memory(
    network: Network | IntegerNetwork,
    n_samples: int,
    n_steps: int,
    chosen: Mapping[str, Sequence[str]],
    spike_bytes: int = 0,
    sent_bytes: int = 0,
) -> None:
    """Raise where a run cannot fit into the memory that is free.

    Args:
        network: its populations count with the state of one sample at least, and with what is recorded.
        n_samples, n_steps: extent of the run.
        chosen: "s", "u", "v" -> populations recorded in memory.
        spike_bytes: of a neuron and step of a recorded raster while the run lasts: 1 where it is dense.
        sent_bytes: of a neuron and step, Inputs' too, where all that was sent is kept until the end.

    Raises:
        DlmError: names the population that takes most, and how much.
    """
    needs = {}
    for name, population in network.populations.items():
        a_step = sent_bytes + spike_bytes * (name in chosen.get("s", ())) + VALUE_BYTES * _traces(chosen, name)
        state = STATE_BYTES if name in network.neurons else 0
        needs[name] = n_samples * population.n * (state + a_step * n_steps)
    whole = sum(needs.values())
    if whole < SMALL:
        return
    free = free_memory()
    if whole > free:
        name = max(needs, key=lambda key: needs[key])
        others = f" (all populations: {whole / 2**30:.3g})" if needs[name] < whole else ""
        remedy = "record less, or record into a FolderSink"
        if sent_bytes or spike_bytes:
            remedy += ", or take backend 'fast', which keeps events alone"
        raise DlmError(
            f"population '{name}' of {network.populations[name].n} neurons needs {needs[name] / 2**30:.3g} GiB{others} "
            f"for {how_many(n_samples, 'samples')} x {how_many(n_steps, 'steps')}, {free / 2**30:.3g} are free; "
            f"take fewer samples, {remedy}"
        )


def _traces(chosen: Mapping[str, Sequence[str]], name: str) -> int:
    return sum(name in chosen.get(key, ()) for key in ("u", "v"))
