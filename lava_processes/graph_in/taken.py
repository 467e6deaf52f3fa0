"""What ``from_lava`` gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.backends import run
from dlm_snn.errors import DlmError, nearest
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.runs.recording import Recording, RunState, WhatToRecord
from dlm_snn.values import is_whole
from lava_processes.graph_in.sources import Feed
from lava_processes.graph_in.walk import Places


class Place(NamedTuple):
    """Where a population comes from.

    Attributes:
        process: name of its Process.
        shape: of the Process, as Lava has it.
        order: neuron i is value order[i] of the Process, flat in C order.
    """

    process: str
    shape: tuple[int, ...]
    order: Places


@dataclass(frozen=True, eq=False)
class FromLava:
    """A network that a graph of Lava processes became.

    Attributes:
        network: Network, or IntegerNetwork of fixed_pt models.
        first: population of neurons -> Lava's step in which the first step of its window lies: step k of the window
            is Lava's step first + k. Before it the population sends nothing.
        state: what a run of one sample begins with: u and v that are not 0 in the graph, and the phase of LIFResets;
            None: rest.
        places: population -> name and shape of its Process, and the order of its neurons.
        feeds: Input -> its population, and one round of its RingBuffer, (step, neuron); step k is sent in Lava's step
            k + 1.
        before: population that integrates a bias until its window opens, with a reset -> its "u" and "v" in the steps
            before, (step, neuron).
    """

    network: Network | IntegerNetwork
    first: Mapping[str, int]
    state: RunState | None
    places: Mapping[str, Place]
    feeds: Mapping[str, Feed]
    before: Mapping[str, Mapping[str, NDArray]]

    def __repr__(self) -> str:
        first = ", ".join(f"{name} {step}" for name, step in self.first.items())
        begun = "" if self.state is None else "; state: not at rest"
        fed = ", ".join(f"{name} {fed.values.shape}" for name, fed in self.feeds.items())
        return f"FromLava, windows from Lava's steps {first}{begun}; fed {fed or 'by nothing'}\n{self.network!r}"

    def stimulus(self, n_steps: int) -> dict[str, NDArray]:
        """What the RingBuffers send in Lava's steps 1 to n_steps, round after round: Input -> (1, step, neuron)."""
        if not is_whole(n_steps) or n_steps < 1:
            raise DlmError(f"n_steps = {n_steps!r} is not a positive integer")
        found = {}
        for name, fed in self.feeds.items():
            rounds = -(-n_steps // len(fed.values))
            found[name] = (fed.values if rounds == 1 else np.tile(fed.values, (rounds, 1)))[None, :n_steps]
        return found

    def samples(self, n_samples: int) -> dict[str, NDArray]:
        """What the RingBuffers send, cut where the graph's LIFResets cut it: Input -> (sample, interval, neuron).

        ``dlm_snn.run(network, samples(n), n_steps=interval)`` runs side by side what the graph runs one after another.

        Raises:
            DlmError: populations that are not all reset every so many steps, from their windows' first on; a projection
                that carries one sample into the next.
        """
        intervals = {part.period for part in self.network.neurons.values()}
        if self.state is not None or len(intervals) > 1 or None in intervals:
            told = ", ".join(f"{name} {part.period or 'never'}" for name, part in self.network.neurons.items())
            remedy = "LIFReset everywhere, with one interval and the offset depth + 1, makes samples"
            raise DlmError(f"the graph is not cut into samples (reset every: {told}); {remedy}")
        if self.network.unbalanced:
            told = f"'{self.network.unbalanced[0]}' carries one sample into the next, as it is not balanced"
            raise DlmError(f"{told}; run the graph in sequence")
        (interval,) = intervals
        return {
            name: values.reshape(n_samples, interval, -1)
            for name, values in self.stimulus(n_samples * int(interval)).items()
        }

    def start(self, n_samples: int) -> RunState | None:
        """What a run of so many samples begins with, for ``dlm_snn.run(..., state=)``: ``state`` for each."""
        return None if self.state is None else RunState.joined([self.state] * n_samples)

    def encode(self, name: str, data: Any) -> NDArray:
        """Other data for an Input, in the form of its RingBuffer (shape of s_out, then steps): (1, step, neuron).

        Raises:
            DlmError: another shape, or what is no number.
        """
        if name not in self.feeds:
            raise DlmError(f"no Input '{name}'; {nearest(name, self.feeds)}")
        return self.feeds[name].read(data)[None]

    def run(self, n_steps: int, record: WhatToRecord = ("s",), backend: str = "fast", **options: Any) -> Recording:
        """The graph's own run, RingBuffers and all, over Lava's steps 1 to n_steps, without Lava.

        Args:
            n_steps: of Lava.
            record, backend, options: as in ``dlm_snn.run``.

        Returns:
            The Recording, whose windows reach Lava's step n_steps; ``clocked`` puts it on Lava's clock.
        """
        length = n_steps + 1 - min(self.first.values())
        return run(self.network, self.stimulus(length), length, record, self.state, backend, **options)

    def clocked(self, recording: Recording, name: str, kind: str = "s") -> NDArray:
        """What was recorded of a population on Lava's clock and in its Process's shape, (sample, step, *shape).

        Row t - 1 is Lava's step t, as column t - 1 of a sink that the Process is wired to; before the window it holds
        what the graph has.

        Args:
            recording: of this network.
            name: of a population.
            kind: "s", "u" or "v".

        Raises:
            DlmError: no such population, or nothing recorded of it.
        """
        if name not in self.places:
            raise DlmError(f"no population '{name}' of neurons; {nearest(name, self.places)}")
        if kind not in ("s", "u", "v"):
            raise DlmError(f"kind = {kind!r} is none of 's', 'u', 'v'")
        found: Mapping[str, Any] = recording.rasters if kind == "s" else getattr(recording, kind)
        if name not in found:
            raise DlmError(f"'{kind}' of '{name}' was not recorded; give record=('{kind}',)")
        values: NDArray = found[name].dense() if kind == "s" else found[name]
        late = self.first[name] - 1
        if late > 0:
            early = self.before.get(name, {}).get(kind, np.zeros((late, values.shape[-1]), values.dtype))
            values = np.concatenate([np.broadcast_to(early, (len(values), *early.shape)), values], axis=1)
        _, shape, order = self.places[name]
        turned = np.empty_like(values)
        turned[..., order] = values
        return turned[:, max(-late, 0) :].reshape(len(values), -1, *shape)
