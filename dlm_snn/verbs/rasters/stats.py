"""``dlm-snn raster stats``: a summary of each population, then the table of its neurons."""

from __future__ import annotations

import math
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlm_snn.errors import how_many
from dlm_snn.verbs.rasters.selection import add_selection, selected
from dlm_snn.verbs.verb import Verb, add_replace

if TYPE_CHECKING:
    from dlm_snn.analysis.finding import Finding
    from dlm_snn.analysis.statistics.first_order import SpikeTable
    from dlm_snn.files.layouts import FileKind
    from dlm_snn.runs.raster import SpikeRaster
    from dlm_snn.verbs.rasters.selection import Selected

ROWS = 10
"""Neurons that are shown without --all."""
_MARK = "# dlm_snn statistics"
_FORM = "dlm_snn statistics"
SCHEMA = 1
"""Of the JSON; a change that readers must know of makes it one more."""


def _milliseconds(text: str) -> float:
    """A length in ms as seconds."""
    try:
        value = float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is not a number of milliseconds") from error
    if not 0 < value < math.inf:
        raise ArgumentTypeError(f"'{text}' is not a number of milliseconds above 0")
    return value / 1e3


def _arguments(parser: ArgumentParser) -> None:
    add_selection(parser)
    parser.add_argument(
        "--window",
        type=_milliseconds,
        metavar="MS",
        help="windows in which spikes are counted for the Fano factor (default: 100, or a whole sample if shorter)",
    )
    parser.add_argument("--all", action="store_true", help=f"show every neuron (default: the {ROWS} most active)")
    parser.add_argument("--json", action="store_true", help="print the summary and every neuron as JSON")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table of every neuron: .csv, or .json")
    add_replace(parser, "statistics")


def _run(arguments: Namespace) -> int:
    from dlm_snn.analysis.statistics.first_order import spike_table
    from dlm_snn.analysis.statistics.population import population_summary
    from dlm_snn.errors import DlmError
    from dlm_snn.files.atomic import check

    if arguments.out is not None:
        check(arguments.out, _kind(arguments.out), arguments.replace)
    part = selected(arguments)
    found = {}
    for name, raster in part.rasters.items():
        try:
            _check_window(raster, arguments.window)
            table = spike_table(raster, arguments.window)
        except DlmError as error:
            raise DlmError(f"'{name}' in {part.path}: {error}") from error
        found[name] = (population_summary(table), table, _names(part, name))
    if arguments.json:
        print(_as_json(found, part.told))
    else:
        print(*part.told, sep="\n", end="\n" if part.told else "")
        most = None if arguments.all else ROWS
        print("\n\n".join(_told(name, *of, most) for name, of in found.items()))
    if arguments.out is not None:
        _write(arguments.out, found, part.told, arguments.replace)
        if not arguments.json:
            print(f"written: {arguments.out}")
    return 0


def _check_window(raster: SpikeRaster, window: float | None) -> None:
    """Refuse a --window in its own unit, ms."""
    from dlm_snn.analysis.statistics.first_order import window_steps
    from dlm_snn.errors import DlmError

    try:
        window_steps(raster, window)
    except DlmError as error:
        asked, length, step = (1e3 * s for s in (window or 0.0, raster.n_steps * raster.dt, raster.dt))
        if asked > length:
            raise DlmError(
                f"--window {asked:g} ms is longer than a sample, which has {length:g} ms; give less"
            ) from error
        raise DlmError(f"--window {asked:g} ms is no whole number of steps of {step:g} ms; give a multiple") from error


_TOLD = ("unit", "area", "group")
"""Columns of what the file tells of neurons."""


def _names(part: Selected, population: str) -> dict[str, list[Any]]:
    """What each neuron is called: its number in the file, and the unit, area and group that the file tells."""
    stored = part.stored
    told = {
        key: part.of_neurons(of, population)
        for key, of in zip(_TOLD, (stored.unit_ids, stored.areas, stored.groups), strict=True)
    }
    named = {key: values for key, values in told.items() if values is not None}
    return {"neuron": list(part.numbers(population)), **named}


def _told(
    name: str, findings: Sequence[Finding], table: SpikeTable, units: dict[str, list[Any]], most: int | None
) -> str:
    """The summary, then the rows of neurons."""
    n = table.spikes.size
    counts = int(table.spikes.sum()), n, table.n_samples
    spikes, neurons, samples = map(how_many, counts, ("spikes", "neurons", "samples"))
    head = f"{name}: {spikes} of {neurons} in {samples} of {1e3 * table.seconds:g} ms, dt {1e3 * table.dt:g} ms"
    rows = [finding.row() for finding in findings]
    used = [key for key in rows[0] if any(row[key] for row in rows)]
    lines = [head, *_aligned([used, *([row[key] for key in used] for row in rows)]), ""]
    columns: dict[str, Any] = {**units, **{key: values for key, values in table.columns().items() if key != "neuron"}}
    liveliest = sorted(range(n), key=lambda k: -table.spikes[k])
    shown = liveliest if most is None else liveliest[:most]
    cells = [[_cell(values[k]) for values in columns.values()] for k in shown]
    lines += _aligned([list(columns), *cells])
    if len(shown) < n:
        lines.append(f"... {how_many(n - len(shown), 'less active neurons')}: --all, or --out FILE.csv")
    return "\n".join(lines)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.4g}"
    return str(value)


def _plain(value: Any) -> Any:
    """As JSON has it: no NaN."""
    item = value.item() if hasattr(value, "item") else value
    return None if isinstance(item, float) and not math.isfinite(item) else item


def _as_json(found: dict[str, Any], told: Sequence[str]) -> str:
    import json

    populations = {}
    for name, (findings, table, units) in found.items():
        columns = {**table.columns(), **units}
        populations[name] = {
            "samples": table.n_samples,
            "seconds_per_sample": table.seconds,
            "dt": table.dt,
            "window": table.window,
            "windows": table.windows,
            "summary": [finding.to_json() for finding in findings],
            "neurons": {key: [_plain(value) for value in values] for key, values in columns.items()},
        }
    return json.dumps({"schema": SCHEMA, "form": _FORM, "notes": list(told), "populations": populations}, indent=1)


def _as_csv(found: dict[str, Any]) -> str:
    import csv
    import io

    text = io.StringIO()
    text.write(f"{_MARK}\n")
    writer = csv.writer(text, lineterminator="\n")
    named = [key for key in _TOLD if any(key in units for _, _, units in found.values())]
    for number, (name, (_, table, units)) in enumerate(found.items()):
        first = {key: units.get(key, [""] * table.spikes.size) for key in ("neuron", *named)}
        columns = {**first, **{key: values for key, values in table.columns().items() if key != "neuron"}}
        if not number:
            writer.writerow(["population", *columns])
        for k in range(table.spikes.size):
            values = [_plain(values[k]) for values in columns.values()]
            writer.writerow([name, *("" if value is None else value for value in values)])
    return text.getvalue()


def _kind(path: Path) -> FileKind:
    """By the ending.

    Raises:
        DlmError: another one.
    """
    from dlm_snn.errors import DlmError
    from dlm_snn.files.layouts import json_file, text_file

    if path.suffix == ".csv":
        return text_file("statistics", begins=_MARK)
    if path.suffix == ".json":
        return json_file("statistics", "populations", equal={"form": _FORM})
    raise DlmError(f"--out {path} ends neither in .csv nor in .json; choose one of them")


def _write(path: Path, found: dict[str, Any], told: Sequence[str], replace: bool) -> None:
    from dlm_snn.files.atomic import write_text

    text = _as_csv(found) if path.suffix == ".csv" else _as_json(found, told) + "\n"
    write_text(path, text, _kind(path), replace)


stats = Verb("rates, intervals, Fano factor, latency: of each population, and of each neuron", _arguments, _run)
