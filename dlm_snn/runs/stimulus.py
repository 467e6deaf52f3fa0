"""What is fed into a network: the forms a user may give, brought to one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, StimulusWarning, how_many, nearest
from dlm_snn.networks.network import Input, IntegerNetwork, Network
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import as_array, is_whole


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


def taken(
    network: Network | IntegerNetwork, stimulus: Mapping[str, Any], n_steps: int
) -> tuple[dict[str, SpikeRaster | NDArray], int]:
    """A stimulus as rasters and plain arrays of the right shape, with every constant of the network's own.

    Args:
        network, stimulus, n_steps: see ``prepare``.

    Returns:
        Input name -> SpikeRaster or array, (sample, neuron) held constant or (sample, step, neuron), its values not
        looked at yet; and the number of samples.

    Raises:
        DlmError: a missing, superfluous or misshapen array, or what is none; unequal numbers of samples.
    """
    if not is_whole(n_steps) or n_steps < 1:
        raise DlmError(f"n_steps = {n_steps!r} is not a positive integer")
    for name in stimulus:
        if name not in network.inputs:
            raise DlmError(f"stimulus names '{name}', which is no Input; {nearest(name, network.inputs)}")
    found = {name: _form(name, network.inputs[name], given, n_steps) for name, given in stimulus.items()}
    sizes = {name: g.n_samples if isinstance(g, SpikeRaster) else len(g) for name, g in found.items()}
    if len(set(sizes.values())) > 1:
        raise DlmError(f"the stimuli have unequal numbers of samples: {sizes}")
    n_samples = next(iter(sizes.values()), 1)
    for name, population in network.inputs.items():
        if name not in found:
            if not population.constant:
                raise DlmError(f"no stimulus for Input '{name}'; give an array (sample, neuron) or a SpikeRaster")
            found[name] = np.ones((n_samples, 1), dtype=np.uint8)
    return {name: found[name] for name in network.inputs}, n_samples


def prepare(
    network: Network | IntegerNetwork, stimulus: Mapping[str, Any], n_steps: int
) -> tuple[dict[str, Stimulus], int]:
    """Check a stimulus and bring it to one form.

    Args:
        network: its Input populations are what the stimulus must name, each once; a constant that an import added
            (``Input.constant``) may be left out.
        stimulus: Input name -> SpikeRaster, or array (sample, neuron) held constant, or (sample, step, neuron);
            the neuron axis may have the population's own shape. Integers are what events carry (a Network divides
            by ``scale``); floats are real values and refused by an IntegerNetwork. Arrays are what
            ``values.as_array`` takes.
        n_steps: steps of the run.

    Returns:
        Input name -> Stimulus, and the number of samples.

    Raises:
        DlmError: a missing, superfluous or misshapen array, values outside the Input's range. Real values of an
            aligned Input (noise) have no range.
    """
    given, n_samples = taken(network, stimulus, n_steps)
    integers = isinstance(network, IntegerNetwork)
    prepared = {}
    for name, population in network.inputs.items():
        array = _dense(given[name])
        array = array[:, None, :] if array.ndim == 2 else array
        prepared[name] = Stimulus(_values(name, population, array, integers), int(n_steps))
    return prepared, n_samples


def check_meaning(network: Network | IntegerNetwork, stimulus: Mapping[str, Any], n_steps: int) -> None:
    """Warn of a stimulus that fits the network in a form that was perhaps not meant.

    Args:
        network, n_steps: of the run.
        stimulus: as ``taken`` gives it.

    Warns:
        StimulusWarning: as many rows of binary events as the run has steps, held constant; Booleans in an Input with a
            scale; a constant of the network's own with other values than 1.
    """
    for name, given in stimulus.items():
        population = network.inputs[name]
        if isinstance(given, SpikeRaster):
            continue
        if population.graded_bits is None and given.ndim == 2 and len(given) == n_steps > 1:
            warnings.warn(
                f"stimulus '{name}' has {n_steps} rows, as many as the run has steps: they are {n_steps} samples held "
                "constant; one sample of as many steps is array[None]",
                StimulusWarning,
                stacklevel=3,
            )
        if given.dtype == bool and population.scale != 1:
            warnings.warn(
                f"stimulus '{name}' is of Booleans: they are integers, real values 0 and 1/{population.scale:g}; for "
                "real values 0 and 1 give floats",
                StimulusWarning,
                stacklevel=3,
            )
        if population.constant and given.size and np.any(given != 1):
            warnings.warn(
                f"stimulus '{name}' is not 1 everywhere: the biases of the network come through this constant; leave "
                "it out, and it feeds itself",
                StimulusWarning,
                stacklevel=3,
            )


def _dense(given: SpikeRaster | NDArray) -> NDArray:
    return given.dense() if isinstance(given, SpikeRaster) else given


def _form(name: str, population: Input, given: Any, n_steps: int) -> SpikeRaster | NDArray:
    """A raster, or an array (sample, neuron) or (sample, step, neuron), whose axes fit."""
    form = given if isinstance(given, SpikeRaster) else as_array(given, f"stimulus '{name}'")
    shape = form.extent if isinstance(form, SpikeRaster) else form.shape
    axes = len(population.shape)
    if not isinstance(form, SpikeRaster) and axes > 1 and len(shape) > axes and shape[-axes:] == population.shape:
        form = form.reshape(*shape[:-axes], population.n)
    ends = form.extent if isinstance(form, SpikeRaster) else form.shape
    if len(ends) not in (2, 3) or ends[-1] != population.n:
        raise DlmError(
            f"stimulus '{name}' has shape {shape}; expected (sample, {population.n}) or (sample, step, {population.n})"
        )
    if len(ends) == 3 and ends[1] != n_steps:
        raise DlmError(f"stimulus '{name}' has {how_many(ends[1], 'steps')}, the run {n_steps}")
    return form


def _values(name: str, population: Input, array: NDArray, integers: bool) -> NDArray:
    """The values as a network of this kind computes with them, checked."""
    floats = array.dtype.kind == "f"
    graded = population.graded_bits is not None
    if floats and not np.isfinite(array).all():
        raise DlmError(f"stimulus '{name}' holds NaN or infinity")
    if floats and graded and integers:
        raise DlmError(
            f"stimulus '{name}' is of floats; an integer network takes the integers that events carry "
            f"(round(value * {population.scale:g}))"
        )
    if array.size:
        whole = not floats or graded or bool(np.all(array == np.round(array)))
        check_range(f"stimulus '{name}'", population, array.min(), array.max(), real=floats and graded, whole=whole)
    if integers:
        return array.astype(np.int64) if floats else array.view(_unsigned(array.dtype))
    values = array.astype(np.float64)
    return values if floats and graded else values / population.scale


def check_range(name: str, population: Input, least: Any, most: Any, real: bool, whole: bool = True) -> None:
    """Raise unless values lie in the range of an Input; real values of an aligned one (noise) have none.

    Args:
        name: of the values.
        population: the Input.
        least, most: of the values.
        real: whether they are real values of graded events, which are rounded to the nearest; else what events carry.
        whole: whether all of them are whole numbers.

    Raises:
        DlmError: with the range; for an image whose integers became floats with what to do.
    """
    low, high = population.bounds
    if not real:
        if not (whole and low <= least and most <= high):
            kind = "binary spikes" if population.graded_bits is None else f"{population.graded_bits}-bit events"
            raise DlmError(f"{name} holds {_short(least)}..{_short(most)}, not whole {low}..{high} ({kind})")
        return
    scale = population.scale
    if population.aligned or ((low - 0.5) / scale <= least and most <= (high + 0.5) / scale):
        return
    # Far beyond the largest real value, and within what events carry: an image whose integers became floats.
    carried = low <= least and max(2 * high / scale, 1) < most <= high
    remedy = f"divide by {scale:g}, or give integers" if carried else "rescale them, or declare the Input for them"
    raise DlmError(
        f"{name} holds {least:g}..{most:g}; the real values of {population.graded_bits}-bit events of scale "
        f"{scale:g} are {low / scale:g}..{high / scale:g}: {remedy}"
    )


def _short(value: Any) -> Any:
    """A float that is whole as an integer."""
    return int(value) if value == value // 1 else value


def _unsigned(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Booleans as the bytes that they are."""
    return np.dtype(np.uint8) if dtype.kind == "b" else dtype
