"""The page: one HTML file with its style, its program and the packed spikes in itself."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.taking import rasters_of
from dlm_snn.analysis.viewer.layers import layers
from dlm_snn.analysis.viewer.membranes import Membrane, comparable, membrane_json, membranes_of
from dlm_snn.errors import DlmError
from dlm_snn.files.atomic import check, write_text
from dlm_snn.files.layouts import text_file
from dlm_snn.runs.differences import raster_differences
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.recording import Recording

PAGE = text_file(
    "a viewer page", begins="<!DOCTYPE html>", holds='<meta name="generator" content="dlm-snn raster view">'
)
SPIKES, NEURONS, POSITIONS = 10**8, 2**24, 2**53
"""Most spikes, neurons, and samples times steps of a page: a browser's text, its memory, its whole numbers."""
PROGRAM = (
    "unpack.js",
    "spikes.js",
    "bands.js",
    "paint.js",
    "axes.js",
    "membranes.js",
    "selection.js",
    "state.js",
    "controls.js",
    "fields.js",
    "pointer.js",
    "main.js",
)
"""Parts of the page's program, in their order."""


@dataclass(frozen=True)
class Labels:
    """What a page calls things.

    Attributes:
        names: of the first and of the second run.
        sample, step: number of the first sample and of the first step, where the rasters are a part of something.
        units: population -> the name of each neuron, or its numbers as a range.
    """

    names: tuple[str, str] = ("first", "second")
    sample: int = 0
    step: int = 0
    units: Mapping[str, Sequence[int | str]] = field(default_factory=dict)


def view(
    thing: Any,
    path: str | os.PathLike[str],
    against: Any = None,
    dt: float | None = None,
    labels: Labels | None = None,
    membranes: Mapping[str, Membrane] | None = None,
    membranes_against: Mapping[str, Membrane] | None = None,
    replace: bool = False,
) -> Path:
    """Write a page that shows spikes: it pans, zooms, selects, and saves what is selected; see docs/viewer.md.

    Args:
        thing: whatever ``rasters_of`` takes.
        path: of the page, an HTML file.
        against: a second run of the same populations and extents, to be laid over the first; one population lies over
            one of any name.
        dt: seconds per step, see ``rasters_of``.
        labels: names of the runs and of the neurons.
        membranes, membranes_against: v of each run by population; where not given, that of a Recording with v. Shown is
            that before the reset where all runs know it, else that at the end of the step; the page says which.
        replace: a page of ours of that name gives way.

    Returns:
        The path.

    Raises:
        DlmError: a path that does not end in .html, or exists; no rasters, populations of several dt, two runs that do
            not fit, too many spikes for a browser.
    """
    target = html_path(path)
    check(target, PAGE, replace)
    rasters = rasters_of(thing, dt)
    others = None if against is None else named_alike(rasters, rasters_of(against, dt))
    _check(rasters, others)
    v = _membranes(thing, membranes), _membranes(against, membranes_against)
    text = page(rasters, others, labels or Labels((target.stem if others is None else "first", "second")), v)
    write_text(target, text, PAGE, replace)
    return target


def html_path(path: str | os.PathLike[str]) -> Path:
    """The path of a page.

    Raises:
        DlmError: it does not end in .html, by which a browser knows it.
    """
    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise DlmError(f"{target} does not end in .html, and the viewer is a page; give NAME.html")
    return target


def page(
    rasters: Mapping[str, SpikeRaster],
    others: Mapping[str, SpikeRaster] | None,
    labels: Labels,
    membranes: tuple[Mapping[str, Membrane], Mapping[str, Membrane]],
) -> str:
    """The page's text; the same rasters give the same text."""
    content = _content(rasters, others, labels, membranes)
    # A name may hold what ends a script.
    data = json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
    title = labels.names[0] if others is None else f"{labels.names[0]} and {labels.names[1]}"
    filled = {
        "TITLE": escape(title),
        "STYLE": part("style.css"),
        "PROGRAM": "\n".join(map(part, PROGRAM)),
        "DATA": data,
    }
    head, *rest = part("page.html").split("{{")
    pieces = [head]
    for piece in rest:
        name, _, after = piece.partition("}}")
        pieces += [filled[name], after]
    return "".join(pieces)


def part(name: str) -> str:
    """A file that lies beside this module."""
    return files("dlm_snn.analysis.viewer").joinpath(name).read_text(encoding="utf-8")


def named_alike(rasters: Mapping[str, SpikeRaster], others: Mapping[str, SpikeRaster]) -> Mapping[str, SpikeRaster]:
    """The other rasters, by the name of the first where each has one: many files hold no name but their own."""
    return dict(zip(rasters, others.values(), strict=True)) if len(rasters) == len(others) == 1 else others


def _membranes(thing: Any, given: Mapping[str, Membrane] | None) -> Mapping[str, Membrane]:
    if given is not None:
        return given
    return membranes_of(thing) if isinstance(thing, Recording) else {}


def _check(rasters: Mapping[str, SpikeRaster], others: Mapping[str, SpikeRaster] | None) -> None:
    if not rasters:
        raise DlmError("there are no rasters to show; record 's', or give a raster")
    steps = {raster.dt for raster in (*rasters.values(), *(others or {}).values())}
    if len(steps) > 1:
        told = " and ".join(f"{dt:g} s" for dt in sorted(steps))
        raise DlmError(f"the rasters have steps of {told}; one page has one time axis: give populations of one dt")
    if others is not None:
        raster_differences(rasters, others)
    extent = _extent(rasters)
    held = {
        "spikes": (sum(map(len, (*rasters.values(), *(others or {}).values()))), SPIKES),
        "neurons": (sum(raster.n_neurons for raster in rasters.values()), NEURONS),
        "samples x steps": (extent[0] * extent[1], POSITIONS),
    }
    for what, (count, most) in held.items():
        if count > most:
            raise DlmError(f"{count} {what} are more than a page holds ({most}); give a part of them")


def _extent(rasters: Mapping[str, SpikeRaster]) -> tuple[int, int]:
    """Samples and steps of the time axis that all populations share."""
    return max(r.n_samples for r in rasters.values()), max(r.n_steps for r in rasters.values())


def _content(
    rasters: Mapping[str, SpikeRaster],
    others: Mapping[str, SpikeRaster] | None,
    labels: Labels,
    membranes: tuple[Mapping[str, Membrane], Mapping[str, Membrane]],
) -> dict[str, Any]:
    n_samples, n_steps = _extent(rasters)
    populations: list[dict[str, Any]] = []
    counts: dict[str, NDArray[np.int64]] = {}
    for name, raster in rasters.items():
        own = _stretched(raster, n_samples, n_steps)
        held = layers(own, None if others is None else _stretched(others[name], n_samples, n_steps))
        counts[name] = np.sum([layer.counts for layer in held[:2]], axis=0)
        populations.append(
            {
                "name": name,
                "neurons": raster.n_neurons,
                "units": _units(labels.units.get(name), raster.n_neurons),
                "layers": [layer.to_json() for layer in held],
            }
        )
    return {
        "names": list(labels.names[: 1 if others is None else 2]),
        "samples": n_samples,
        "steps": n_steps,
        "dt": next(iter(rasters.values())).dt,
        "firstSample": labels.sample,
        "firstStep": labels.step,
        "populations": populations,
        "membranes": [membrane_json(of_run, counts) for of_run in comparable(membranes)],
    }


def _stretched(raster: SpikeRaster, n_samples: int, n_steps: int) -> SpikeRaster:
    """The same spikes on the axis that all populations share."""
    if (raster.n_samples, raster.n_steps) == (n_samples, n_steps):
        return raster
    return SpikeRaster(raster.sample, raster.step, raster.neuron, n_samples, n_steps, raster.n_neurons, raster.dt)


def _units(names: Sequence[int | str] | None, n_neurons: int) -> int | list[str]:
    """Names of neurons; or the number of the first one."""
    if isinstance(names, range) and names.step == 1:
        return names.start
    return 0 if names is None or len(names) != n_neurons else [str(name) for name in names]
