"""One network in several simulators, every pair compared spike by spike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from math import isfinite
from typing import Any

from dlm_snn.backends import run
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.runs.comparison import Comparison, compare
from dlm_snn.runs.recording import Recording
from experiments.harness.progress import Show


def simulate(
    network: Network | IntegerNetwork,
    stimulus: Mapping[str, Any],
    n_steps: int,
    backends: Sequence[str],
    record: Sequence[str],
    timeout: float,
    show: Show,
) -> dict[str, Recording]:
    """Run a network in each simulator.

    Args:
        network, stimulus, n_steps, record: as in dlm_snn.run.
        backends: names of simulators.
        timeout: seconds without progress after which Lava is stopped.
        show: told of each simulator, and of Lava's progress.
    """
    recordings = {}
    for number, backend in enumerate(backends):
        show(f"simulate in {backend}", number, len(backends))
        options = _lava_options(backend, timeout, show) if backend.startswith("lava-") else {}
        recordings[backend] = run(network, stimulus, n_steps, record=record, backend=backend, **options)
    return recordings


def _lava_options(backend: str, timeout: float, show: Show) -> dict[str, Any]:
    return {"timeout": timeout, "progress": lambda done, total: show(f"simulate in {backend}", done, total)}


def agreement(
    recordings: Mapping[str, Recording], rerun: Callable[[str], Recording] | None = None
) -> list[dict[str, Any]]:
    """Compare every pair of simulators.

    Args:
        recordings: simulator -> Recording of the same network and stimulus.
        rerun: gives a simulator's recording with u and v, by which a rounding tie is told from a defect; called only
            for pairs whose spikes differ.

    Returns:
        One row a pair, plain data: "network", "first", "second", "samples", "spikes", "ties", "equal", "text", and
        "values" (largest difference of u and of v) where both recorded them.
    """
    rows = []
    for first, second in combinations(recordings, 2):
        comparison = compare(recordings[first], recordings[second])
        float_net = isinstance(recordings[first].network, Network)
        if comparison.divergence is not None and rerun is not None and float_net and not recordings[first].u:
            comparison = compare(rerun(first), rerun(second))
        rows.append(_row(first, second, "float" if float_net else "integer", comparison))
    return rows


def _row(first: str, second: str, kind: str, comparison: Comparison) -> dict[str, Any]:
    values = {n: gaps for n, gaps in comparison.values.items() if all(map(isfinite, gaps))}
    return {
        "network": kind,
        "first": first,
        "second": second,
        "samples": comparison.n_samples,
        "spikes": {name: list(counts) for name, counts in comparison.spikes.items()},
        "ties": len(comparison.ties),
        "equal": comparison.equal,
        "text": str(comparison),
        **({"values": {name: list(gaps) for name, gaps in values.items()}} if values else {}),
    }
