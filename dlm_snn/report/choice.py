"""Which populations, rasters and traces of a run its page shows, and in which order."""

from __future__ import annotations

from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.run_folder import KEPT, RunFolder, stored_arithmetic, stored_name
from dlm_snn.runs.run_traces import Trace


def order(run: RunFolder) -> list[str]:
    """Populations as the network lists them, then any others by name."""
    listed = [name for stored in run.networks.values() for name in stored.populations]
    seen = [name for rasters in run.rasters.values() for name in rasters] + [t.population for t in run.traces]
    return list(dict.fromkeys(listed + sorted(set(seen))))


def inputs(run: RunFolder) -> set[str]:
    """Populations whose events come from outside."""
    populations = [item for stored in run.networks.values() for item in stored.populations.items()]
    return {name for name, population in populations if population.get("type") == "Input"}


def raster(run: RunFolder, arithmetic: str, population: str) -> SpikeRaster | None:
    """The raster of a population in the first simulator of one arithmetic."""
    having = [name for name, rasters in run.rasters.items() if population in rasters]
    found = sorted((name for name in having if stored_arithmetic(name) == arithmetic), key=_place)
    return run.rasters[found[0]][population] if found else None


def seconds(run: RunFolder, population: str | None = None) -> float:
    """What a step is taken as: by a raster of the population, else by any, else as a raster says by itself."""
    every = [(name, raster.dt) for rasters in run.rasters.values() for name, raster in rasters.items()]
    own = (dt for name, dt in every if name == population)
    return next(own, next((dt for _, dt in every), SpikeRaster.dt))


def pair(run: RunFolder, arithmetic: str, population: str) -> list[Trace]:
    """The traces to lay over each other: of the reference and of one more simulator, as far as stored."""
    found = [t for t in run.traces if t.population == population and stored_arithmetic(t.simulator) == arithmetic]
    return sorted(found, key=lambda trace: _place(trace.simulator))[:2]


def _place(stored: str) -> tuple[int, str]:
    """Those that every run keeps first."""
    kept = [stored_name(simulator, stored_arithmetic(stored)) for simulator in KEPT]
    return kept.index(stored) if stored in kept else len(kept), stored
