"""What a file format is, and what comes out of a file: light, so that tables and help texts name formats at no cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from dlm_snn.errors import DlmError

if TYPE_CHECKING:
    from dlm_snn.exchange.rasters.grid import Moved
    from dlm_snn.files.layouts import Kind
    from dlm_snn.networks.network import IntegerNetwork, Network
    from dlm_snn.runs.raster import SpikeRaster
    from dlm_snn.runs.recording import Recording


@dataclass(frozen=True)
class Options:
    """What files of others do not tell; each is needed by some formats only.

    Attributes:
        dt: seconds a step.
        input_shape, graded_bits: as for ``read_net`` and ``read_nir``.
        reset_interval, num_layers, skip_layers: as for ``read_net``.
        extra_steps, reset, scale, signed: as for ``read_nir``.
        shape, chip, time_unit: as for ``event_file``; the last as for ``read_timed_csv`` too.
        columns, sample_rate: as for ``read_timed_csv``; the last for all that counts samples of a clock.
        extent: n_samples, n_steps, n_neurons of every population of a CSV.
        start, begin, end, trials: as for ``read_nwb``; the first three for every recording with a clock.
    """

    dt: float | None = None
    input_shape: tuple[int, ...] | None = None
    graded_bits: int | None = None
    reset_interval: int | None = None
    num_layers: int | None = None
    skip_layers: int | None = None
    extra_steps: bool = False
    reset: Literal["zero", "subtract"] | None = None
    scale: float | None = None
    signed: bool = False
    start: float | None = None
    begin: float | None = None
    end: float | None = None
    trials: bool = False
    shape: tuple[int, int, int] | None = None
    chip: str | None = None
    columns: Mapping[str, str] | None = None
    time_unit: Literal["s", "ms", "us", "ns"] | None = None
    sample_rate: float | None = None
    extent: tuple[int, int, int] | None = None


NONE_GIVEN = Options()


def _unmoved() -> Moved:
    from dlm_snn.exchange.rasters.grid import Moved

    return Moved()


@dataclass(frozen=True)
class Stored:
    """A network, rasters, or a recording with both.

    Attributes:
        network: None where there are only rasters.
        rasters: population -> raster; empty where there is only a network.
        recording: with states, where they were recorded.
        moved: what an import did to times off the grid.
        by_file: the file holds no name; the raster's is the file's own.
        notes: what an import says beside, a line each.
        unit_ids: population -> what the file called each neuron, where that is not its number.
        areas, groups: population -> the area, or a curator's group, of each neuron, where the file tells any.
        trials: what the file says of each of its trials; of each sample, where trials became samples.
    """

    network: Network | IntegerNetwork | None = None
    rasters: Mapping[str, SpikeRaster] = field(default_factory=dict)
    recording: Recording | None = None
    moved: Moved = field(default_factory=_unmoved)
    by_file: bool = False
    notes: Sequence[str] = ()
    unit_ids: Mapping[str, Sequence[int | str]] = field(default_factory=dict)
    areas: Mapping[str, Sequence[str]] = field(default_factory=dict)
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    trials: Sequence[Mapping[str, Any]] = ()

    def labels(self, populations: Iterable[str]) -> dict[str, Any]:
        """What a folder of rasters keeps of it as JSON; empty where there is nothing."""
        chosen = set(populations)
        of_neurons = {
            key: {name: list(own) for name, own in told.items() if name in chosen}
            for key, told in (("unit_ids", self.unit_ids), ("areas", self.areas), ("groups", self.groups))
        }
        return {key: told for key, told in {**of_neurons, "trials": list(self.trials)}.items() if told}


class Writer(NamedTuple):
    """How a format is written.

    Attributes:
        write: (network or rasters by population, path, replace, seconds a step where they are told).
        kind: of what was written, which alone gives way to ``replace``.
    """

    write: Callable[[Any, Path, bool, float | None], None]
    kind: Callable[[], Kind]


@dataclass(frozen=True)
class Format:
    """A file format of networks or rasters, known by its ending.

    Attributes:
        holds: "float" or "integer": a network of floats or of integers; "network": of either; "rasters".
        read: (path, options) -> what the file holds.
        writer: None: it is only read.
        options: names of Options that the format leaves open.
        folder: it is a folder, not a file.
        ours: ours already, so that there is nothing to import.

    Raises:
        DlmError: an unknown option.
    """

    holds: Literal["float", "integer", "network", "rasters"]
    read: Callable[[Path, Options], Stored]
    writer: Writer | None = None
    options: Sequence[str] = ()
    folder: bool = False
    ours: bool = False

    def __post_init__(self) -> None:
        unknown = set(self.options) - {option.name for option in fields(Options)}
        if unknown:
            raise DlmError(f"a format has the option '{min(unknown)}', which is none of Options")
