"""Deployment bundles: their own script reproduces the expected spikes; what cannot be deployed is refused in a line."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import threading
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import dlm_snn as dlm
from benchmarks.bundles import ALONE
from dlm_snn.cli import main
from dlm_snn.provenance import Provenance
from dlm_snn.runs.run_folder import write_run
from dlm_snn.runs.run_metrics import RunMetrics
from dlm_snn.tasks.parts import DataConfig, split
from hardware.loihi2 import contents, rasters, running, script
from hardware.loihi2.bundle import PARTS, write_bundle
from hardware.loihi2.prepared import prepared
from tests.test_docs import ROOT, blocks, in_bash

STEPS = 16


def network(loop: int = 0, **changed: Any) -> dlm.IntegerNetwork:
    """Graded pixels, an image with odd kernels, and a hidden layer with a synaptic current; with a loop that keeps
    itself awake, or without."""
    rng = np.random.default_rng(0)

    def weights(post: int, pre: int) -> dlm.Dense:
        return dlm.Dense(2 * rng.integers(-60, 80, (post, pre)))

    kernels = dlm.Conv2d(rng.integers(-90, 99, (4, 2, 2, 3)), (2, 3, 5))
    ring = dlm.Sparse((6, 6), np.arange(6), np.roll(np.arange(6), 1), np.full(6, loop))
    return dlm.IntegerNetwork(
        {
            "pixels": dlm.Input((20,), graded_bits=4, scale=15),
            "image": dlm.Input((2, 3, 5)),
            "hidden": dlm.IntegerLIF((24,), **{"du": 2000, "dv": 410, "v_threshold": 1200} | changed),
            "output": dlm.IntegerLIF((6,), dv=300, v_threshold=200 if loop else 800, bias_mant=np.arange(6)),
        },
        (
            dlm.IntegerProjection("pixels", "hidden", weights(24, 20), weight_exp=-4),
            dlm.IntegerProjection("image", "hidden", kernels),
            dlm.IntegerProjection("hidden", "output", weights(6, 24)),
            *(dlm.IntegerProjection("output", "output", ring, delay=2) for _ in range(bool(loop))),
        ),
    )


def images(samples: int = 6) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {
        "pixels": rng.integers(0, 16, (samples, 20)),
        "image": (rng.random((samples, STEPS, 30)) < 0.1).astype(np.uint8),
    }


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deployed") / "bundle"
    write_bundle(prepared(network(), images(), STEPS), folder)
    return folder


@pytest.mark.parametrize(
    ("loop", "words"),
    [(0, []), (254, []), (254, ["--stock-delays"])],
    ids=["windows that touch", "a loop that is silenced", "by Lava's own delays"],
)
def test_a_bundle_reproduces_its_spikes_with_nothing_of_ours(loop: int, words: list[str], tmp_path: Path) -> None:
    pytest.importorskip("lava")
    ready = prepared(network(loop, v_threshold=700), images(), STEPS)
    assert (ready.windows.period == STEPS) == (not loop)
    assert bool(ready.windows.events) == bool(loop)
    write_bundle(ready, tmp_path / "bundle")
    words = [sys.executable, "-c", ALONE, str(tmp_path / "bundle/run.py"), "--out", str(tmp_path / "got.npz"), *words]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    expected = dlm.run(network(loop, v_threshold=700), images(), STEPS)
    spikes = sum(len(raster) for raster in expected.rasters.values())
    assert (done.returncode, done.stdout[: len(f"0 of {spikes} spikes")]) == (0, f"0 of {spikes} spikes"), done.stderr
    got = rasters.read(tmp_path / "got.npz")
    for name, raster in expected.rasters.items():
        assert np.array_equal(dlm.SpikeRaster(*got[name][:3], *got[name].extent).dense(), raster.dense())
        assert 0 < raster.rate < 0.9


def held(bundle: Path, shift: int) -> Callable[..., dict[str, np.ndarray]]:
    """What a run would write if every spike came late, and one of hidden's not at all."""

    def rows(told: dict[str, Any], aside: Path, names: list[str], asked: Namespace) -> dict[str, np.ndarray]:
        found = {}
        for name, raster in rasters.read(bundle / contents.EXPECTED).items():
            begin = told["populations"][name]["depth"] + shift
            found[name] = np.zeros((told["period"] * (told["n_windows"] + 1), raster.extent[2]), np.uint8)
            found[name][raster.sample.astype(int) * told["period"] + raster.step + begin, raster.neuron] = 1
        return found

    return rows


def test_the_first_difference_is_told(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = held(bundle, 0)

    def one_less(told: dict[str, Any], *rest: Any) -> dict[str, np.ndarray]:
        found = made(told, *rest)
        found["output"][2 * told["period"] + 7 + told["populations"]["output"]["depth"], 3] ^= 1
        return found

    monkeypatch.setattr(script, "_rows", made)
    words = ["--out", str(tmp_path / "got.npz")]
    assert script.run(bundle, words) == 0
    monkeypatch.setattr(script, "_rows", one_less)
    capsys.readouterr()
    assert script.run(bundle, words) == 1
    first, verdict = capsys.readouterr().out.splitlines()
    expected = rasters.read(bundle / contents.EXPECTED)["output"]
    there = (2, 7, 3) in set(zip(*map(np.ndarray.tolist, expected[:3]), strict=True))
    has = "expected a spike, got none" if there else "got a spike, expected none"
    assert first == f"first difference: sample 2, step 7, population output, neuron 3: {has}"
    assert verdict.startswith("1 of ")
    assert script.run(bundle, [*words, "--windows", "2"]) == 0
    assert script.run(bundle, [*words, "--record", "hidden"]) == 0


def test_the_earliest_difference_counts_and_before_others_that_of_who_computes_first() -> None:
    def one(sample: int, step: int, neuron: int) -> rasters.Raster:
        return rasters.Raster(np.array([sample]), np.array([step]), np.array([neuron]), (3, 4, 5))

    none = rasters.Raster(*np.zeros((3, 0), int), (3, 4, 5))
    found = rasters.difference({"a": one(1, 2, 4), "b": one(1, 2, 0)}, {"a": none, "b": none}, ["a", "b"])
    assert found == rasters.Difference(2, 2, (1, 2, "a", 4), True)
    found = rasters.difference({"a": one(1, 2, 4), "b": none}, {"a": none, "b": one(0, 3, 1)}, ["a", "b"])
    assert found == rasters.Difference(2, 1, (0, 3, "b", 1), False)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda f: (f / "network.npz").write_bytes(b"x"), "network.npz was changed since it was written"),
        (lambda f: (f / "parts/graph.py").unlink(), "lacks parts/graph.py"),
        (lambda f: edited(f, version=2), "is a bundle of version 2, this is for 1; ask who made it"),
        (lambda f: edited(f, format="other"), "is not the record of a bundle"),
        (lambda f: (f / "bundle.json").write_text("{"), "is no complete bundle"),
        (lambda f: None, "--record 'input' is none of hidden, output"),
    ],
)
def test_a_damaged_bundle_is_a_line(
    bundle: Path, tmp_path: Path, change: Any, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy"
    subprocess.run(["cp", "-r", bundle, folder], check=True)
    change(folder)
    assert script.run(folder, ["--record", "input"]) == 2
    told = capsys.readouterr().err
    assert line in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("words", [[], ["--target", "loihi2"]])
def test_a_run_that_fails_ends_with_2_since_1_is_for_spikes_that_differ(
    bundle: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*given: Any) -> None:
        raise RuntimeError("no such channel")

    monkeypatch.setattr(script, "_claimed", broken)
    monkeypatch.setattr(script, "_rows", broken)
    assert script.run(bundle, words) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[-1] == "error: the run failed (RuntimeError: no such channel); nothing was compared"
    assert script.run(bundle, ["--out", "nowhere/got.npz"]) == 2
    assert "cannot write nowhere/got.npz" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "raised", "line"),
    [
        (-9, None, "(a process of Lava ended with code -9)"),
        (1, (ValueError("delays\nof 186"), None), "(ValueError: delays of 186)"),
    ],
)
def test_a_process_of_lava_that_ends_ends_the_run(
    code: int,
    raised: Any,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Lava itself would wait for it for good."""
    over, ended = threading.Event(), list[object]()
    actors = [
        SimpleNamespace(exitcode=c, exception=e, kill=lambda: ended.append("killed"))
        for c, e in ((None, None), (code, raised))
    ]
    memory = SimpleNamespace(shutdown=lambda: ended.append("memory"))
    infrastructure = SimpleNamespace(actors=[*actors, object()], _smm=memory)
    process = SimpleNamespace(runtime=SimpleNamespace(_messaging_infrastructure=infrastructure))

    def leave(code: int) -> None:
        ended.append(code)
        over.set()

    monkeypatch.setattr(running, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(running.os, "_exit", leave)
    (tmp_path / "aside").mkdir()
    running.watch(process, tmp_path / "aside", over, 600)
    assert ended == ["killed"] * 2 + ["memory", 2]
    assert not (tmp_path / "aside").exists()
    assert line in capsys.readouterr().err


def edited(folder: Path, **changed: Any) -> None:
    path = folder / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def test_the_script_is_of_python_3_8(bundle: Path) -> None:
    """Machines that have a board have it; what lets lava-nc be imported on newer ones is imported there alone."""
    sources = [bundle / "run.py", *(bundle / "parts" / f"{name}.py" for name in PARTS)]
    for path in sources:
        ast.parse(path.read_text(), feature_version=(3, 8))


@pytest.fixture
def stored(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    dlm.save(network(), "small")
    dlm.save(network(winners=3), "winners")
    dlm.save(dlm.Network({"h": dlm.LIF((2,), dv=0.5)}), "floats")
    np.savez("images.npz", **images(3))
    np.savez("wide.npz", **{**images(3), "pixels": np.zeros((3, 21), int)})
    return Path(tmp_path)


@pytest.mark.usefixtures("stored")
def test_a_dry_run_writes_the_bundle_and_replaces_only_one(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["deploy", "small.json", "--dry-run", "--stimulus", "images.npz", "--steps", "16"]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("small-loihi2: 3 windows of 16 steps, one every ")
    assert contents.read(Path("small-loihi2"))["network"] == network().digest()
    assert main(words) == 2
    Path("small-loihi2/got-cpu.npz").write_bytes(b"")
    assert main([*words, "--replace", "--samples", "2"]) == 0
    assert contents.read(Path("small-loihi2"))["n_windows"] == 2
    Path("small-loihi2/mine.txt").write_text("")
    assert main([*words, "--replace"]) == 2
    assert "mine.txt" in capsys.readouterr().err


def made_run(folder: Path, settings: str, steps: int = 7) -> None:
    """A run of digits, whose network was never trained."""
    rng = np.random.default_rng(0)
    weights = [dlm.Dense(rng.normal(0, 0.2, shape)) for shape in ((16, 64), (10, 16))]
    floats = dlm.Network(
        {
            "pixels": dlm.Input((64,), graded_bits=5, scale=16),
            "hidden": dlm.LIF((16,), dv=0.1),
            "output": dlm.LIF((10,), dv=0.1),
        },
        [dlm.Projection("pixels", "hidden", weights[0]), dlm.Projection("hidden", "output", weights[1])],
    )
    integer, _ = dlm.quantize(floats, 8)
    recording = dlm.run(integer, {"pixels": np.ones((1, 64), int)}, steps, record=("s", "v"))
    folder.mkdir()
    kept = {"reference-integer": (recording, recording)}
    write_run(folder, settings, {"integer": integer}, kept, RunMetrics(), Provenance("a test", seed=0))


def test_a_run_brings_its_own_steps_and_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    made_run(Path("run"), "data:\n  dataset: digits\n  split_seed: 3\nsimulation:\n  n_steps: 7\n")
    assert main(["deploy", "run", "--dry-run", "--samples", "5", "--out", "bundle"]) == 0
    held = contents.read(Path("bundle"))
    assert (held["n_windows"], held["n_steps"], held["period"]) == (5, 7, 8)
    assert np.array_equal(held["inputs"]["pixels"]["values"][:, 0], split(DataConfig(split_seed=3)).x_test[:5])
    assert main(["deploy", "run", "--dry-run", "--samples", "5", "--split-seed", "1", "--steps", "3"]) == 0
    held = contents.read(Path("run-loihi2"))
    assert (held["n_steps"], held["period"]) == (3, 4)
    assert np.array_equal(held["inputs"]["pixels"]["values"][:, 0], split(DataConfig(split_seed=1)).x_test[:5])
    for number, settings in enumerate(("simulation: 3\n", "simulation:\n  n_steps: many\n", "data: digits\n", "[\n")):
        made_run(Path(f"run-{number}"), settings)
        capsys.readouterr()
        assert main(["deploy", f"run-{number}", "--dry-run", "--out", "other"]) == 2
        told = capsys.readouterr().err
        assert "config.yaml" in told
        assert len(told.splitlines()) == 1
    assert not Path("other").exists()


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["nothing.json"], "nothing.json"),
        (["floats.json"], "floats.json holds floats, and a chip takes integers; 'dlm-snn convert' makes them"),
        (["winners.json"], "not for a Loihi 2: 'hidden' has a competition (3 of 24 may spike)"),
        (["small.json", "--target", "loihi3"], "no target 'loihi3'; did you mean 'loihi2'?"),
        (["small.json", "--stimulus", "none.npz"], "no file none.npz"),
        (["small.json", "--stimulus", "wide.npz"], "stimulus 'pixels' has shape (3, 21)"),
        (["small.json", "--stimulus", "images.npz", "--dataset", "digits"], "beside --dataset; give one"),
        (["small.json", "--samples", "0"], "--samples 0: at least 1"),
        (["small.json", "--steps", "0"], "--steps 0: at least 1"),
        (["small.json", "--input-steps", "-1"], "--input-steps -1: at least 0"),
        (["small.json", "--generation", "N3B4"], "no --generation 'N3B4'; did you mean 'N3B3'?"),
    ],
)
def test_what_cannot_be_deployed_is_a_line_and_leaves_nothing(
    words: list[str], line: str, capsys: pytest.CaptureFixture[str], stored: Path
) -> None:
    before = sorted(stored.iterdir())
    fed = [] if "--stimulus" in words else ["--stimulus", "images.npz"]
    assert main(["deploy", *words, *fed, "--dry-run", "--out", "made"]) == 2
    told = capsys.readouterr().err
    assert line in told
    assert len(told.splitlines()) == 1
    assert sorted(stored.iterdir()) == before


def test_what_a_chip_has_no_room_for_or_cannot_clear_is_refused() -> None:
    wide = dlm.IntegerNetwork(
        {"x": dlm.Input((11_352,)), "h": dlm.IntegerLIF((100,), dv=1, v_threshold=9)},
        [dlm.IntegerProjection("x", "h", dlm.Dense(np.full((100, 11_352), 3)), sign_mode="excitatory")],
    )
    with pytest.raises(dlm.DlmError, match="does not fit on one Intel Loihi 2"):
        prepared(wide, {"x": np.zeros((1, 11_352), int)}, 4)
    weight = np.arange(800 * 6000, dtype=np.int16).reshape(800, 6000) & 255
    broad = dlm.IntegerNetwork(
        {"x": dlm.Input((6000,)), "h": dlm.IntegerLIF((800,), dv=1, v_threshold=9)},
        [dlm.IntegerProjection("x", "h", dlm.Dense(weight), sign_mode="excitatory")],
    )
    silence = {"x": np.zeros((1, 6000), np.uint8)}
    with pytest.raises(dlm.DlmError, match="cores together with the others"):
        prepared(broad, silence, 4)
    assert prepared(broad, silence, 4, chips=2).placement.chips == 2
    with pytest.raises(dlm.DlmError, match="no samples"):
        prepared(network(), images(0), STEPS)
    loop = dlm.IntegerProjection("h", "h", dlm.Dense(np.full((8, 8), 254)), weight_exp=7)
    loud = dlm.IntegerNetwork(
        {"x": dlm.Input((8,)), "h": dlm.IntegerLIF((8,), dv=1, v_threshold=9)},
        [dlm.IntegerProjection("x", "h", dlm.Dense(np.full((8, 8), 4))), loop],
    )
    with pytest.raises(dlm.UnsupportedError, match=r"'h->h' \(lag 1\), whose spikes may go on until the next window"):
        prepared(loud, {"x": np.ones((1, 8), int)}, 16)
    late = dlm.IntegerNetwork(
        {"x": dlm.Input((1,)), "h": dlm.IntegerLIF((1,), dv=0, v_threshold=30)},
        [dlm.IntegerProjection("x", "h", dlm.Dense([[40]]), 62), dlm.IntegerProjection("h", "h", dlm.Dense([[40]]))],
    )
    prepared(late, {"x": np.ones((1, 1), int)}, 8)
    deep = dlm.IntegerNetwork(
        {**late.populations, "g": dlm.IntegerLIF((1,), dv=0, v_threshold=30)},
        [late.projections[0], *(dlm.IntegerProjection(pre, "g", dlm.Dense([[40]])) for pre in "hg")],
    )
    with pytest.raises(
        dlm.DlmError, match=r"'silence_g->g' has a delay of 63 steps \(until the window of 'g' begins\)"
    ):
        prepared(deep, {"x": np.ones((1, 1), int)}, 8)
    read = network()
    populations = {**read.populations, "output": dlm.IntegerLI((6,), dv=3)}
    with pytest.raises(dlm.DlmError, match="'output' never spikes, and a bundle compares spikes"):
        prepared(dlm.IntegerNetwork(populations, read.projections[:3]), images(), STEPS)


SHORT = r"""
dlm-snn() {
    case $1 in
    run) command dlm-snn "$@" --set training.epochs=1 --set simulation.samples=5 \
        --set 'simulation.float_backends=[reference]' --set 'simulation.integer_backends=[reference]' ;;
    *) command dlm-snn "$@" ;;
    esac
}
"""
"""Before the commands: they train for less, and compare nothing."""


@pytest.mark.long
def test_the_commands_of_the_page(tmp_path: Path) -> None:
    pytest.importorskip("lava")
    code = "\n".join(blocks(ROOT / "docs/deploy.md", "bash"))
    told = in_bash(SHORT + code, tmp_path).splitlines()
    assert told[-2].startswith("bundle: 100 windows of 16 steps, one every 16; 2 cores; ")
    assert told[-1].startswith("0 of ")
