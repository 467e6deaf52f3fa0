"""The front end of the columns, from pixels to a rank code in spikes and integers: its constants, its network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError
from dlm_snn.learning.columns.edges import edge_synapses, group_synapses, window_synapses
from dlm_snn.networks.network import Input, IntegerProjection
from dlm_snn.neurons.integer_lif import IntegerLIF
from dlm_snn.runs.raster import SpikeRaster

FORGETS = 4095
"""du: no memory of the current; dv: nothing below 4096/64 is left of v after a step."""
HOLDS = -1
"""du: the current stays."""
GO, STOP, DECIDE = 0, 1, 2
"""Neurons of the clock."""
CHANNELS = 3
READY = 2040
"""What a counter adds to the next one's count: more than all spikes that there can be."""
MISSING = 1020
"""What the clock adds to every counter: more than all spikes that are waited for."""


@dataclass(frozen=True)
class FrontEnd:
    """Constants of the front end; all counts and thresholds in spikes, pixels or steps.

    An image is held for ``pixel_steps`` steps; a pixel spikes whenever it has summed up ``pixel_threshold``. Edges: one
    of the directions of a place may spike in a step, and inhibits all of them two steps later. Pools count.

    "ramp": a pool spikes once, the sooner the more it counts (it sums up its count: v >= latency). Every
    active / levels spikes of pools a counter gives a tick; the clock gives those that are missing at ``flush``.
    "rank": at the end of the image the pools with the largest counts spike, active / levels a step, each once.
    Either way a holder then spikes in every level from its pool's on, 0 to ``levels`` times: a rank code of
    nearly constant length, without a division.

    Of a color image a pixel sums up its colors. Recordings of an event camera take the place of the spikes of pixels;
    one polarity counts against the other.

    Attributes:
        shape: (1, row, column) of an image, (3, row, column) in colors, or (2, row, column) of a camera with two
            polarities.
        scale: pixels are 0..scale.
        form: "ramp", of leaky neurons alone behind the edges, or "rank", shorter, by k-winners-take-all.
        directions: of the edges; None: pools take pixels as they are.
        pixel_steps, pixel_threshold: see above; of recordings, how many steps are seen.
        edge_threshold: an edge's v at which it may spike.
        inhibition, inhibition_delay: what a spike takes from all edges of its place, 1 or 2 steps later.
        leak: share of an edge's v lost a step, in 1/4096.
        competition: at most one spike a place and step; False: no k-winners-take-all anywhere (inhibition alone).
        window, stride, padding: of the pools.
        latency: of the ramp form.
        flush: of the ramp form, the step at which missing ticks are given.
        active, levels: so many pools make up the code, in so many levels.

    Raises:
        DlmError: constants that do not fit together.

    Source: measured beforehand on held-out training images of MNIST.
    """

    shape: tuple[int, ...] = (1, 28, 28)
    scale: int = 255
    form: Literal["ramp", "rank"] = "ramp"
    directions: int | None = 16
    pixel_steps: int = 8
    pixel_threshold: int = 192
    edge_threshold: int = 20
    inhibition: int = 64
    inhibition_delay: int = 2
    leak: int = 0
    competition: bool = True
    window: int = 7
    stride: int = 3
    padding: int = 0
    latency: int = 32
    flush: int = 32
    active: int = 308
    levels: int = 4

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or self.shape[0] not in (1, 2, 3):
            raise DlmError(f"samples of shape {self.shape}; the columns' front end takes (1, 2 or 3, row, column)")
        if self.inhibition_delay not in (1, 2):
            raise DlmError(f"inhibition_delay = {self.inhibition_delay} steps; it is 1 or 2")
        if self.is_camera and (self.directions is None or self.form != "rank"):
            raise DlmError("recordings of a camera take edges and form = 'rank'")
        if self.form not in ("ramp", "rank"):
            raise DlmError(f"form = {self.form!r} is neither 'ramp' nor 'rank'")
        if not self.padding < self.window <= min(self.shape[1:]) + 2 * self.padding:
            raise DlmError(
                f"window = {self.window}, padding = {self.padding} on {self.shape[1]} x {self.shape[2]} pixels; "
                "the window fits the padded image and is larger than the padding"
            )
        if self.active % self.levels or not self.levels <= self.active <= self.n_codes:
            raise DlmError(
                f"active = {self.active} is no multiple of levels = {self.levels} up to the {self.n_codes} pools"
            )
        if self.form == "ramp" and (self.n_codes > READY or self.active > MISSING):
            raise DlmError(
                f"{self.n_codes} pools, {self.active} active; the counters of the ramp take {READY} and {MISSING}: "
                "choose a larger stride"
            )
        if self.form == "ramp" and not self.pixel_steps < self.flush:
            raise DlmError(f"flush = {self.flush} lies within the {self.pixel_steps} steps of the image")

    @property
    def is_camera(self) -> bool:
        """Whether samples are recordings of a camera, not images."""
        return self.shape[0] == 2

    @property
    def n_pixels(self) -> int:
        """Places of an image."""
        return self.shape[1] * self.shape[2]

    @property
    def n_inputs(self) -> int:
        """Pixels of all colors or polarities."""
        return self.shape[0] * self.n_pixels

    @property
    def channels(self) -> int:
        """Features of a place."""
        return self.directions or 1

    @cached_property
    def pools(self) -> Sparse:
        """From edges, or pixels, to pools."""
        return window_synapses(self.shape[1], self.shape[2], self.channels, self.window, self.stride, self.padding)

    @property
    def n_codes(self) -> int:
        """Pools, and holders: elements of the code."""
        return self.pools.n_post

    @property
    def per_level(self) -> int:
        """Pools of a level."""
        return self.active // self.levels

    @property
    def squared_length(self) -> int:
        """|x|^2 of a full code: so many holders spike once, so many twice, ..."""
        return self.squared_length_of(self.levels)

    def squared_length_of(self, levels: int) -> int:
        """|x|^2 after so many levels."""
        return self.per_level * sum(level**2 for level in range(1, levels + 1))

    @property
    def last_level(self) -> int:
        """The last step in which a holder may spike."""
        if self.form == "ramp":
            return self.flush + self.levels - 1
        return self.pixel_steps + self.levels - 2

    def clock(self, n_steps: int) -> NDArray[np.bool_]:
        """The spikes of the clock, (step, 3): GO, STOP and DECIDE.

        STOP ends the image: pixels and edges are silent from then on. GO gives the missing ticks, or starts the code of
        the rank form, where DECIDE makes the largest column spike.
        """
        steps = {STOP: self.pixel_steps, GO: self.flush}
        if self.form == "rank":
            steps |= {GO: self.pixel_steps - 1, DECIDE: self.last_level}
        spikes = np.zeros((n_steps, CHANNELS), dtype=bool)
        for channel, step in steps.items():
            spikes[step : step + 1, channel] = True
        return spikes

    def stimulus(self, samples: NDArray[np.uint8] | SpikeRaster, n_steps: int) -> dict[str, Any]:
        """What a run of the network takes.

        Args:
            samples: images (sample, pixel) 0..scale, or recordings.
            n_steps: of the run.
        """
        clock = self.clock(n_steps)
        if isinstance(samples, SpikeRaster):
            seen = samples[:, : min(self.pixel_steps, samples.n_steps)]
            return {
                "events": replace(seen, n_steps=n_steps),
                "clock": np.broadcast_to(clock, (seen.n_samples, *clock.shape)),
            }
        return {"pixels": samples, "clock": np.broadcast_to(clock, (len(samples), *clock.shape))}


Parts = tuple[dict[str, Input | IntegerLIF], list[IntegerProjection]]
"""Populations and projections."""


def front_end_parts(front_end: FrontEnd) -> Parts:
    """The populations of a front end and what joins them: rate, edges, pools, holders.

    The ramp form has counters too, and a neuron "ramp" that spikes in every step from the last tick on. Inputs are
    "pixels", held constant, or "events" (then there is no rate), and "clock" (``FrontEnd.clock``).
    """
    populations: dict[str, Any] = {"clock": Input((CHANNELS,), aligned=True)}
    projections: list[IntegerProjection] = []
    last = _add_inputs(front_end, populations, projections)
    if front_end.directions is not None:
        _add_edges(front_end, front_end.directions, last, populations, projections)
        last = "edges"
    (_add_ramp if front_end.form == "ramp" else _add_rank)(front_end, last, populations, projections)
    return populations, projections


def _add_inputs(front_end: FrontEnd, populations: dict[str, Any], projections: list[Any]) -> str:
    """The events of a camera, or the integrators of pixels; returns whose spikes go on."""
    if front_end.is_camera:
        populations["events"] = Input((front_end.n_inputs,))
        return "events"
    n, every = front_end.n_pixels, np.arange(front_end.n_inputs)
    colors = Sparse((n, front_end.n_inputs), every % n, every, np.ones_like(every))
    populations["pixels"] = Input(
        (front_end.n_inputs,), graded_bits=front_end.scale.bit_length(), scale=front_end.scale
    )
    populations["rate"] = IntegerLIF((n,), dv=0, v_threshold=front_end.pixel_threshold - 1)
    # Every color that goes on adding is held down by a spike of the clock of its own.
    stops = [from_clock(STOP, "rate", n, -255, weight_exp=7) for _ in range(front_end.shape[0])]
    projections += [join("pixels", "rate", colors), *stops]
    return "rate"


def _add_edges(
    front_end: FrontEnd, directions: int, last: str, populations: dict[str, Any], projections: list[Any]
) -> None:
    """Mixed weights are even on the grid of 8 bits: weights, inhibition and threshold are doubled."""
    synapses = edge_synapses(front_end.shape[1], front_end.shape[2], directions, 2 if front_end.is_camera else 1)
    competition = {"winners": 1, "groups": front_end.n_pixels} if front_end.competition else {}
    populations["edges"] = IntegerLIF(
        (synapses.n_post,), dv=front_end.leak, v_threshold=2 * front_end.edge_threshold - 1, **competition
    )
    inhibition = group_synapses(front_end.n_pixels, directions, -2 * front_end.inhibition)
    projections += [
        join(last, "edges", synapses.with_weight(2 * synapses.weight), sign_mode="mixed"),
        join("edges", "edges", inhibition, delay=front_end.inhibition_delay),
        from_clock(STOP, "edges", synapses.n_post, -255, weight_exp=7),
    ]


def _add_ramp(front_end: FrontEnd, last: str, populations: dict[str, Any], projections: list[Any]) -> None:
    n, levels = front_end.n_codes, np.arange(1, front_end.levels + 1)
    after_the_first = READY * (levels > 1)
    populations["pools"] = IntegerLIF((n,), du=HOLDS, dv=0, v_threshold=front_end.latency - 1)
    populations["counters"] = IntegerLIF(
        (front_end.levels,), dv=0, v_threshold=front_end.per_level * levels + after_the_first - 1
    )
    populations["holders"] = IntegerLIF((n,), du=HOLDS, dv=FORGETS, v_threshold=1)
    populations["ramp"] = IntegerLIF((1,), du=HOLDS, dv=0, v_threshold=0)
    itself, onward = np.eye(front_end.levels, dtype=np.int64), np.eye(front_end.levels, k=-1, dtype=np.int64)
    ticks = np.ones((n, front_end.levels), dtype=np.int64)
    projections += [
        join(last, "pools", front_end.pools),
        join("pools", "pools", _diagonal(n, -255), weight_exp=1),
        join("pools", "counters", Dense(np.ones((front_end.levels, n), dtype=np.int64))),
        join("counters", "counters", Dense(255 * onward), weight_exp=3),
        join("counters", "counters", Dense(-255 * itself), weight_exp=5),
        from_clock(GO, "counters", front_end.levels, 255, weight_exp=2),
        join("pools", "holders", _diagonal(n, 1), delay=2),
        join("counters", "holders", Dense(ticks)),
        join("counters", "holders", Dense(-ticks), delay=2),
        join("counters", "ramp", Dense(itself[-1:])),
    ]


def _add_rank(front_end: FrontEnd, last: str, populations: dict[str, Any], projections: list[Any]) -> None:
    """GO lifts every pool that has counted anything above threshold; one that has spiked is back at 0."""
    n = front_end.n_codes
    lift = 255 << 3
    populations["pools"] = IntegerLIF((n,), dv=0, v_threshold=lift, winners=front_end.per_level)
    populations["holders"] = IntegerLIF((n,), du=HOLDS, dv=FORGETS, v_threshold=0)
    projections += [
        join(last, "pools", front_end.pools),
        from_clock(GO, "pools", n, 255, weight_exp=3),
        join("pools", "holders", _diagonal(n, 1)),
    ]


def join(pre: str, post: str, connection: Connection, **fields: Any) -> IntegerProjection:
    """An integer projection of the sign of its weights."""
    weight: Any = connection.weight  # type: ignore[attr-defined]
    sign = "excitatory" if weight.min() >= 0 else "inhibitory"
    return IntegerProjection(pre, post, connection, **{"sign_mode": sign, **fields})


def from_clock(channel: int, post: str, n: int, weight: int, weight_exp: int) -> IntegerProjection:
    """From one neuron of the clock to a whole population."""
    synapses = Sparse((n, CHANNELS), np.arange(n), np.full(n, channel), np.full(n, weight))
    return join("clock", post, synapses, weight_exp=weight_exp)


def _diagonal(n: int, weight: int) -> Sparse:
    return Sparse((n, n), np.arange(n), np.arange(n), np.full(n, weight))
