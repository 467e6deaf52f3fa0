"""One network in several simulators, every pair compared spike by spike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from math import isfinite
from typing import Any

from numpy.typing import NDArray

from dlm_snn.backends import declared, run
from dlm_snn.networks.known import arithmetic_of
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.runs.comparison import Comparison, compare
from dlm_snn.runs.recording import Recording
from dlm_snn.runs.run_folder import stored_name
from dlm_snn.runs.run_metrics import Agreement
from dlm_snn.tasks.parts import Split
from experiments.harness.progress import Show
from experiments.recipes.config import SimulationConfig


@dataclass(frozen=True, eq=False)
class Simulated:
    """One network in all its simulators.

    Attributes:
        arithmetic: of the network.
        recordings: simulator -> spikes on all chosen samples.
        states: simulator -> spikes, u and v on the first of them.
        rows: every pair compared, on spikes and, for the first samples, on u and v.
    """

    arithmetic: str
    recordings: Mapping[str, Recording]
    states: Mapping[str, Recording]
    rows: Sequence[Agreement]

    def stored(self, simulators: Collection[str]) -> dict[str, tuple[Recording, Recording]]:
        """Of some simulators, as far as they ran: name in a run's folder -> recording, and the one with u and v."""
        return {
            stored_name(simulator, self.arithmetic): (recording, self.states[simulator])
            for simulator, recording in self.recordings.items()
            if simulator in simulators
        }


def simulated(network: Network | IntegerNetwork, config: SimulationConfig, data: Split, show: Show) -> Simulated:
    """Spikes on all chosen samples in every simulator; u and v on the first of them.

    Args:
        network: of either arithmetic; the configuration names the simulators of each.
        config: which simulators, how many samples and steps.
        data: its test samples are run.
        show: told of each simulator, and of the progress of those that are supervised.
    """
    x = data.x_test[: config.samples]
    arithmetic = arithmetic_of(network)
    backends = config.integer_backends if isinstance(network, IntegerNetwork) else config.float_backends

    def on(samples: NDArray, names: Sequence[str], record: Sequence[str]) -> dict[str, Recording]:
        return simulate(network, {"pixels": samples}, config.n_steps, names, record, config.timeout, show)

    @cache
    def with_state(backend: str) -> Recording:
        return on(x, (backend,), ("s", "u", "v"))[backend]

    if config.state_samples >= len(x):
        states = recordings = on(x, backends, ("s", "u", "v"))
        return Simulated(arithmetic, recordings, states, agreement(recordings))
    recordings = on(x, backends, ("s",))
    states = on(x[: config.state_samples], backends, ("s", "u", "v"))
    rows = agreement(recordings, with_state)
    note = f"u and v compared on {config.state_samples} samples"
    rows = [
        replace(
            row,
            values=few.values or {},
            note=note,
            equal=row.equal and few.equal,
            text=row.text if few.equal else few.text,
        )
        for row, few in zip(rows, agreement(states), strict=True)
    ]
    return Simulated(arithmetic, recordings, states, rows)


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
        timeout: seconds without progress after which a supervised simulator is stopped.
        show: told of each simulator, and of the progress of those that are supervised.
    """
    recordings = {}
    for number, backend in enumerate(backends):
        show(f"simulate in {backend}", number, len(backends))
        options = _supervision(backend, timeout, show) if declared(backend).supervised else {}
        recordings[backend] = run(network, stimulus, n_steps, record=record, backend=backend, **options)
    return recordings


def _supervision(backend: str, timeout: float, show: Show) -> dict[str, Any]:
    return {"timeout": timeout, "progress": lambda done, total: show(f"simulate in {backend}", done, total)}


def agreement(recordings: Mapping[str, Recording], rerun: Callable[[str], Recording] | None = None) -> list[Agreement]:
    """Compare every pair of simulators.

    Args:
        recordings: simulator -> Recording of the same network and stimulus.
        rerun: gives a simulator's recording with u and v, by which a rounding tie is told from a defect; called only
            for pairs whose spikes differ.

    Returns:
        One row a pair.
    """
    rows = []
    for first, second in combinations(recordings, 2):
        comparison = compare(recordings[first], recordings[second])
        network = recordings[first].network
        floats = isinstance(network, Network)
        if comparison.divergence is not None and rerun is not None and floats and not recordings[first].u:
            comparison = compare(rerun(first), rerun(second))
        rows.append(_row(first, second, arithmetic_of(network), comparison))
    return rows


def _row(first: str, second: str, arithmetic: str, comparison: Comparison) -> Agreement:
    values = {n: tuple(gaps) for n, gaps in comparison.values.items() if all(map(isfinite, gaps))}
    return Agreement(
        network=arithmetic,
        first=first,
        second=second,
        samples=comparison.n_samples,
        spikes={name: tuple(counts) for name, counts in comparison.spikes.items()},
        ties=len(comparison.ties),
        equal=comparison.equal,
        text=str(comparison),
        values=values or None,
    )
