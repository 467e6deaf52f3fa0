"""``prepared``: a network checked for a chip, its windows, its stimulus and the spikes that it must make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from dlm_snn.backends import run
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.networks.network import IntegerNetwork
from dlm_snn.neurons.models import spikes
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.stimulus import prepare
from hardware.chips import chip
from hardware.loihi2.form import stimulus_arrays
from hardware.placement import Placement, place
from hardware.subset import doubts, obstacles
from hardware.windows import Windows, windows


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that a bundle holds, checked and computed, before anything is written.

    Attributes:
        windows: the network as it runs there, steps of a window and from one to the next.
        digest: of the network that was given.
        n_windows: how many.
        stimulus: Input -> (window, step, neuron), windows or steps 1 where all are alike.
        expected: population -> the spikes that must come out.
        placement: on the chip's cores.
        doubts: what a chip may compute otherwise than a simulator.
    """

    windows: Windows
    digest: str
    n_windows: int
    stimulus: Mapping[str, NDArray]
    expected: Mapping[str, SpikeRaster]
    placement: Placement
    doubts: tuple[str, ...]

    @property
    def told(self) -> str:
        """What was validated, in words."""
        silent = [name for name, raster in self.expected.items() if not len(raster)]
        never = f"; never spikes: {', '.join(silent)}" if silent else ""
        return (
            f"{self.n_windows} windows of {self.windows.n_steps} steps, one every {self.windows.period}; "
            f"{self.placement.cores} cores; {sum(map(len, self.expected.values()))} spikes expected{never}"
        )


def prepared(network: IntegerNetwork, stimulus: Mapping[str, Any], n_steps: int, chips: int = 1) -> Prepared:
    """Check a network for a Loihi 2 and compute the spikes that it must make.

    Args:
        network: of stock parts.
        stimulus: as for ``dlm_snn.run``; one sample a window.
        n_steps: of a window.
        chips: how many the board has.

    Raises:
        UnsupportedError: what a chip does not do, each thing with its place, value, limit and the smallest change.
        DlmError: a stimulus that does not fit, a network that does not fit the chip.
    """
    if not isinstance(network, IntegerNetwork):
        raise UnsupportedError("a Loihi 2", "a network of floats", "quantize it")
    _check(network, "dlm-snn check")
    silent = next((name for name, neuron in network.neurons.items() if not spikes(neuron)), None)
    if silent is not None:
        raise DlmError(f"'{silent}' never spikes, and a bundle compares spikes; make it an IntegerLIF")
    after_one_another = windows(network, n_steps)
    # Inputs of ours, which silence a population between two windows, wait until its window begins.
    _check(after_one_another.network, "of what clears it between two windows")
    placement = place(after_one_another.network, chip("loihi2"))
    if not placement.fits and (placement.chips is None or placement.chips > chips):
        raise DlmError(str(placement).splitlines()[0])
    fed, n_windows = prepare(network, stimulus, n_steps)
    if not n_windows:
        raise DlmError("no samples; give at least one")
    recording = run(network, stimulus, n_steps, record=("s",), backend="fast")
    return Prepared(
        after_one_another,
        network.digest(),
        n_windows,
        stimulus_arrays(after_one_another, {name: one.values for name, one in fed.items()}),
        {name: recording.rasters[name] for name in network.neurons},
        placement,
        doubts(after_one_another.network),
    )


def _check(network: IntegerNetwork, others: str) -> None:
    """Raise what a chip does not do."""
    found = obstacles(network)
    if found:
        more = f" (and {len(found) - 1} more: {others})" * (len(found) > 1)
        raise DlmError(f"not for a Loihi 2: {found[0]}{more}")
