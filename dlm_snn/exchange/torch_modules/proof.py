"""What was compared: the module against its network, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlm_snn.backends import run
from dlm_snn.exchange.torch_modules.building import Built
from dlm_snn.exchange.torch_modules.grid import Grid
from dlm_snn.exchange.torch_modules.meaning import Line
from dlm_snn.exchange.torch_modules.refusals import NOT_SPIKES, TOLD_APART, VALUES_APART, RefusedError
from dlm_snn.neurons.li import LI

NEAR = 1e-9
"""Largest difference of v of read-outs, and distance from the threshold of a tie, as a share of their scale."""
TIE = "v lies on the threshold up to rounding: give another sample"
DEFECT = "the module does something that was not seen: report it, or write that layer with torch functions"


@dataclass(frozen=True)
class Layer:
    """One population, compared on one sample.

    Attributes:
        population: its name.
        sample: "sample" or "check".
        spikes: how many, in both; None for a read-out.
        v_difference: largest difference of v of a read-out; None for spikes.
        membrane: what the module's v is, where it is not the population's.
    """

    population: str
    sample: Literal["sample", "check"]
    spikes: int | None = None
    v_difference: float | None = None
    membrane: str = ""

    def __str__(self) -> str:
        if self.spikes == 0:
            return f"{self.population} ({self.sample}): no spike, which proves little: give another sample"
        told = f"{self.spikes} spikes equal" if self.v_difference is None else f"v within {self.v_difference:.1g}"
        return f"{self.population} ({self.sample}): {told}" + (
            f"; the module's v is {self.membrane}" * bool(self.membrane)
        )


@dataclass(frozen=True)
class Proof:
    """That a network does what a module did.

    Attributes:
        digest: of the network.
        steps: of a sample.
        samples: compared, of both kinds together.
        layers: what was compared.
        inputs: the grid of each Input.
        notes: what was folded, left outside or allowed, a line each.
    """

    digest: str
    steps: int
    samples: int
    layers: tuple[Layer, ...]
    inputs: Mapping[str, Grid]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        grids = [
            f"{name}: integers of {grid.bits} bits{' with sign' if grid.signed else ''}, {grid.scale:g} per unit"
            + ("" if grid.exact else " (rounded to this grid)")
            for name, grid in self.inputs.items()
        ]
        head = f"equal to the module in {self.samples} samples of {self.steps} steps"
        return "\n".join([head, *map(str, self.layers), *grids, *self.notes])

    def told(self) -> dict[str, Any]:
        """As plain data, for a file."""
        return asdict(self)


def compared(built: Built, steps: int, label: Literal["sample", "check"]) -> list[Layer]:
    """Run the network on the input of a run, and compare every population.

    Raises:
        RefusedError: the first difference.
    """
    recording = run(built.network, built.stimulus, n_steps=steps, record=("s", "v"))
    found = []
    for line in sorted(built.names, key=lambda line: built.network.depth[built.names[line]]):
        name = built.names[line]
        v = recording.v[name]
        if type(built.network.populations[name]) is LI:
            found.append(Layer(name, label, v_difference=_near(line, v)))
        else:
            spikes = recording.rasters[name].dense()
            population: Any = built.network.populations[name]
            _equal(line, spikes, v, population.v_threshold)
            found.append(Layer(name, label, spikes=int(spikes.sum()), membrane=_membrane(line)))
    return found


def _membrane(line: Line) -> str:
    """The module's v in terms of the population's."""
    if np.all(line.unit == 1) and np.all(line.rest == 0):
        return ""
    ranges = [np.unique(values) for values in (line.unit, line.rest)]
    unit, rest = (f"{x[0]:g}" if x.size == 1 else f"({x[0]:g} to {x[-1]:g})" for x in ranges)
    own = "v" if unit == "1" else f"{unit} v"
    return own if rest == "0" else f"{rest} + {own}"


def _near(line: Line, v: NDArray[np.float64]) -> float:
    if line.total:
        v = v.mean(1, keepdims=True) if line.total == "mean" else v.sum(1, keepdims=True)
    theirs = _stacked(line.v, line, v.shape)
    gaps = np.abs(v - theirs)
    if gaps.max() > NEAR * max(1.0, float(np.abs(theirs).max())):
        sample, step, neuron = np.argwhere(gaps == gaps.max())[0]
        place = {"sample": sample, "step": step, "neuron": neuron}
        raise RefusedError(VALUES_APART, line.where, gap=f"{gaps.max():.3g}", advice=DEFECT, **place)
    return float(gaps.max())


def _equal(line: Line, ours: NDArray[np.bool_], v: NDArray[np.float64], threshold: Any) -> None:
    theirs = _stacked(line.spikes, line, v.shape)
    if not np.isin(theirs, (0, 1)).all():
        raise RefusedError(NOT_SPIKES, line.where)
    apart = ours != (theirs > 0)
    if not apart.any():
        return
    step, sample, neuron = np.argwhere(apart.transpose(1, 0, 2))[0]
    place = {"sample": sample, "step": step, "neuron": neuron}
    values = f"module {theirs[sample, step, neuron]:g}, network {int(ours[sample, step, neuron])}"
    told = line.v[step]
    advice = DEFECT
    if told is not None:
        unit, rest, limit = (float(np.broadcast_to(x, v.shape[2])[neuron]) for x in (line.unit, line.rest, threshold))
        membrane = float(told.reshape(len(told), -1)[sample, neuron])
        own = float(v[sample, step, neuron])
        values += f"; its v {membrane:.9g}, ours {rest + unit * own:.9g}"
        unspent = own if theirs[sample, step, neuron] else (membrane - rest) / unit
        advice = TIE if abs(unspent - limit) < NEAR * max(1.0, limit) else DEFECT
    raise RefusedError(TOLD_APART, line.where, values=values, advice=advice, **place)


def _stacked(values: Sequence[Any], line: Line, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """(sample, step, neuron)"""
    if any(value is None for value in values):
        raise RefusedError(NOT_SPIKES, line.where)
    return np.stack([value.numpy() for value in values], axis=1).reshape(shape)
