"""The tables of the documentation are those of the committed rows."""

import json
import re

import numpy as np
import pytest

from dlm_snn.continual.standings import interval, standings
from dlm_snn.errors import DlmError
from experiments.harness.cells import cells
from experiments.harness.rows import OURS, read_rows
from experiments.recipes import continual_p2
from experiments.tables import PAGES, ROOT, chains, filled, rows_of, table

STAGES = ("rate", "edges", "code", "winner")


@pytest.mark.parametrize(("path", "mark"), [*zip(PAGES, ("continual_p2", "competition"), strict=True)])
def test_the_page_says_what_the_rows_say(path, mark):
    page = path.read_text(encoding="utf-8")
    assert f"<!-- {mark} -->" in page
    assert filled(page, OURS) == page


def test_figures_on_other_pages_are_those_of_the_rows():
    """ACC beside the columns, and what a stage on the host costs, against the line that answers in the same way."""
    page = (ROOT / "docs" / "columns.md").read_text(encoding="utf-8")
    lines = {line.variant: line for line in standings(rows_of("continual_p2", OURS))}
    told = re.findall(r"^\| `([\w-]+)` \| (\d\d\.\d\d ± \d\.\d\d) \|$", page, re.M)
    assert len(told) == 5
    assert [(name, lines[name].figures()["ACC %"]) for name, _ in told] == told

    def points(name: str, less: str) -> str:
        return interval(100 * (lines[name].acc - lines[less].acc), "+.2f")

    for neurons in ("5,000", "2,000"):
        n = neurons.replace(",", "")
        stages = " | ".join(points(f"columns-host-{s}-{n}", f"columns-first-{n}") for s in STAGES)
        assert f"| {neurons} | {stages} |" in page
        assert points(f"columns-float-{n}", f"columns-first-{n}") in page
        assert points(f"columns-{n}", f"columns-kept-{n}").lstrip("+") in page
    assert points("columns-float-5000", "columns-5000") in page


def test_the_conclusion_about_competition_is_that_of_the_rows():
    """Accuracies in 8 bits of the learned form and of the control, and differences seed by seed."""
    page = PAGES[1].read_text(encoding="utf-8").partition("```")[0]
    found: dict[str, dict[int, dict[str, float]]] = {}
    for row in read_rows(OURS / "competition.jsonl"):
        found.setdefault(row["variant"], {})[row["seed"]] = row["figures"]

    def mean(variant: str, key: str) -> float:
        return sum(figures[key] for figures in found[variant].values()) / 3

    def points(variant: str, less: str) -> str:
        pairs = [100 * (found[variant][seed]["integer"] - found[less][seed]["integer"]) for seed in range(3)]
        return interval(np.array(pairs), "+.2f")

    assert f"{100 * mean('lateral-learned', 'integer'):.2f} % in 8 bits" in page
    assert f"{100 * mean('penalty', 'integer'):.2f} % and {mean('penalty', 'integer_active_99'):.0f}." in page
    assert f"({points('lateral-learned', 'exact')} points, three seeds)" in page
    against = points("lateral", "penalty"), points("counting", "penalty"), points("lateral-learned", "penalty")
    assert "({} points for lateral, {} for counting); learned lateral weights are ({})".format(*against) in page
    for variant in ("lateral", "lateral-learned", "counting", "counting-learned", "penalty"):
        assert mean("exact", "integer") - mean(variant, "integer") < 0.005
        assert max(figures["integer_active_99"] for figures in found[variant].values()) <= 39
        assert 18 <= round(mean(variant, "half_active")) <= 20
        assert 31 <= round(mean(variant, "double_active")) <= 34


def test_the_settings_of_competition_are_those_that_were_measured():
    page = PAGES[1].read_text(encoding="utf-8").partition("## How the settings were chosen")[2]
    rows = {row["variant"]: row["figures"] for row in read_rows(OURS / "competition_settings.jsonl")}
    told = {name: f"{100 * of['integer']:.2f}, {of['integer_active_99']:.0f}" for name, of in rows.items()}
    forms = ("lateral", "lateral-learned", "counting", "penalty")
    for name in forms:
        line = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        assert [cell.strip() for cell in line.split("|")[2:4]] == [told.get(f"{name}-{k}", "") for k in (1, 3)]
    assert f"`exact` has no penalty: {told['exact']}." in page
    assert rows["penalty-3"]["integer_active_99"] <= 39 < rows["penalty-1"]["integer_active_99"]


def test_a_table_is_of_the_experiments_own_rows(tmp_path):
    rows = [json.loads(text) for text in (OURS / "continual-P2.jsonl").read_text(encoding="utf-8").splitlines()]
    few = [row for row in rows if row["variant"] == "kept-2000" and row["seed"] < 2]
    other = {**few[0], "config": "0" * 16, "variant": "of another table"}
    (tmp_path / "continual-P2.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*few, other]))
    lines = [line for line in table("continual_p2", tmp_path).splitlines() if line.startswith("| `")]
    assert len(lines) == 1
    mean = sum(row["figures"]["acc"] for row in few) / 2
    assert re.search(rf"\| `kept-2000` \|.*\| 2 \| {100 * mean:.2f} ±", lines[0])


def test_what_columns_do_not_tell_is_a_dash(tmp_path):
    row = json.loads((OURS / "continual-P2.jsonl").read_text(encoding="utf-8").splitlines()[0])
    rows = []
    for variant, ties in (("columns-kept-2000", {"test": 0.2, "test_between_classes": 0.1}), ("columns-2000", None)):
        (cell,) = cells({variant: continual_p2.CELLS[variant]}, [0])
        rows.append({**row, "config": cell.key, "seed": 0, "info": {"spikes": {"rate": 5.0}, "steps": 9, "ties": ties}})
    rows[1]["info"] = {"spikes": {}}
    (tmp_path / "continual-P2.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (line,) = (line for line in chains("continual_p2", tmp_path).splitlines() if line.startswith("| `"))
    assert line == "| `columns-kept-2000` | 9 | 5 | - | - | - | - | - | 20.0 | 10.0 |"


def test_without_rows_it_says_so(tmp_path):
    assert table("continual_p2", tmp_path).endswith("No rows yet.")


@pytest.mark.parametrize("page", ["<!-- continual_p2 -->\n", "<!-- continual_p9 -->\n<!-- end continual_p9 -->\n"])
def test_marks_are_checked(page, tmp_path):
    with pytest.raises(DlmError, match="no experiment of continual learning, or has no <!-- end"):
        filled(page, tmp_path)
