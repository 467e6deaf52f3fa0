"""A raster format in one file: a line of text for each population, its extents, then ``sample step neuron`` a spike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dlm_snn.exchange.format import Format, Options, Stored, Writer

if TYPE_CHECKING:
    from dlm_snn.files.layouts import Kind
    from dlm_snn.runs.raster import SpikeRaster

HEAD = "pairs"


def read(path: Path, options: Options) -> Stored:
    """Of all populations."""
    import numpy as np

    from dlm_snn.runs.raster import SpikeRaster

    rasters = {}
    for line in path.read_text().splitlines()[1:]:
        name, samples, steps, neurons, dt, *numbers = line.split()
        events = np.array(numbers, dtype=int).reshape(-1, 3).T
        rasters[name] = SpikeRaster(*events, int(samples), int(steps), int(neurons), float(options.dt or dt))
    return Stored(rasters=rasters)


def write(rasters: Mapping[str, SpikeRaster], path: Path, replace: bool, dt: float | None) -> None:
    """Whole or not at all."""
    import numpy as np

    from dlm_snn.files.atomic import write_text

    lines = [HEAD]
    for name, raster in rasters.items():
        events = np.stack([raster.sample, raster.step, raster.neuron], axis=1).ravel().tolist()
        lines.append(" ".join(map(str, (name, *raster.extent, raster.dt, *events))))
    write_text(path, "\n".join(lines) + "\n", kind(), replace)


def kind() -> Kind:
    """What gives way to --replace."""
    from dlm_snn.files.layouts import text_file

    return text_file("a file of pairs", begins=HEAD)


PAIRS = Format("rasters", read, Writer(write, kind), options=("dt",))
