"""``prepared``: a network checked for a chip, its windows, its stimulus and the spikes that it must make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from dlm_snn.backends import run
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.networks.network import IntegerNetwork
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.stimulus import prepare
from hardware.chips import chip
from hardware.loihi2.form import stimulus_arrays
from hardware.placement import Placement, place
from hardware.subset import doubts, obstacles


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that a bundle holds, checked and computed, before anything is written.

    Attributes:
        network: as it runs there, periods set.
        digest: of the network that was given.
        n_windows, n_steps, period: windows, steps of each, steps from one to the next.
        stimulus: Input -> (window, step, neuron).
        expected: population -> the spikes that must come out.
        placement: on the chip's cores.
        doubts: what a chip may compute otherwise than a simulator.
    """

    network: IntegerNetwork
    digest: str
    n_windows: int
    n_steps: int
    period: int
    stimulus: Mapping[str, NDArray]
    expected: Mapping[str, SpikeRaster]
    placement: Placement
    doubts: tuple[str, ...]

    @property
    def told(self) -> str:
        """What was validated, in words."""
        return (
            f"{self.n_windows} windows of {self.n_steps} steps, one every {self.period}; "
            f"{self.placement.cores} cores; {sum(map(len, self.expected.values()))} spikes expected"
        )


def prepared(network: IntegerNetwork, stimulus: Mapping[str, Any], n_steps: int) -> Prepared:
    """Check a network for a Loihi 2 and compute the spikes that it must make.

    Args:
        network: of stock parts.
        stimulus: as for ``dlm_snn.run``; one sample a window.
        n_steps: of a window.

    Raises:
        UnsupportedError: what a chip does not do, each thing with its place, value, limit and the smallest change.
        DlmError: a stimulus that does not fit, a network that does not fit the chip.
    """
    if not isinstance(network, IntegerNetwork):
        raise UnsupportedError("a Loihi 2", "a network of floats", "quantize it")
    found = obstacles(network)
    if found:
        more = f" (and {len(found) - 1} more: dlm-snn check)" * (len(found) > 1)
        raise DlmError(f"not for a Loihi 2: {found[0]}{more}")
    placement = place(network, chip("loihi2"))
    if not placement.fits:
        raise DlmError(str(placement).splitlines()[0])
    fed, n_windows = prepare(network, stimulus, n_steps)
    if not n_windows:
        raise DlmError("no samples; give at least one")
    period = 1 << (n_steps - 1).bit_length()
    if network.unbalanced:
        raise UnsupportedError(
            "windows one after another", f"'{network.unbalanced[0]}', which is not balanced", "run one at a time"
        )
    periodic: dict[str, Any] = {name: replace(part, period=period) for name, part in network.neurons.items()}
    recording = run(network, stimulus, n_steps, record=("s",), backend="fast")
    return Prepared(
        replace(network, populations={**network.populations, **periodic}),
        network.digest(),
        n_windows,
        n_steps,
        period,
        stimulus_arrays(network, {name: one.values for name, one in fed.items()}, {}),
        {name: recording.rasters[name] for name in network.neurons},
        placement,
        doubts(network),
    )
