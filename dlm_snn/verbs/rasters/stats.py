"""``dlm-snn raster stats``: a summary of each population, then the table of its neurons."""

from __future__ import annotations

import math
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlm_snn.verbs.rasters.selection import add_selection, selected
from dlm_snn.verbs.verb import Verb, add_replace

if TYPE_CHECKING:
    from dlm_snn.analysis.finding import Finding
    from dlm_snn.analysis.statistics.first_order import SpikeTable
    from dlm_snn.files.layouts import FileKind
    from dlm_snn.verbs.rasters.selection import Selected

ROWS = 10
"""Neurons that are shown without --all."""
_MARK = "# dlm_snn statistics"
_FORM = "dlm_snn statistics"


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
    parser.add_argument("--all", action="store_true", help=f"show every neuron (default: the first {ROWS})")
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
    if not any(map(len, part.rasters.values())):
        told = ", ".join(f"'{name}'" for name in part.rasters)
        raise DlmError(f"{part.path} holds no spike of {told} in this part, and so no statistics; give another part")
    found = {}
    for name, raster in part.rasters.items():
        try:
            table = spike_table(raster, arguments.window)
        except DlmError as error:
            raise DlmError(f"'{name}' in {part.path}: {error}") from error
        found[name] = (population_summary(table), table, _names(part, name, arguments.neurons))
    if arguments.json:
        print(_as_json(found))
    else:
        for name, (findings, table, units) in found.items():
            print(_told(name, findings, table, units, None if arguments.all else ROWS))
    if arguments.out is not None:
        _write(arguments.out, found, arguments.replace)
        if not arguments.json:
            print(f"written: {arguments.out}")
    return 0


def _names(part: Selected, population: str, chosen: slice | None) -> dict[str, list[Any]]:
    """What each neuron is called: its number in the file, and the unit that the file names."""
    n = part.rasters[population].n_neurons
    first = 0 if chosen is None else chosen.indices(part.stored.rasters[population].n_neurons)[0]
    numbers = list(range(first, first + n))
    units = part.stored.unit_ids.get(population)
    named = {"unit": [units[k] for k in numbers]} if units and first + n <= len(units) else {}
    return {"neuron": numbers, **named}


def _told(
    name: str, findings: Sequence[Finding], table: SpikeTable, units: dict[str, list[Any]], most: int | None
) -> str:
    """The summary, then the rows of neurons."""
    n = table.spikes.size
    counted = (int(table.spikes.sum()), "spike"), (n, "neuron"), (table.n_samples, "sample")
    spikes, neurons, samples = (f"{count:,} {what}{'' if count == 1 else 's'}" for count, what in counted)
    head = f"{name}: {spikes} of {neurons} in {samples} of {1e3 * table.seconds:g} ms, dt {1e3 * table.dt:g} ms"
    rows = [finding.row() for finding in findings]
    used = [key for key in rows[0] if any(row[key] for row in rows)]
    lines = [head, *_aligned([used, *([row[key] for key in used] for row in rows)]), ""]
    columns: dict[str, Any] = {**units, **{key: values for key, values in table.columns().items() if key != "neuron"}}
    shown = range(n if most is None else min(n, most))
    cells = [[_cell(values[k]) for values in columns.values()] for k in shown]
    lines += _aligned([list(columns), *cells])
    if len(shown) < n:
        lines.append(f"... {n - len(shown):,} more neurons: --all, or --out FILE.csv")
    return "\n".join([*lines, ""])


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


def _as_json(found: dict[str, Any]) -> str:
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
    return json.dumps({"form": _FORM, "populations": populations}, indent=1)


def _as_csv(found: dict[str, Any]) -> str:
    import csv
    import io

    text = io.StringIO()
    text.write(f"{_MARK}\n")
    writer = csv.writer(text, lineterminator="\n")
    named = any("unit" in units for _, _, units in found.values())
    for number, (name, (_, table, units)) in enumerate(found.items()):
        first = {"neuron": units["neuron"], **({"unit": units.get("unit", [""] * table.spikes.size)} if named else {})}
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


def _write(path: Path, found: dict[str, Any], replace: bool) -> None:
    from dlm_snn.files.atomic import write_text

    text = _as_csv(found) if path.suffix == ".csv" else _as_json(found) + "\n"
    write_text(path, text, _kind(path), replace)


stats = Verb("rates, intervals, Fano factor, latency: of each population, and of each neuron", _arguments, _run)
