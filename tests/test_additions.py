"""A part of another package, one file and one line: in the conformance cases, at the command line, in a report."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from torch import nn

import dlm_snn as dlm
from dlm_snn import UnsupportedError, cli, plugins
from experiments.harness.rows import read_rows

HERE = Path(__file__).parent
LINES = {
    "adaptive": "[dlm_snn.neurons]\nadaptive = adaptive:MODEL",
    "patient": "[dlm_snn.backends]\npatient = patient",
    "rings": "[dlm_snn.datasets]\nrings = rings:rings",
    "means": "[dlm_snn.learners]\nmeans = means:Means",
    "pairs": "[dlm_snn.formats]\npairs = pairs:PAIRS",
    "halves": "[dlm_snn.torch_neurons]\nhalves = halves:TABLE",
}
"""Package -> its entry point."""


def install(folder: Path, name: str, line: str) -> None:
    """What an installed package is: its file, and what says its entry points."""
    shutil.copy(HERE / "additions" / f"{name}.py", folder)
    about = folder / f"{name}-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"{line}\n")


def forget() -> None:
    """What is installed is looked up once a process."""
    plugins.names.cache_clear()
    plugins._installed.cache_clear()


@pytest.fixture
def added(tmp_path, monkeypatch):
    """Installs packages for this process and its children; the current folder is an empty one."""
    packages, work = tmp_path / "packages", tmp_path / "work"
    packages.mkdir()
    work.mkdir()
    monkeypatch.chdir(work)

    def add(**lines: str) -> Path:
        for name, line in lines.items():
            install(packages, name, line)
        monkeypatch.syspath_prepend(packages)
        forget()
        return work

    yield add
    for name in LINES:
        sys.modules.pop(name, None)
    forget()


def typed(capsys, *words: object, code: int = 0) -> str:
    assert cli.main([str(word) for word in words]) == code, capsys.readouterr()
    out, err = capsys.readouterr()
    return out + err


CASES = {
    "adaptive": ("test_conformance", "model_Adaptive and not lava and not brian2"),
    "patient": ("test_conformance", "patient and agrees and (plain or int_kwta)"),
    "rings": ("test_parts", "rings"),
    "means": ("test_learner_contract", "means and every_learner"),
    "pairs": ("test_parts", "pairs"),
}
"""Package -> the file of conformance cases, and those that name it."""


def test_all_five_are_in_the_conformance_cases_and_pass(tmp_path):
    for name in CASES:
        install(tmp_path, name, LINES[name])
    files = sorted({str(HERE / f"{file}.py") for file, _ in CASES.values()})
    chosen = " or ".join(f"({words})" for _, words in CASES.values())
    words = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "no:xdist", *files, "-k", chosen]
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    found = subprocess.run(
        words, cwd=HERE.parent, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout[-4000:]
    for file, words_of in CASES.values():
        name = re.split(r" and |$", words_of)[0]
        assert re.search(rf"{file}\.py::\S*{name}\S* PASSED", found.stdout), (file, name)


def test_a_torch_neuron_of_another_package_comes_in(added):
    added(halves=LINES["halves"])
    import halves

    module, sample = halves.net()
    imported = dlm.from_torch(module, sample)
    assert [layer.spikes > 0 for layer in imported.proof.layers] == [True]
    (projection,) = imported.network.projections
    np.testing.assert_array_equal(projection.connection.weight, module.fc.weight.detach().numpy() / 2)
    with pytest.raises(UnsupportedError, match=r"Halving\(Halving\)|no neuron of a known library"):
        dlm.from_torch(type("Other", (nn.Module,), {"forward": lambda self, x: x})(), sample)


def test_a_neuron_is_computed_stored_and_refused_by_name_where_it_is_unknown(added, capsys):
    work = added(adaptive=LINES["adaptive"])
    from adaptive import Adaptive

    rng = np.random.default_rng(0)
    network = dlm.Network(
        {"pixels": dlm.Input((64,), graded_bits=5, scale=16), "output": Adaptive((10,), jump=0.25)},
        [dlm.Projection("pixels", "output", dlm.Dense(rng.normal(0, 0.2, (10, 64))))],
    )
    dlm.save(network, work / "net")
    assert dlm.load("net").digest() == network.digest()
    assert "output: " in typed(capsys, "simulate", "net", "--samples", 4)
    assert "equal" in typed(capsys, "compare", "reference", "reference")
    for backend in ("fast", "torch", "snntorch"):
        with pytest.raises(UnsupportedError, match=f"{backend} cannot do population 'output' of type Adaptive; it kno"):
            dlm.run(network, {"pixels": np.zeros((1, 64), int)}, 2, backend=backend)
    told = typed(capsys, "export", "net", "--to", "nir", code=2)
    assert "NIR cannot do population 'output' of type Adaptive" in told


def test_a_neuron_that_is_not_installed_is_named(added, capsys):
    work = added(adaptive=LINES["adaptive"])
    from adaptive import Adaptive

    dlm.save(dlm.Network({"x": dlm.Input((2,)), "cells": Adaptive((2,))}), work / "net")
    shutil.rmtree(work.parent / "packages" / "adaptive-1.dist-info")
    forget()
    told = typed(capsys, "simulate", "net", code=2)
    assert "a network file names the type 'Adaptive'; known: " in told
    with pytest.raises(dlm.DlmError, match="population 'cells' is a Adaptive, not an Input or LIF"):
        dlm.Network({"cells": Adaptive((2,))})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("MODEL._replace(known_to=frozenset({'fast'}))", "known to 'fast', which computes models of ours"),
        ("rest", "is a function; give a Model"),
    ],
)
def test_a_line_that_is_no_model_is_refused(added, line, message):
    work = added(adaptive="[dlm_snn.neurons]\nadaptive = adaptive:OTHER")
    module = work.parent / "packages" / "adaptive.py"
    module.write_text(f"{module.read_text()}\nOTHER = {line}\n")
    import adaptive

    with pytest.raises(dlm.DlmError, match=message):
        dlm.Network({"cells": adaptive.Adaptive((2,))})


def test_a_simulator_runs_from_the_command_line_and_is_compared_in_a_report(added, capsys):
    added(patient=LINES["patient"])
    few = ["training.epochs=1", "simulation.n_steps=5", "simulation.samples=10", "quantization.samples=10"]
    few += ["network.hidden=[8]", "network.winners=2"]
    few += [f"simulation.{kind}_backends=[reference,patient]" for kind in ("float", "integer")]
    typed(capsys, "run", "--name", "one", *(word for text in few for word in ("--set", text)))
    assert "patient" in Path("runs/one/report.html").read_text()
    typed(capsys, "simulate", "runs/one/network", "--backend", "patient", "--samples", 2)
    assert "equal" in typed(capsys, "compare", "patient", "patient")


def test_a_dataset_is_split_without_a_line_more_and_learned_in_two_processes(added, capsys):
    added(rings=LINES["rings"], means=LINES["means"])
    words = ["learn", "--protocol", "split/rings", "--learner", "means", "--results", "r", "--report", "a"]
    typed(capsys, *words, "--seeds", 2, "--jobs", 2)
    rows = read_rows(Path("r/continual-split-rings.jsonl"))
    made = sorted((row["protocol"], row["learner"], row["seed"]) for row in rows)
    assert made == [("split/rings", "means", seed) for seed in (0, 1)]
    assert all(np.shape(row["figures"]["matrix"]) == (3, 3) and row["figures"]["acc"] > 0.9 for row in rows)
    page = Path("runs/a/report.html").read_text()
    assert "means of pixels" in page
    assert "--protocol split/rings --learner means" in page


def test_a_protocol_has_a_line_of_its_own(added, capsys):
    added(rings=f"{LINES['rings']}\n[dlm_snn.protocols]\nthrees = rings:THREES")
    typed(capsys, "learn", "--protocol", "threes", "--learner", "ridge", "--results", "r", "--report", "a")
    (row,) = read_rows(Path("r/continual-threes.jsonl"))
    assert row["protocol"] == "rings/class/2x3"
    assert np.shape(row["figures"]["matrix"]) == (2, 2)


def test_a_raster_format_is_read_written_and_helped(added, capsys):
    added(pairs=LINES["pairs"])
    raster = dlm.SpikeRaster.from_dense(np.random.default_rng(0).random((2, 6, 4)) < 0.3)
    raster.save(Path("a.npz"))
    typed(capsys, "raster", "convert", "a.npz", "b.pairs")
    assert f"a: 2 samples x 6 steps of 0.001 s x 4 neurons\n  {len(raster)} spikes" in typed(
        capsys, "raster", "info", "b.pairs"
    )
    typed(capsys, "export", "a.npz", "--to", "pairs", "--out", "c.pairs")
    assert "equal" in typed(capsys, "compare", "a.npz", "c.pairs")
    typed(capsys, "import", "c.pairs", "--dt", 0.5, "--out", "mine")
    assert dlm.SpikeRaster.load(Path("mine/a.npz")).dt == 0.5
    assert "c.pairs exists" in typed(capsys, "raster", "convert", "a.npz", "c.pairs", code=2)
    Path("d.pairs").write_text("pairs\nx 1 2\n")
    assert "d.pairs is damaged (not enough values" in typed(capsys, "raster", "info", "d.pairs", code=2)
    told = typed(capsys, "raster", "info", "b.pairs", "--start", 1, code=2)
    assert "--start is for .nwb, .csv, .bs2, " in told
    assert "spikeinterface's .npz, not for .pairs; leave it out" in told
    Path("a.txt").write_text("")
    assert ".nwb, .pairs, .raster" in typed(capsys, "raster", "info", "a.txt", code=2)


def test_a_format_that_cannot_be_had_takes_no_other_along(added, capsys):
    work = added(pairs=LINES["pairs"])
    module = work.parent / "packages" / "pairs.py"
    module.write_text(module.read_text().replace("from pathlib", "import a_package_that_is_not_there\nfrom pathlib", 1))
    Path("b.pairs").write_text("pairs\n")
    dlm.SpikeRaster.from_dense(np.ones((1, 2, 3), bool)).save(Path("a.npz"))
    typed(capsys, "raster", "convert", "a.npz", "a.csv")
    told = typed(capsys, "raster", "info", "b.pairs", code=2)
    assert "format 'pairs' needs the package 'a_package_that_is_not_there'" in told


def test_a_learner_may_be_a_file(added, capsys):
    work = added()
    place = work.parent / "means.py"
    shutil.copy(HERE / "additions" / "means.py", place)
    words = ["learn", "--protocol", "clusters", "--learner", f"{place}:Means", "--results", "r"]
    typed(capsys, *words, "--seeds", 2, "--jobs", 2, "--report", "a")
    typed(capsys, *words, "--report", "b")
    file = Path("r/continual-clusters.jsonl")
    rows = read_rows(file)
    assert [(row["learner"], row["variant"]) for row in rows] == [("means.py:Means", "means.py:Means")] * 2
    assert "--learner means.py:Means" in Path("runs/a/report.html").read_text()
    assert str(work.parent) not in file.read_text()
    # Another content is another row; another place is not.
    elsewhere = work / "means.py"
    shutil.copy(place, elsewhere)
    words[4] = f"{elsewhere}:Means"
    typed(capsys, *words, "--report", "c")
    assert len(read_rows(file)) == 2
    elsewhere.write_text(place.read_text().replace("prior: float = 0.0", "prior: float = 1.0"))
    typed(capsys, *words, "--report", "d")
    rows = read_rows(file)
    assert len(rows) == 3
    assert len({row["versions"]["means.py"] for row in rows}) == 2


@pytest.mark.parametrize(
    ("learner", "code", "message"),
    [
        ("none.py:Means", None, "no file none.py; give FILE.py:NAME"),
        ("mine.py:Menas", "class Means: pass", r"mine.py has no class or function 'Menas'; did you mean 'Means'\?"),
        ("mine.py:Means", "\nx = 1 / 0", "mine.py cannot be imported, line 2: ZeroDivisionError: division by zero"),
        ("mine.py:Means", "def :", "mine.py cannot be imported, line 1: SyntaxError"),
        ("mine.py:Means", "import not_there", "mine.py needs the package 'not_there', which is not installed"),
        ("mine.py:Means", "import means_helper", "needs 'means_helper', which lies beside it; put it into mine.py"),
        ("mine.py:Means", "def Means(setting, rng): exit(0)", r"mine.py, line 1: sys.exit\(0\) ends the program; take"),
        (
            "mine.py:Means",
            "class Means:\n  def __init__(self, setting, rng): pass",
            "'mine.py:Means' makes a Means, which",
        ),
    ],
)
def test_what_is_wrong_with_a_learners_file_is_one_line(added, capsys, learner, code, message):
    added()
    if code is not None:
        Path("mine.py").write_text(code)
    Path("means_helper.py").touch()
    told = typed(capsys, "learn", "--protocol", "clusters", "--learner", learner, "--results", "r", code=2)
    assert re.search(message, told.strip().splitlines()[-1])
