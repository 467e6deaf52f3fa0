"""The formats by ending: ours as one table, and the entry-point group ``dlm_snn.formats`` for those of other packages.

Nothing heavy is imported before a file is read or written.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace as changed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlm_snn import plugins
from dlm_snn.errors import DlmError, OwnStepsError
from dlm_snn.exchange.format import Format, Options, Stored, Writer
from dlm_snn.exchange.session_formats import BY_CONTENT, CLOCK, TIMED, content_of, read_nwb, read_timed

if TYPE_CHECKING:
    from dlm_snn.files.layouts import Kind
    from dlm_snn.runs.raster import SpikeRaster

GROUP = "dlm_snn.formats"
NIR_DT = 1e-3
"""Seconds a step in NIR, where nothing else is told."""


def _read_net(path: Path, options: Options) -> Stored:
    from dlm_snn.exchange.netx.reader import read_net

    given = options.input_shape, options.graded_bits, options.reset_interval, options.num_layers
    return Stored(read_net(path, *given, skip_layers=options.skip_layers or 0))


def _write_net(network: Any, path: Path, replace: bool, dt: float | None) -> None:
    from dlm_snn.exchange.netx.writer import write_net

    write_net(network, path, replace)


def _net_kind() -> Kind:
    from dlm_snn.exchange.netx.writer import NET

    return NET


def _read_nir(path: Path, options: Options) -> Stored:
    from dlm_snn.exchange.nir.parts import Source
    from dlm_snn.exchange.nir.reader import import_nir

    scale = 1.0 if options.scale is None else options.scale
    source = Source(options.input_shape, options.graded_bits, scale, options.signed)
    found = import_nir(path, options.dt, options.extra_steps, options.reset, source)
    return Stored(found.network, notes=found.notes())


def _write_nir(network: Any, path: Path, replace: bool, dt: float | None) -> None:
    from dlm_snn.exchange.nir.writer import write_nir

    write_nir(network, path, NIR_DT if dt is None else dt, replace)


def _nir_kind() -> Kind:
    from dlm_snn.exchange.nir.writer import NIR

    return NIR


def _read_network(path: Path, options: Options) -> Stored:
    from dlm_snn.networks import artifact

    return Stored(artifact.load(path))


def _read_raster(path: Path, options: Options) -> Stored:
    from dlm_snn.runs.raster import SpikeRaster

    return Stored(rasters={path.name.removesuffix(path.suffix): SpikeRaster.load(path)}, by_file=True)


def _write_raster(rasters: Mapping[str, SpikeRaster], path: Path, replace: bool, dt: float | None) -> None:
    if len(rasters) != 1:
        raise DlmError(f"{path} holds one population, not {', '.join(rasters) or 'none'}; choose one, or a folder")
    next(iter(rasters.values())).save(path, replace)


def _raster_kind() -> Kind:
    from dlm_snn.runs.raster_files import RASTER

    return RASTER


def _raster_folder_kind() -> Kind:
    from dlm_snn.runs.raster_files import RASTER_FOLDER

    return RASTER_FOLDER


def _write_nwb(rasters: Mapping[str, SpikeRaster], path: Path, replace: bool, dt: float | None) -> None:
    from dlm_snn.exchange.rasters.nwb import write_nwb

    write_nwb(rasters, path, replace=replace)


def _nwb_kind() -> Kind:
    from dlm_snn.exchange.rasters.nwb import NWB

    return NWB


def _read_csv(path: Path, options: Options) -> Stored:
    from dlm_snn.exchange.rasters.csv_files import populations_of, read_csv
    from dlm_snn.runs.raster import EXTENT

    if options.columns is not None:
        return read_timed(path, options)
    timed = [name for name in TIMED if getattr(options, name) is not None]
    if timed:
        told = {"begin": "--from", "end": "--to"}.get(timed[0], f"--{timed[0].replace('_', '-')}")
        raise OwnStepsError(
            f"{path}: {told} is for spikes with times; name them, --columns time=..,unit=.., or leave it out"
        )
    extents = None
    if options.extent is not None:
        own: dict[str, float] = dict(zip(EXTENT, options.extent, strict=True))
        extents = dict.fromkeys(populations_of(path), own if options.dt is None else {**own, "dt": options.dt})
    rasters = read_csv(path, extents)
    for raster in rasters.values():
        if options.dt not in (None, raster.dt):
            raise DlmError(f"{path}: it was written for dt = {raster.dt!r} s, not {options.dt!r} s; leave dt out")
    return Stored(rasters=rasters)


def _write_csv(rasters: Mapping[str, SpikeRaster], path: Path, replace: bool, dt: float | None) -> None:
    from dlm_snn.exchange.rasters.csv_files import write_csv

    write_csv(rasters, path, replace)


def _csv_kind() -> Kind:
    from dlm_snn.exchange.rasters.csv_files import CSV

    return CSV


def _read_events(path: Path, options: Options) -> Stored:
    from dlm_snn.exchange.rasters.event_files import event_file

    recording = event_file(path, options.shape, options.chip, options.time_unit)
    if options.dt is None:
        raise DlmError(f"{path} has times, not steps; give dt (--dt), in seconds")
    raster, moved = recording.raster(options.dt, options.start, options.begin, options.end)
    name = path.name.removesuffix(path.suffix)
    return Stored(rasters={name: raster}, moved=moved, by_file=True, notes=recording.notes)


_NETWORK = Format("network", _read_network, ours=True)
_EVENTS = Format("rasters", _read_events, options=("dt", *CLOCK, "shape"))
OURS: Mapping[str, Format] = {
    ".net": Format(
        "integer",
        _read_net,
        Writer(_write_net, _net_kind),
        ("input_shape", "graded_bits", "reset_interval", "num_layers", "skip_layers"),
    ),
    ".nir": Format(
        "float",
        _read_nir,
        Writer(_write_nir, _nir_kind),
        ("dt", "extra_steps", "reset", "input_shape", "graded_bits", "scale", "signed"),
    ),
    ".json": _NETWORK,
    ".safetensors": _NETWORK,
    ".npz": Format("rasters", _read_raster, Writer(_write_raster, _raster_kind), ours=True),
    ".raster": Format("rasters", _read_raster, Writer(_write_raster, _raster_folder_kind), folder=True, ours=True),
    ".nwb": Format("rasters", read_nwb, Writer(_write_nwb, _nwb_kind), ("dt", *CLOCK, "trials")),
    ".csv": Format("rasters", _read_csv, Writer(_write_csv, _csv_kind), ("dt", "extent", "columns", *TIMED)),
    ".bs2": _EVENTS,
    ".bin": _EVENTS,
    ".aedat": changed(_EVENTS, options=("dt", *CLOCK, "shape", "chip")),
    ".aedat4": changed(_EVENTS, options=("dt", *CLOCK)),
    ".dat": _EVENTS,
    ".npy": changed(_EVENTS, options=("dt", *CLOCK, "shape", "time_unit")),
}
"""Ending -> format."""


def format_of(path: Path) -> Format | None:
    """The format of a path's ending; None where nobody knows it.

    Raises:
        DlmError: a format of another package that cannot be had.
    """
    ours = OURS.get(path.suffix)
    if ours is not None or path.suffix[1:] not in plugins.names(GROUP):
        return ours
    return plugins.instance(GROUP, path.suffix[1:], Format)


def format_at(path: Path) -> Format | None:
    """The format of what lies at a path, by its content or its ending; None where nobody knows it.

    Raises:
        DlmError: as ``format_of``; one file of a folder that is read as a whole.
    """
    content = content_of(path)
    return format_of(path) if content is None else BY_CONTENT[content].format


def kind_at(path: Path) -> str:
    """What ``format_at`` goes by: the name of a content, or the ending."""
    return content_of(path) or path.suffix


def is_ours(known: Format) -> bool:
    """Whether a format is none of another package."""
    return known in (*OURS.values(), *(content.format for content in BY_CONTENT.values()))


def recordings() -> tuple[str, ...]:
    """What recordings of others may be: endings, and contents without one."""
    return (*endings("rasters", ours=False), *BY_CONTENT)


def formats() -> dict[str, Format]:
    """All formats by ending; without those of other packages that cannot be had, which must not take others along."""
    found = dict(OURS)
    for name in plugins.names(GROUP):
        with suppress(Exception):
            found.setdefault(f".{name}", plugins.instance(GROUP, name, Format))
    return found


def endings(*holds: str, written: bool = False, ours: bool = True) -> tuple[str, ...]:
    """The endings of some formats.

    Args:
        holds: what they hold; none: anything.
        written: only those that can be written.
        ours: with those of our own.
    """
    return tuple(
        ending
        for ending, known in formats().items()
        if (not holds or known.holds in holds) and (ours or not known.ours) and (not written or known.writer)
    )
