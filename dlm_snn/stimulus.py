"""What is fed into a network: the forms a user may give, brought to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, nearest
from dlm_snn.network import Input, IntegerNetwork, Network
from dlm_snn.raster import SpikeRaster


@dataclass(frozen=True, eq=False)
class Stimulus:
    """The events of one Input population.

    Attributes:
        values: (sample, step, neuron), or (sample, 1, neuron) for values held constant. float64 real values for a
            Network; for an IntegerNetwork integers, in the type in which they were given.
        n_steps: steps that the values are for.
    """

    values: NDArray
    n_steps: int

    @property
    def constant(self) -> bool:
        """Whether every step carries the same values."""
        return self.values.shape[1] == 1

    def at(self, step: int) -> NDArray:
        """The values of one step, (sample, neuron)."""
        return self.values[:, 0 if self.constant else step]

    def whole(self) -> NDArray:
        """The values of every step, (sample, step, neuron)."""
        n_samples, _, n = self.values.shape
        return np.broadcast_to(self.values, (n_samples, self.n_steps, n))


def prepare(
    network: Network | IntegerNetwork, stimulus: Mapping[str, Any], n_steps: int
) -> tuple[dict[str, Stimulus], int]:
    """Check a stimulus and bring it to one form.

    Args:
        network: its Input populations are what the stimulus must name, each once.
        stimulus: Input name -> SpikeRaster, or array (sample, neuron) held constant, or (sample, step, neuron);
            the neuron axis may have the population's own shape. Integers are what events carry (a Network divides
            by ``scale``); floats are real values and refused by an IntegerNetwork.
        n_steps: steps of the run.

    Returns:
        Input name -> Stimulus, and the number of samples.

    Raises:
        DlmError: a missing, superfluous or misshapen array, values outside the Input's range.
    """
    if not isinstance(n_steps, (int, np.integer)) or n_steps < 1:
        raise DlmError(f"n_steps = {n_steps!r} is not a positive integer")
    for name in stimulus:
        if name not in network.inputs:
            raise DlmError(f"stimulus names '{name}', which is no Input; {nearest(name, network.inputs)}")
    integers = isinstance(network, IntegerNetwork)
    prepared = {}
    for name, population in network.inputs.items():
        if name not in stimulus:
            raise DlmError(f"no stimulus for Input '{name}'; give an array (sample, neuron) or a SpikeRaster")
        prepared[name] = Stimulus(_values(name, population, stimulus[name], int(n_steps), integers), int(n_steps))
    sizes = {name: s.values.shape[0] for name, s in prepared.items()}
    if len(set(sizes.values())) > 1:
        raise DlmError(f"the stimuli have unequal numbers of samples: {sizes}")
    return prepared, next(iter(sizes.values()), 1)


def _values(name: str, population: Input, given: Any, n_steps: int, integers: bool) -> NDArray:
    array = given.dense() if isinstance(given, SpikeRaster) else np.asarray(given)
    array, steps = _with_step_axis(name, population, array)
    if steps not in (None, n_steps):
        raise DlmError(f"stimulus '{name}' has {steps} steps, the run {n_steps}")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise DlmError(f"stimulus '{name}' holds NaN or infinity")
        if population.graded_bits is not None:
            if integers:
                raise DlmError(
                    f"stimulus '{name}' is of floats; an integer network takes the integers that events carry "
                    f"(round(value * {population.scale:g}))"
                )
            return array.astype(np.float64)
    elif array.dtype.kind not in "iub":
        raise DlmError(f"stimulus '{name}' is of {array.dtype}; give numbers")
    low, high = population.bounds
    broken = array.dtype.kind == "f" and np.any(array != np.round(array))
    if array.size and (broken or array.min() < low or array.max() > high):
        kind = "binary spikes" if population.graded_bits is None else f"{population.graded_bits}-bit events"
        raise DlmError(f"stimulus '{name}' holds {array.min()}..{array.max()}, not whole {low}..{high} ({kind})")
    if integers:
        return array.astype(np.int64) if array.dtype.kind == "f" else array.view(_unsigned(array.dtype))
    return array.astype(np.float64) / population.scale


def _unsigned(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Booleans as the bytes that they are."""
    return np.dtype(np.uint8) if dtype.kind == "b" else dtype


def _with_step_axis(name: str, population: Input, array: NDArray) -> tuple[NDArray, int | None]:
    """(sample, step or 1, neuron) from any of the forms that ``prepare`` takes; and its steps, None if held."""
    given, axes = array.shape, len(population.shape)
    if axes > 1 and array.ndim >= 1 + axes and array.shape[-axes:] == population.shape:
        array = array.reshape(*array.shape[:-axes], population.n)
    held = array.ndim == 2
    if held:
        array = array[:, None, :]
    if array.ndim != 3 or array.shape[-1] != population.n:
        raise DlmError(
            f"stimulus '{name}' has shape {given}; expected (sample, {population.n}) or (sample, step, {population.n})"
        )
    return array, None if held else array.shape[1]
