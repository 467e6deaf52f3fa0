"""Rows as types: what they hold, what decides them, and that nobody else writes their keys as strings."""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatch
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from dlm_snn.continual.row import ContinualRow, RowFigures, Told
from dlm_snn.conversion.loss_budget import PopulationLoss, ProjectionLoss
from dlm_snn.errors import DlmError
from dlm_snn.files.json_objects import EXTRA, KEY
from dlm_snn.learning.learner import Declaration
from dlm_snn.report import wording
from dlm_snn.runs.run_metrics import (
    Activity,
    Books,
    Epoch,
    MembraneEnergy,
    Overflows,
    RunMetrics,
    SinglePrecision,
)
from experiments.chips import frozen_columns
from experiments.harness.cells import Entry, cells
from experiments.harness.rows import writing_rows
from experiments.harness.stream import FOLDS, StreamCell
from experiments.recipes import continual_p2
from experiments.recipes.table import EXPERIMENTS, SWEEPS, variant_config
from experiments.road import repeat, sweep
from experiments.tuning import bursts, evidence, search, stream_tuning
from tests.test_layers import modules

RESULTS = Path(__file__).resolve().parent.parent / "experiments" / "results"


def lines_of(pattern: str) -> list[str]:
    found = [line for path in sorted(RESULTS.glob(pattern)) for line in path.read_text("utf-8").splitlines()]
    assert found
    return found


def test_committed_rows_come_back_as_they_are_to_the_letter():
    for line in lines_of("continual-*.jsonl"):
        assert json.dumps(ContinualRow.from_json(json.loads(line)).to_json()) == line


def test_rows_of_before_and_of_later_load_and_come_back():
    row = json.loads(lines_of("continual-P2.jsonl")[0])
    del row["versions"], row["figures"]["unanswered"]
    row |= {"new": [1], "figures": {**row["figures"], "auc": 0.5}}
    row["declaration"] = {**row["declaration"], "energy": None}
    made = ContinualRow.from_json(row)
    assert made.versions is made.figures.unanswered is None
    assert made.extra == {"new": [1], "figures": {"auc": 0.5}, "declaration": {"energy": None}}
    assert made.to_json() == row


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"seed": "0"}, "a row: 'seed' is \"0\", where a whole number is wanted"),
        ({"figures": {}}, "a row: 'figures.matrix' is missing"),
        ({"told": {"boundary": 1}}, "'told.boundary' is 1, where true or false is wanted"),
        ({"declaration": {}}, "'declaration.front_end' is missing"),
    ],
)
def test_rows_of_another_kind_are_one_line(change, line):
    row = json.loads(lines_of("continual-P2.jsonl")[0])
    with pytest.raises(DlmError, match=line):
        ContinualRow.from_json({**row, **change})


# What decides a row: the same hash today as when the row was made, and the same row found again.


def keys_of_cells(row: Mapping[str, Any]) -> list[str]:
    entry = Entry(row["protocol"], row["learner"], row["options"])
    made = cells({"any": entry}, [row["seed"]], row["validation"], joint=True)
    return [cell.key for cell in made if cell.joint == row["joint"]]


HASHED = {
    **{
        f"{name}.jsonl": lambda row: [
            repeat.key(repeat.with_seed(variant_config(row["experiment"], row["variant"]), row["seed"]))
        ]
        for name in EXPERIMENTS
    },
    **{
        f"{name}.jsonl": lambda row: [
            repeat.key(sweep.seeded(variant_config(row["experiment"], row["variant"]), row["seed"]))
        ]
        for name in SWEEPS
    },
    "continual-*.jsonl": keys_of_cells,
    "stream.jsonl": lambda row: [StreamCell(row["learner"], row["options"], row["order"], row["seed"]).key],
}
"""Files of results whose rows are found by a hash, and how it comes out of a row."""
BY_FIELDS = {
    "tuning.jsonl": lambda: [
        {"row": name, "learner": g.learner, "protocol": g.protocol, "samples": g.samples, "seed": 0, "options": options}
        for name, g in search.GRIDS.items()
        for options in g.settings
    ],
    "bursts.jsonl": lambda: [{**s, "seed": seed} for s in bursts.SETTINGS for seed in bursts.SEEDS],
    "evidence.jsonl": lambda: [
        {"neurons": n, "evidence": e, "seed": seed}
        for n, e, seed in product(evidence.SIZES, evidence.EVIDENCE, evidence.SEEDS)
    ],
    "stream-tuning.jsonl": lambda: [{"config": str(seed)} for seed in range(FOLDS)],
    "frozen-columns.jsonl": lambda: [
        {"config": cell.key, "seed": cell.seed}
        for cell in cells({"any": continual_p2.CELLS[frozen_columns.LINE]}, range(frozen_columns.SEEDS))
    ],
}
"""The others, and all that their programs would run."""


@pytest.mark.parametrize("pattern", HASHED)
def test_every_committed_row_has_the_key_that_its_content_has_today(pattern):
    for line in lines_of(pattern):
        row = json.loads(line)
        assert HASHED[pattern](row) == [row["config"]]


@pytest.mark.parametrize("name", BY_FIELDS)
def test_every_committed_row_is_found_by_what_decides_it(name, tmp_path):
    shutil.copy(RESULTS / name, tmp_path)
    with writing_rows(tmp_path / name) as file:
        found = [file.find(**decides) for decides in BY_FIELDS[name]()]
        assert None not in found
        assert sorted(map(str, found)) == sorted(map(str, file.rows)), "each row is that of one setting"


def test_every_file_of_results_is_held():
    names = {path.name for path in RESULTS.glob("*.jsonl")}
    assert {name for name in names for pattern in (*HASHED, *BY_FIELDS) if fnmatch(name, pattern)} == names


@pytest.mark.parametrize("module", [bursts, evidence, stream_tuning])
def test_what_has_its_row_is_not_run_again(module, tmp_path, monkeypatch, capsys):
    shutil.copy(module.RESULTS, tmp_path)
    results = tmp_path / module.RESULTS.name
    before = results.read_bytes()
    monkeypatch.setattr(module, "RESULTS", results)
    monkeypatch.setattr(module, {bursts: "noticed", evidence: "answered", stream_tuning: "_fold"}[module], None)
    module.main()
    assert capsys.readouterr().out.strip() == module.table(results)
    assert results.read_bytes() == before
    # The last row cut off: it would be run.
    results.write_bytes(before[: before.rstrip().rfind(b"\n") + 1])
    monkeypatch.setattr(stream_tuning, "nmnist_excerpt", lambda folder: None)
    monkeypatch.setattr(stream_tuning, "SETTINGS", ())
    monkeypatch.setattr(evidence, "split", lambda config: None)
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        module.main()


def test_settings_that_have_their_row_are_not_tried_again(tmp_path, monkeypatch):
    shutil.copy(search.RESULTS, tmp_path)
    monkeypatch.setattr(search, "tried", None)
    rows = search.tune(search.GRIDS, tmp_path / search.RESULTS.name)
    assert len(rows) == sum(len(grid.settings) for grid in search.GRIDS.values())


# Keys as strings: over the syntax trees of what is installed.


@dataclass(frozen=True)
class Contract:
    """Objects whose keys stand in dataclasses alone.

    Attributes:
        classes: that have the keys as fields.
        names: by which a program holds such objects.
        mark: a dictionary with this key and three others is such an object, written by hand.
        others: module -> names that are keys of something else there; these modules hold none of the objects.
    """

    classes: tuple[type, ...]
    names: frozenset[str]
    mark: str
    others: Mapping[str, set[str]]

    @property
    def keys(self) -> set[str]:
        held = [f for cls in self.classes for f in fields(cls) if f.name != EXTRA]
        return {f.name for f in held} | {f.metadata.get(KEY, f.name) for f in held}


CONTRACTS = {
    "continual rows": Contract(
        (ContinualRow, RowFigures, Told, Declaration),
        frozenset({"ContinualRow", "CONTINUAL_ROW", "Standing", "standings", "run_cell", "run_missing"}),
        "figures",
        {
            "dlm_snn.learning.descent.mlp": {"boundary"},
            "dlm_snn.provenance": {"commit", "date", "machine"},
            "dlm_snn.report.page": {"seconds", "seed", "versions"},
            "experiments.harness.stream": {"figures", "seed", "config", "declaration", "info", "acc"},
            "experiments.recipes.idle": {"seed"},
            "hardware.verbs.control": {"seed"},
            "experiments.road.again": {"commit", "machine", "versions"},
            "experiments.road.competition": {"figures", "seed", "variant"},
            "experiments.road.repeat": {"config", "figures", "seed", "variant"},
            "experiments.road.sweep": {"figures", "variant"},
            "experiments.tuning.bursts": set(),
            "experiments.tuning.evidence": {"acc", "forgetting"},
            "experiments.tuning.search": {"options", "validation"},
            "experiments.tuning.stream_tuning": {"acc", "config", "figures"},
            "lava_processes.plastic_dense.process": {"seed"},
        },
    ),
    # Whoever has a loss budget, a dataset or a pair by its key has had to ask the metrics for it first.
    "metrics of a run": Contract(
        (RunMetrics, Activity, Epoch, Books, Overflows, SinglePrecision, MembraneEnergy),
        frozenset({"RunMetrics", "Agreement", "LossBudget", "read_run", "run_road"}),
        "agreement",
        {
            "dlm_snn.backends._torch_arithmetic": {"reset"},
            "dlm_snn.physics.membranes.brian2": {"injected", "leak"},
            "dlm_snn.physics.membranes.ledger": {"clip", "leak", "reset"},
            "dlm_snn.physics.weights.forgetting": {"temperature"},
            "dlm_snn.physics.weights.optimizer": {"temperature"},
            "dlm_snn.physics.weights.trainer": {"temperature"},
            "experiments.road.sweep": {"accuracy"},
            "experiments.road.repeat": {"saturations", "silent", "spikes", "synaptic_operations", "wraps"},
            "experiments.tables": {"spikes"},
            "lava_processes.batch_dense.process": {"samples"},
            "lava_processes.columns_graph": {"samples"},
            "lava_processes.fused.process": {"samples", "spikes"},
            "lava_processes.host": {"samples"},
            "lava_processes.plastic_dense.process": {"temperature"},
        },
    ),
}
"""Of a run's metrics the classes are left out whose fields are everybody's words: whoever has a loss budget by
its key has asked the metrics for it first."""
READERS = {"read_rows", "writing_rows"}
"""Without a format they give rows as plain data."""
WRITTEN_OUT = 4


def asked_for(node: ast.AST) -> list[ast.expr]:
    """The keys that an expression asks an object for."""
    if isinstance(node, ast.Subscript):
        return [] if ast.unparse(node.value) == "Literal" else [node.slice]
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
        return [node.left]
    if isinstance(node, ast.MatchMapping):
        return node.keys
    if not isinstance(node, ast.Call):
        return []
    called = ast.unparse(node.func).rpartition(".")[2]
    if called == "getattr" and ast.unparse(node.args[0]) == "arguments":
        return []  # An option of the command line.
    if called in ("attrgetter", "itemgetter") or any(ast.unparse(arg).endswith(("row", "rows")) for arg in node.args):
        return node.args
    return {"get": node.args[:1], "pop": node.args[:1], "setdefault": node.args[:1], "getattr": node.args[1:2]}.get(
        called, []
    )


def texts(node: ast.expr) -> set[str]:
    """The texts in an expression that is one, or a list of some."""
    parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def named_texts(tree: ast.Module) -> dict[str, set[str]]:
    """Variable -> the texts that it stands for: by an assignment, or one after another in a loop."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        pairs = {
            ast.Assign: lambda n: [(target, n.value) for target in n.targets],
            ast.AnnAssign: lambda n: [(n.target, n.value)] if n.value else [],
            ast.For: lambda n: [(n.target, n.iter)],
            ast.comprehension: lambda n: [(n.target, n.iter)],
        }.get(type(node), lambda n: [])(node)
        for target, value in pairs:
            if isinstance(target, ast.Name):
                found.setdefault(target.id, set()).update(texts(value))
    return found


def keys_written(tree: ast.Module, contract: Contract) -> set[str]:
    """The keys of an object that a module writes as strings."""
    named, keys = named_texts(tree), contract.keys
    found: set[str] = set()
    for node in ast.walk(tree):
        for key in asked_for(node):
            found |= named.get(key.id, set()) if isinstance(key, ast.Name) else texts(key)
        if isinstance(node, ast.Dict):
            literal = {text for key in node.keys if key is not None for text in texts(key)} & keys
            found |= literal if contract.mark in literal and len(literal) >= WRITTEN_OUT else set()
    return found & keys


def names_in(tree: ast.Module) -> set[str]:
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    aliases = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    return named | aliases | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def reads_plain_rows(tree: ast.Module) -> bool:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return any(ast.unparse(c.func).rpartition(".")[2] in READERS and len(c.args) + len(c.keywords) == 1 for c in calls)


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_nobody_writes_keys_as_strings(contract):
    written = {module: keys_written(tree, contract) for module, tree in modules().items()}
    assert {module: keys for module, keys in written.items() if keys} == {m: k for m, k in contract.others.items() if k}


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_who_has_such_keys_for_something_else_holds_none_of_the_objects(contract):
    for module in contract.others:
        assert not names_in(modules()[module]) & contract.names, module


def test_rows_as_plain_data_are_for_those_who_have_rows_of_their_own():
    plain = {module for module, tree in modules().items() if reads_plain_rows(tree)}
    assert plain
    assert plain <= CONTRACTS["continual rows"].others.keys()


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        ("acc = row['figures']['acc']", {"figures", "acc"}),
        ("told = json.loads(line).get('told', {})", {"told"}),
        ("x = getattr(row, 'seed')", {"seed"}),
        ("rows.sort(key=itemgetter('variant'))", {"variant"}),
        ("has = 'unanswered' not in figures", {"unanswered"}),
        ("del row['versions']", {"versions"}),
        ("commits, dates = ({r[key] for r in rows} for key in ('commit', 'date'))", {"commit", "date"}),
        ("for name in ['acc', 'la']:\n    print(figures.get(name))", {"acc", "la"}),
        ("KEY = 'config'\ndef f(r):\n    return r[KEY]", {"config"}),
        ("shown = distinct(rows, 'protocol')", {"protocol"}),
        ("row |= {'seed': 0, 'joint': 0, 'info': {}, 'figures': {}}", {"seed", "joint", "info", "figures"}),
        ("match row:\n    case {'bwt': x}: ...", {"bwt"}),
        ("row.to_json()['seed']", {"seed"}),
    ],
)
def test_the_rule_catches_what_breaks_it(source, keys):
    assert keys_written(ast.parse(source), CONTRACTS["continual rows"]) == keys


@pytest.mark.parametrize(
    "source",
    [
        "acc = row.figures.acc",
        "stage: Literal['edges', 'winner']",
        "title = 'figures'\nprint('seed')",
        "steps = row.info['steps']",
        "key_of({'seed': 0, 'learner': '', 'options': {}, 'joint': False})",
        "for option in ('joint', 'seeds'):\n    print(getattr(arguments, option))",
        "replace(row, variant='figures of something')",
    ],
)
def test_the_rule_lets_the_rest_pass(source):
    assert keys_written(ast.parse(source), CONTRACTS["continual rows"]) == set()


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        ("rows = metrics['agreement']", {"agreement"}),
        ("first = metrics.to_json().get('curve', [])[0]['loss']", {"curve", "loss"}),
        ("if 'float32' in metrics: ...", {"float32"}),
        ("heat = sum(getattr(books, 'heat').values())", {"heat"}),
        (
            "content = {'accuracy': 1, 'silent': 0, 'activity': {}, 'agreement': []}",
            {"accuracy", "silent", "activity", "agreement"},
        ),
        ("accuracy = metrics.accuracy['float']", set()),
    ],
)
def test_the_rule_catches_keys_of_metrics(source, keys):
    assert keys_written(ast.parse(source), CONTRACTS["metrics of a run"]) == keys


def test_the_files_of_a_run_are_named_in_one_module():
    names = {"config.yaml", "metrics.json", "record.json"}
    naming = {
        module
        for module, tree in modules().items()
        if names & {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    }
    assert naming == {"dlm_snn.runs.run_folder"}


def test_metrics_of_before_load_and_what_is_written_is_in_one_order():
    assert RunMetrics.from_json({}) == RunMetrics()
    content = {
        "dataset": {"name": "digits", "train": 3, "test": 2, "classes": 2},
        "accuracy": {"float": 0.5},
        "overflow": {"wraps": 0, "saturations": 1},
        "agreement": [{"network": "float", "spikes": {"hidden": [3, 3, 0]}, "equal": True, "values": {}, "later": 1}],
        "activity": {"float": {"spikes": 1.5, "synaptic_operations": 7.0, "rates": {"hidden": 0.25}}},
        "loss_budget": {"bits": 8, "projections": [{"name": "a->b", "odd": 0.5, "floor_loss": None}], "warnings": []},
        "curve": [{"epoch": 1, "loss": 0.5, "train_accuracy": 0.5, "validation_accuracy": None}],
        "float32": {"samples": 2, "spikes": 3, "differ": 0},
        "membranes": {"float": {"hidden": {"injected": 1.0, "leak": 0.5}}},
        "later": {"x": 1},
    }
    made = RunMetrics.from_json(content)
    assert made.curve == (Epoch(1, 0.5, 0.5),)
    assert made.agreement[0].spikes == {"hidden": (3, 3, 0)}
    assert json.dumps(made.to_json()) == json.dumps(content)


def test_titles_of_the_report_are_of_quantities_that_a_loss_budget_has():
    names = {f.name for cls in (ProjectionLoss, PopulationLoss) for f in fields(cls)}
    assert wording._TITLES.keys() - {"populations", "projections"} <= names
    assert set(wording._SHARES) <= names


def test_the_rule_knows_the_keys_and_the_modules():
    keys = CONTRACTS["continual rows"].keys
    assert {
        "normalization",
        "normalisation",
        "protocol",
        "matrix",
        "label_at_test",
        "stored_samples",
        "unanswered",
        "versions",
    } <= keys
    assert EXTRA not in keys
    assert {"dlm_snn.continual.standings", "experiments.tables", "lava_processes.graph"} <= modules().keys()
    assert reads_plain_rows(ast.parse("rows = read_rows(path)"))
    assert not reads_plain_rows(ast.parse("rows = read_rows(path, CONTINUAL_ROW)"))
