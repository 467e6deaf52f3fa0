"""Every example of the documentation runs as it stands."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.fork_server import run_script

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.S | re.M)


ENVIRONMENT = {
    **os.environ,
    "PATH": sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"],
    "PYTHONPATH": str(ROOT),
}


def in_bash(code: str, folder: Path) -> str:
    """What commands print."""
    done = subprocess.run(
        ["bash", "-e"], input=code, text=True, capture_output=True, cwd=folder, env=ENVIRONMENT, check=False
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def in_python(code: str, folder: Path) -> str:
    """What a script prints, warnings and all."""
    status, text = run_script(code, folder, ENVIRONMENT)
    assert status == 0, f"{code}\n{text}"
    return text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples(page, tmp_path):
    """All Python blocks of a page, one after another in one interpreter."""
    code = "\n".join(blocks(page, "python"))
    if not code:
        pytest.skip("the page has no Python example")
    in_python(code, tmp_path)


SHORT = r"""
dlm-snn() {
    case $1 in
    train) command dlm-snn "$@" --set training.epochs=1 --set 'network.hidden=[24]' --set network.winners=4 ;;
    simulate) command dlm-snn "$@" --samples 5 ;;
    run) command dlm-snn "$@" --set training.epochs=1 --set simulation.samples=5 \
        --set 'network.hidden=[24]' --set network.winners=4 \
        --set 'simulation.float_backends=[reference,lava-float]' \
        --set 'simulation.integer_backends=[reference,lava-fixed]' ;;
    *) command dlm-snn "$@" ;;
    esac
}
"""
"""Before the commands: they train for less, and run fewer samples in fewer simulators."""


@pytest.mark.parametrize(
    "before", [pytest.param(SHORT, id="short trainings"), pytest.param("", id="as they stand", marks=pytest.mark.long)]
)
def test_command_line_examples(tmp_path, before):
    """The commands of the quickstart, then of the page on exchange, one after another in one folder."""
    commands = "\n".join(
        text for name in ("quickstart", "exchange") for text in blocks(ROOT / f"docs/{name}.md", "bash")
    )
    out = in_bash(before + commands, tmp_path)
    assert out.count("equal") >= 4
    assert (tmp_path / "runs" / "first" / "report.html").is_file()
    first, again = ((tmp_path / "runs" / name / "config.yaml").read_text() for name in ("first", "again"))
    assert first.replace("weight_bits: 8", "weight_bits: 4") == again


def test_commands_about_chips(tmp_path):
    page = ROOT / "docs/hardware.md"
    made = in_python(blocks(page, "python")[0], tmp_path)
    assert made.strip() in page.read_text()
    out = in_bash("\n".join(blocks(page, "bash")), tmp_path)
    assert out.startswith(made)
    assert "fits on one Intel Loihi 2: 9 of 128 cores" in out


def test_commands_about_energy(tmp_path):
    page = ROOT / "docs/energy.md"
    in_python(blocks(page, "python")[0], tmp_path)
    out = in_bash("\n".join(blocks(page, "bash")), tmp_path)
    assert out.startswith(blocks(page, "text")[0])
    assert "autoencoder_preloaded" in out


def test_commands_of_continual_learning(tmp_path):
    out = in_bash("\n".join(blocks(ROOT / "docs/continual.md", "bash")), tmp_path)
    assert out.count("report: ") == 4
    assert "XF" in out
    rows = (tmp_path / "results" / "continual-digits.jsonl").read_text().splitlines()
    # Three seeds of the first command are in the second's table; two joint ones in the third's.
    assert len(rows) == 4 + 4 + 2
    assert (tmp_path / "matrix.csv").read_text().startswith("after task,task 0,")


def test_the_table_of_protocols_is_the_one_in_the_code():
    from dlm_snn.tasks.protocols import PROTOCOLS

    page = (ROOT / "docs" / "continual.md").read_text()
    rows: dict[str, str] = {}
    for line in page.splitlines():
        if line.startswith("| `") and line.count("|") == 8:
            rows.update(dict.fromkeys(re.findall(r"`([\w-]+)`", line.split("|")[1]), line))
    assert rows.keys() == PROTOCOLS.keys()
    for name, protocol in PROTOCOLS.items():
        cells = [cell.strip() for cell in rows[name].split("|")[2:-1]]
        assert protocol.name.rpartition("/")[2] in cells[0]
        assert str(protocol.n_tasks) in cells[1]
        assert int(cells[3]) == protocol.passes
        for cell, told in zip(cells[4:], (protocol.boundary, protocol.label_at_test), strict=True):
            assert ("yes" if told else "no") in cell


def test_links_between_pages_lead_somewhere():
    links = [(page, link) for page in PAGES for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text())]
    assert links
    assert [str(link) for page, link in links if not (page.parent / link).exists()] == []


def test_every_name_of_the_port_is_there():
    """Third column and on aside: what stands for a part of the first DLM is a name of ours, or "absent"."""
    rows = re.findall(r"^\| (.+?) \| (.+?) \| .+ \|$", (ROOT / "docs" / "port.md").read_text(), re.M)[2:]
    assert len(rows) > 20
    for there, here in rows:
        if here == "absent":
            continue
        module, _, name = here.strip("`").rpartition(".")
        assert hasattr(importlib.import_module(module), name), (there, here)
