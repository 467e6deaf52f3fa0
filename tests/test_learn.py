"""The verb learn and tables of learners, from the command line to the report."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from dlm_snn import cli
from dlm_snn.continual.row import ContinualRow, RowFigures, Told
from dlm_snn.continual.standings import standings, table
from dlm_snn.learning.learner import Declaration
from experiments.harness.cells import Entry, cells, short_name
from experiments.harness.rows import CONTINUAL_ROW, OURS, read_rows, writing_rows
from experiments.recipes.table import CONTINUAL
from tests.continual_rows import made_row


@pytest.fixture
def there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def learn(*words: str) -> int:
    return cli.main(["learn", "--protocol", "clusters", "--learner", "kept", "--results", "r", *words])


def test_learn_runs_shows_and_writes(there, capsys):
    assert learn("--seeds", "3", "--set", "per_class=5", "--joint", "--csv", "m.csv", "--report", "a") == 0
    out, err = capsys.readouterr()
    for heading in ("ACC %", "F", "LA %", "XF", "pixels", "norm: unit length", "winner: host", "stored samples: 50"):
        assert heading in out
    assert err.splitlines()[0].strip() == "clusters, kept per_class=5, seed 0: minutes not known yet"
    rows = read_rows(there / "r" / "continual-clusters.jsonl", CONTINUAL_ROW)
    assert [(row.seed, row.joint) for row in rows] == [(s, j) for s in range(3) for j in (False, True)]
    matrix = np.genfromtxt(there / "m.csv", delimiter=",", skip_header=1)[:, 1:]
    mean = np.mean([row.figures.r for row in rows if not row.joint], axis=0)
    np.testing.assert_array_equal(matrix, mean)
    page = (there / "runs" / "a" / "report.html").read_text()
    assert "--protocol clusters --learner kept --set per_class=5 --seeds 3 --joint" in page
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", page)
    assert (there / "runs" / "a" / "matrix-kept-per_class=5.csv").read_text() == (there / "m.csv").read_text()
    assert read_rows(there / "runs" / "a" / "rows.jsonl", CONTINUAL_ROW)[0].figures == rows[0].figures


def test_learn_goes_on_where_it_was(there, capsys):
    assert learn("--seeds", "2", "--report", "a") == 0
    before = (there / "r" / "continual-clusters.jsonl").read_bytes()
    capsys.readouterr()
    assert learn("--seeds", "3", "--report", "b") == 0
    assert (there / "r" / "continual-clusters.jsonl").read_bytes().startswith(before)
    assert [line.partition(":")[0].strip() for line in capsys.readouterr().err.splitlines()] == [
        "clusters, kept, seed 2"
    ]


def test_who_must_be_told_the_task_names_a_protocol_that_tells_it(there, capsys):
    assert cli.main(["learn", "--protocol", "clusters", "--learner", "packnet", "--results", "r"]) == 2
    assert "must be told the task of a test sample: choose a protocol such as P6" in capsys.readouterr().err


def test_validation_has_a_file_of_its_own(there, capsys):
    assert learn("--validation", "--report", "a") == 0
    assert [path.name for path in (there / "r").iterdir()] == ["continual-clusters-validation.jsonl"]
    assert "held-out training data" in capsys.readouterr().out
    assert "(validation)" in (there / "runs" / "a" / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--set", "per_clas=3"], "learner 'kept' has no option 'per_clas'; did you mean 'per_class'?"),
        (["--set", "per_class=many"], "learner 'kept': per_class = \"many\": should be a valid integer"),
        (["--set", "per_class=0"], "clusters, kept per_class=0, seed 0: per_class = 0: at least one"),
        (["--set", "per_class"], "--set per_class: write KEY=VALUE"),
        (["--protocol", "P9"], "no protocol 'P9'; known:"),
        (["--learner", "kpet"], "no learner 'kpet'; did you mean 'kept'?"),
        (["--seeds", "0"], "seeds []: at least one"),
        (["--jobs", "0"], "--jobs 0: at least 1"),
        (["--protocol", "P2", "--data-dir", "nowhere"], "P2, kept, seed 0: "),
        (["--scheduler", "nonsense://x"], "no scheduler answers at nonsense://x"),
    ],
)
def test_bad_input_is_one_line_and_two(there, capsys, words, line):
    if "--scheduler" in words:
        pytest.importorskip("distributed", reason="dask.distributed is not installed")
    assert learn(*words) == 2
    err = [text for text in capsys.readouterr().err.splitlines() if text.startswith("dlm-snn: ")]
    assert len(err) == 1
    assert err[0].startswith(f"dlm-snn: {line}")


def test_a_file_that_another_writes_is_refused(there, capsys):
    with writing_rows(there / "r" / "continual-clusters.jsonl"):
        assert learn() == 2
    assert "another run is writing r/continual-clusters.jsonl" in capsys.readouterr().err


def test_a_report_that_is_there_is_seen_before_the_work(there, capsys):
    (there / "runs" / "a").mkdir(parents=True)
    assert learn("--report", "a") == 2
    assert "runs/a exists; choose another name, or give --replace" in capsys.readouterr().err
    assert not (there / "r").exists()
    assert learn("--report", "b", "--csv", "m.csv") == 0
    assert learn("--report", "b", "--csv", "m.csv", "--replace") == 0


def test_what_is_no_report_is_not_replaced(there, capsys):
    (there / "runs" / "a").mkdir(parents=True)
    (there / "runs" / "a" / "thesis.txt").write_text("")
    for name, line in (("a", "runs/a is not replaced: "), (".", "--report '.' is not the name of a folder")):
        assert learn("--report", name, "--replace") == 2
        assert line in capsys.readouterr().err
    assert (there / "runs" / "a" / "thesis.txt").exists()
    assert not (there / "r").exists()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--csv", "nowhere/m.csv"], "cannot write nowhere/m.csv (No such file or directory); choose a folder"),
        (["--csv", "."], "cannot write ., which is a folder; choose another name"),
        (["--runs", "file"], "cannot write file/clusters-kept: "),
    ],
)
def test_places_that_cannot_be_written_are_seen_before_the_work(there, capsys, words, line):
    (there / "file").write_text("")
    assert learn(*words, "--report", "clusters-kept") == 2
    assert line in capsys.readouterr().err
    assert not (there / "r").exists()


def test_a_matrix_may_lie_in_a_folder_that_the_run_makes(there):
    assert learn("--report", "a", "--csv", "runs/a/m.csv") == 0
    assert (there / "runs" / "a" / "m.csv").is_file()


def test_a_table_compares_its_lines_with_the_first(there, capsys, monkeypatch):
    lines = {"few": Entry("clusters", "kept", {"per_class": 2}), "many": Entry("clusters", "kept", {"per_class": 90})}
    monkeypatch.setitem(CONTINUAL, "toy", SimpleNamespace(CELLS=lines, SEEDS=range(6)))
    assert cli.main(["experiment", "toy", "--results", "r", "--report", "a"]) == 0
    heading, (few, many) = table(standings(read_rows(there / "runs" / "a" / "rows.jsonl", CONTINUAL_ROW)))
    assert heading == ["learner", "how", "seeds", "ACC %", "F", "LA %", "ACC against few"]
    assert few[-1] == "-"
    assert many[2] == "6"
    assert re.fullmatch(r"\+\d+\.\d\d ± \d+\.\d\d \(p = 0\.031\)", many[-1])
    capsys.readouterr()
    assert cli.main(["experiment", "toy", "--variant", "mny", "--results", "r"]) == 2
    assert capsys.readouterr().err == "dlm-snn: toy has no variant 'mny'; did you mean 'many'?\n"
    assert cli.main(["experiment", "toy", "--variant", "many", "--seeds", "2", "--results", "r"]) == 0


def test_failures_come_after_what_there_is(there, capsys, monkeypatch):
    lines = {"good": Entry("clusters", "kept"), "bad": Entry("clusters", "kept", {"per_class": -1})}
    monkeypatch.setitem(CONTINUAL, "toy", SimpleNamespace(CELLS=lines, SEEDS=range(2)))
    assert cli.main(["experiment", "toy", "--results", "r"]) == 2
    out, err = capsys.readouterr()
    assert "good" in out
    assert err.splitlines()[-1].startswith("dlm-snn: clusters, bad, seed 0: per_class = -1: at least one")


def test_other_experiments_refuse_options_of_continual_learning(there, capsys):
    assert cli.main(["experiment", "digits", "--jobs", "2"]) == 2
    assert capsys.readouterr().err.startswith("dlm-snn: --jobs goes with experiments of continual learning (")
    assert cli.main(["experiment", "digist"]) == 2
    assert capsys.readouterr().err == "dlm-snn: no experiment 'digist'; did you mean 'digits'?\n"


@pytest.mark.parametrize("name", CONTINUAL)
def test_every_table_can_be_run(name):
    """Its protocols, learners and options are known, and no two lines are one."""
    module = CONTINUAL[name]
    made = cells(module.CELLS, module.SEEDS)
    assert len({cell.key for cell in made}) == len(made)
    assert len(list(module.SEEDS)) >= 10
    assert {short_name(entry.protocol) for entry in module.CELLS.values()} == {cell.protocol for cell in made}


def row(variant: str, seed: int, matrix, joint: bool = False, options=None, **declared) -> ContinualRow:
    return made_row(
        variant=variant,
        seed=seed,
        joint=joint,
        options=options or {},
        figures=RowFigures.of(matrix, 0.0, {}),
        declaration=Declaration(**{"stored_samples": 1000, **declared}),
    )


def test_standings_by_hand():
    rows = [row("a", s, [[0.9, None], [0.5, 0.7 + s / 100]]) for s in (0, 1)]
    rows += [row("a", 1, [[0.9, None], [0.8, 0.7]], joint=True)]
    rows += [row("b", s, [[0.9, None], [0.6, 0.7 + s / 100]], winner="spikes") for s in (1, 0, 2)]
    rows += [row("top", 0, [[None, None], [0.9, 0.9]])]
    a, b, top = standings(rows)
    assert a.figures()["ACC %"] == "60.25 ± 3.18"
    assert a.figures()["F"] == "0.4000 ± 0.0000"
    # Only seed 1 has a joint row: .4 - .1.
    assert a.figures()["XF"] == "+0.3000 ± -"
    assert b.difference() == "+5.00 ± 0.00"
    assert b.against.n == 2
    assert b.how == "pixels; norm: none; winner: spikes"
    assert top.figures() == {"seeds": "1", "ACC %": "90.00 ± -", "F": "-", "LA %": "-"}
    heading, lines = table([a, b, top])
    assert all(len(line) == len(heading) for line in lines)
    assert lines[1][heading.index("XF")] == "-"


def test_rows_of_two_configurations_under_one_name_are_two_lines():
    def made(seed: int, acc: float, joint: bool = False, **options) -> ContinualRow:
        return row("a", seed, [[acc]], joint, options)

    rows = [made(s, 0.5, per_class=2) for s in (0, 1)] + [made(s, 0.9, per_class=9) for s in (0, 1)]
    rows += [made(0, 0.7), made(0, 0.8, joint=True)]
    few, many, default = standings(rows)
    assert [line.variant for line in (few, many, default)] == ["a (per_class=2)", "a (per_class=9)", "a (defaults)"]
    assert few.figures()["ACC %"] == "50.00 ± 0.00"
    assert many.difference() == "+40.00 ± 0.00"
    assert ([len(line.joint) for line in (few, many, default)]) == [0, 0, 1]


def test_committed_rows_are_never_averaged_over_two_configurations():
    """Names were given anew when the columns' answer changed; their rows are all there."""
    lines = standings(read_rows(OURS / "continual-P2.jsonl", CONTINUAL_ROW))
    assert len({line.variant for line in lines}) == len(lines)
    assert all(len({row.seed for row in line.rows}) == len(line.rows) for line in lines)
    by_name = {line.variant: line.figures()["ACC %"] for line in lines}
    assert by_name['columns-5000 (form="evidence")'] == "98.63 ± 0.05"
    assert by_name['columns-5000 (form="ramp")'] == "98.31 ± 0.07"


def test_what_was_told_beyond_the_protocol_is_shown():
    told = replace(row("a", 0, [[0.5]]), told=Told(True, False), beyond_protocol=("boundary",))
    (line,) = standings([told])
    assert line.declared()["boundary"] == "told, beyond the protocol"
    assert line.declared()["stored samples"] == "1,000"


def test_the_page_is_a_function_of_the_rows(there):
    assert learn("--seeds", "2", "--report", "a") == 0
    assert learn("--seeds", "2", "--report", "b") == 0
    first, second = ((there / "runs" / name / "report.html").read_text() for name in "ab")
    assert first == second
    assert 'aria-label="Accuracy matrix of kept: ACC % ' in first
    assert first.count("<svg") == 2
    assert json.loads((there / "r" / "continual-clusters.jsonl").read_text().splitlines()[0])["seed"] == 0
