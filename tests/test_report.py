"""The HTML report: what it shows, that it stands alone, and that a browser opens it without a complaint."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from safetensors.numpy import save_file

from dlm_snn.analysis.plots import membranes
from dlm_snn.backends import reference
from dlm_snn.cli import main
from dlm_snn.connections.dense import Dense
from dlm_snn.description import describe
from dlm_snn.errors import DlmError, MissingError
from dlm_snn.files.json_objects import as_json
from dlm_snn.networks import artifact
from dlm_snn.networks.network import Input, IntegerNetwork, IntegerProjection, Network, Projection
from dlm_snn.neurons.integer_lif import IntegerLIF
from dlm_snn.neurons.lif import LIF
from dlm_snn.provenance import Provenance
from dlm_snn.report import samples, wording, write_report
from dlm_snn.runs.answers import Answers, kept, read_answers, write_answers
from dlm_snn.runs.metrics import accuracy, read_out, silent, synaptic_operations
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.run_folder import save_record
from dlm_snn.runs.run_metrics import (
    Activity,
    Agreement,
    Books,
    DatasetSize,
    Epoch,
    LossBudget,
    LossPart,
    MembraneEnergy,
    OnChip,
    Overflows,
    RunMetrics,
)
from dlm_snn.runs.run_traces import stored_traces
from tests.browser import CHROMIUM, Tab, chromium

pytestmark = pytest.mark.xdist_group("report")

N_STEPS, N_SAMPLES, N_CLASSES = 25, 40, 10
IMAGES_SHOWN = 10
"""Of samples: all are right, one a class."""
DV = 410 / 4096
SECTIONS = [
    *(
        "results",
        "samples",
        "agreement",
        "rasters",
        "traces",
        "rates",
        "statistics",
        "weights",
        "budget",
        "chip",
        "curve",
        "physics",
        "provenance",
    ),
]
HOSTILE = "</code></pre><script>alert('x')</script><img src=http://192.0.2.1/a.png>"


# A run folder made from a small network that really classifies and really spikes.


def _stimulus(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Ten classes of noisy 8 x 8 patterns in 0..16, and their labels."""
    prototypes = rng.integers(0, 17, (N_CLASSES, 64)) * (rng.random((N_CLASSES, 64)) < 0.45)
    labels = np.arange(N_SAMPLES) % N_CLASSES
    noisy = prototypes[labels] + rng.normal(0, 3.0, (N_SAMPLES, 64))
    return np.clip(np.rint(noisy), 0, 16).astype(np.uint8), labels


def _float_network(rng: np.random.Generator, pixels: np.ndarray, labels: np.ndarray) -> Network:
    """Random hidden weights; the output weights by ridge regression on the hidden spike counts."""
    w1 = rng.normal(0, 0.11, (48, 64))
    hidden = {"pixels": Input((64,), graded_bits=5, scale=16), "hidden": LIF((48,), dv=DV, winners=10)}
    network = Network(hidden, [Projection("pixels", "hidden", Dense(w1))])
    counts = reference.run(network, {"pixels": pixels}, N_STEPS).rasters["hidden"].counts() / N_STEPS
    w2 = np.linalg.solve(counts.T @ counts + 0.3 * np.eye(48), counts.T @ np.eye(N_CLASSES)[labels]).T
    populations = {**hidden, "output": LIF((N_CLASSES,), dv=DV)}
    return Network(populations, [*network.projections, Projection("hidden", "output", Dense(w2 * 0.9))])


def _integer_network(network: Network) -> IntegerNetwork:
    projections, populations = [], {"pixels": network.populations["pixels"]}
    for projection, exponent, scale_pre in zip(network.projections, (-4, 0), (16.0, 1.0), strict=True):
        weight = projection.connection.weight
        scale = 250 / np.abs(weight).max() * 2.0**exponent * scale_pre
        integers = np.rint(weight * scale / 2.0**exponent / scale_pre / 2).astype(int) * 2
        projections.append(
            IntegerProjection(projection.pre, projection.post, Dense(integers.clip(-256, 254)), weight_exp=exponent)
        )
        lif = network.populations[projection.post]
        populations[projection.post] = IntegerLIF(
            lif.shape, dv=410, v_threshold=round(scale), winners=lif.winners, scale=scale
        )
    return IntegerNetwork(populations, projections)


def _save_network(network: Network | IntegerNetwork, path: Path) -> None:
    tree, arrays = describe(network)
    save_file({key: np.ascontiguousarray(array) for key, array in arrays.items()}, path.with_suffix(".safetensors"))
    path.with_suffix(".json").write_text(json.dumps({"format": "dlm-snn network 1", "tree": tree}))


def _agreement(network: str, first: str, second: str, spikes: dict[str, int], **more: Any) -> Agreement:
    counts = {name: (n, n, 0) for name, n in spikes.items()}
    row = Agreement(network, first, second, N_SAMPLES, counts, ties=0, equal=True, text="equal")
    return replace(row, **more)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run folder; tests that change it work on a copy."""
    path = tmp_path_factory.mktemp("runs") / "digits-small"
    build(path)
    return path


@pytest.fixture(scope="module")
def shown(finished: Path) -> tuple[str, _Page]:
    """The page of the unchanged folder."""
    return page_of(finished)


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "digits-small", ignore=shutil.ignore_patterns("report.html")))


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made and not drawn, which takes nine tenths of a page's time: for tests of what a page says."""
    monkeypatch.setattr(Figure, "savefig", lambda _, file, **how: file.write("<svg></svg>"))


def build(path: Path) -> None:
    """Write the folder."""
    path.mkdir(parents=True)
    rng = np.random.default_rng(7)
    pixels, labels = _stimulus(rng)
    network = _float_network(rng, pixels, labels)
    networks = {"float": network, "integer": _integer_network(network)}
    _save_network(networks["float"], path / "network")
    _save_network(networks["integer"], path / "integer")
    stimulus = {"pixels": pixels}
    recordings = {k: reference.run(n, stimulus, N_STEPS, record=("s", "u", "v")) for k, n in networks.items()}
    traces = {}
    backends = {"float": ("reference", "lava-float"), "integer": ("reference-integer", "lava-fixed")}
    for kind, names in backends.items():
        for name, rounding in zip(names, (0.0, 1e-16 if kind == "float" else 0.0), strict=True):
            for key, values in stored_traces({name: recordings[kind]}).items():
                traces[key] = values * (1 + rounding) + rounding if key.endswith("/v") else values
            (path / "rasters" / name).mkdir(parents=True)
            for population, raster in recordings[kind].rasters.items():
                raster.save(path / "rasters" / name / f"{population}.npz")
    np.savez_compressed(path / "traces.npz", **traces)
    given = {kind: read_out(recording.rasters["output"]) for kind, recording in recordings.items()}
    write_answers(kept(labels, given, pixels, (1, 8, 8), 16), path / "answers.npz")
    _write_words(path, _measured(recordings, labels, stimulus))


def _projection_loss(name: str, clipped: int) -> LossPart:
    numbers = {"weight_exp": -4, "scale": 540.2, "clipped": clipped, "clip_loss": 0.0012 * clipped, "odd": 0.497}
    return LossPart(
        name, {"sign_mode": "mixed", **numbers, "rounding_rms": 0.00081, "zeroed": 0.0123, "floor_loss": None}
    )


def _population_loss(name: str, threshold: int) -> LossPart:
    errors = {"threshold_error": 0.0003, "du_error": 0.0, "dv_error": 0.0, "bias_error": 0.0, "rescaled": 1.0}
    measured = {"u_bound": 0.31, "u_peak": 0.042, "v_peak": 0.0049, "wraps": 0, "saturations": 0}
    spikes = {"spikes_float": 109.05, "spikes_integer": 107.95, "lost": 3.4, "won": 2.3, "equal": 0.99996}
    return LossPart(name, {"scale": threshold * 1.0004, "v_threshold": threshold, **errors, **measured, **spikes})


def _measured(recordings: dict, labels: np.ndarray, stimulus: dict) -> RunMetrics:
    spikes = {kind: {name: len(r) for name, r in rec.rasters.items()} for kind, rec in recordings.items()}
    one = "equal (1 of 40 samples set aside)"
    same = {"hidden": (0, 0), "output": (0, 0)}
    note = "u and v compared on 20 samples"
    return RunMetrics(
        dataset=DatasetSize("digits-small", train=160, test=N_SAMPLES, classes=N_CLASSES),
        accuracy={kind: accuracy(rec.rasters["output"], labels) for kind, rec in recordings.items()},
        accuracy_samples=dict.fromkeys(recordings, N_SAMPLES),
        silent={kind: silent(rec.rasters["output"]) for kind, rec in recordings.items()},
        overflow=Overflows(0, 0),
        agreement=(
            _agreement("float", "snntorch", "torch", spikes["float"]),
            _agreement("float", "torch", "reference", spikes["float"], note="torch in float64"),
            _agreement("float", "reference", "brian2", spikes["float"], ties=1, text=one),
            _agreement("float", "reference", "lava-float", spikes["float"]),
            _agreement("integer", "reference", "lava-fixed", spikes["integer"], values=same, note=note),
        ),
        activity={
            kind: Activity(
                sum(spikes[kind].values()) / N_SAMPLES,
                synaptic_operations(rec, stimulus),
                {name: raster.rate for name, raster in rec.rasters.items()},
            )
            for kind, rec in recordings.items()
        },
        loss_budget=LossBudget(
            bits=8,
            samples=160,
            projections=(_projection_loss("pixels->hidden", 0), _projection_loss("hidden->output", 1)),
            populations=(_population_loss("hidden", 540), _population_loss("output", 119)),
            warnings=("hidden->output: 1 weight was clipped",),
        ),
        curve=tuple(Epoch(e, 2.3 * 0.8**e + 0.1, 1 - 0.9 * 0.75**e, thermodynamics=_books(e)) for e in range(1, 21)),
        membranes={
            kind: {name: MembraneEnergy(9, 5, 3, 0, 1, 0) for name in ("hidden", "output")}
            for kind in ("float", "integer")
        },
        on_chip=OnChip(
            chip="Intel Loihi 2",
            fits=False,
            verdict="fits on one Intel Loihi 2: 3 of 128 cores; one thing has to change first",
            cores={"hidden": (67.1, 30.2), "output": (3.3,)},
            messages={"hidden": (64.0, 60.5), "output": (0.0,)},
            table=({"population": "hidden", "cores": "2"}, {"population": "output", "cores": "1"}),
            changes=("'hidden' has a period of 20; a chip has periods that are powers of 2: 20 -> 32",),
            doubts=("'pixels->hidden' floors its sums (weight_exp = -1)",),
            notes=("Load: 60 messages.",),
        ),
    )


def _write_words(path: Path, metrics: RunMetrics) -> None:
    (path / "metrics.json").write_text(json.dumps(metrics.to_json()))
    record = {
        "created": "2026-02-03T10:11:12+00:00",
        "command": "dlm-snn run digits --seed 7",
        "commit": "3a8597b0c2",
        "seed": 7,
        "versions": {"python": "3.11.7", "numpy": "1.26.4", "torch": "2.13.0", "lava-nc": "0.10.0"},
        "machine": "Linux x86_64, 2 cores",
        "digests": {"network": "5c" * 32, "integer": "a7" * 32},
        "seconds": {"train": 12.4, "quantize": 0.8, "simulate": 31.06},
    }
    (path / "record.json").write_text(json.dumps(record))
    (path / "config.yaml").write_text("dataset: digits\nhidden: 48\nsteps: 25\ntraining:\n  epochs: 20\n  seed: 7\n")


def _books(epoch: int) -> Books:
    """Thermodynamics of an epoch; it is cold at first, where entropy production is undefined."""
    layers = {"pixels->hidden": 0.5 / epoch, "hidden->output": 0.1}
    return Books(
        energy=2.0 * 0.8**epoch,
        entropy_production=None if epoch == 1 else 100.0 / epoch,
        information_current=0.1,
        dissipation=1e-4,
        temperature=1e-6,
        heat=layers,
        work_current={name: value / 2 for name, value in layers.items()},
        work_injection=dict.fromkeys(layers, 0.0),
        work_switching=-0.25,
        work_synaptic=-0.0125,
        surrogate_work=0.02,
        energy_change=-1.5,
    )


# What the page is.


class _Page(HTMLParser):
    """Ids, addresses, tags and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append((tag, named))
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.addresses += [v for n, v in attrs if v and n in {"src", "href", "xlink:href", "srcset", "data", "action"}]

    handle_startendtag = handle_starttag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page_of(folder: Path) -> tuple[str, _Page]:
    text = write_report(folder).read_text(encoding="utf-8")
    return text, _Page(text)


def change(path: Path, **sections: object) -> None:
    """Replace sections of a JSON file; None takes one away."""
    content = {**json.loads(path.read_text()), **sections}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def metrics_of(folder: Path) -> RunMetrics:
    return RunMetrics.from_json(json.loads((folder / "metrics.json").read_text()))


def test_the_page_holds_every_section_and_a_figure_of_each_kind(finished: Path, shown: tuple[str, _Page]) -> None:
    _, page = shown
    assert (finished / "report.html").is_file()
    assert [i for i in page.ids if i in SECTIONS] == SECTIONS
    labels = [named["aria-label"] or "" for tag, named in page.tags if tag == "svg"]
    for start, n in (
        ("Spike raster", 4),
        ("Membrane", 2),
        ("Test sample", IMAGES_SHOWN),
        ("Histogram of firing", 2),
        ("Histogram of the w", 2),
    ):
        assert sum(label.startswith(start) for label in labels) == n
    assert sum("by epoch" in label for label in labels) == 2 + 5
    assert "Work by switching batches" in page.text
    assert "Thrown away at resets" in page.text
    assert "all 5 simulator pairs agree spike for spike" in page.text
    assert "u and v identical on 20 samples" in page.text
    assert "v / threshold," in page.text
    assert "before the reset" in page.text
    assert "one that loses stays above the threshold without a spike" in page.text
    assert "Places (sample, step, neuron) that are equal 99.996 %" in page.text
    assert "Fits on one Intel Loihi 2: 3 of 128 cores; one thing has to change first." in page.text
    assert "hidden 30.2 to 67.1, output 3.3 to 3.3." in "".join(labels)
    assert "20 -> 32" in page.text


@pytest.mark.usefixtures("undrawn")
def test_the_commands_of_the_page_work_when_they_are_copied(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the folder where the page was written; also of a run that gets its place after the page is written."""
    place = tmp_path / "my runs" / "it's one"
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(7)
    network = _float_network(rng, *_stimulus(rng))
    for name, of in (("network", network), ("integer", _integer_network(network))):
        (run / f"{name}.json").unlink()  # It has no digest, which commands want.
        (run / f"{name}.safetensors").unlink()
        artifact.save(of, run / name)
    found = []
    for written in (write_report(run, place), write_report(Path(shutil.copytree(run, place)))):
        text = html.unescape(written.read_text(encoding="utf-8"))
        found.append(re.findall(r"<code>(dlm-snn raster .*?)</code>", text))
    assert found[0] == found[1]
    for command in found[0]:
        words = shlex.split(command)
        assert words[-1] == "my runs/it's one"
        assert main(words[1:]) == 0
    assert (tmp_path / "it's one.html").exists()
    assert "hidden" in capsys.readouterr().out


def test_the_page_is_small_and_asks_for_nothing_outside(shown: tuple[str, _Page]) -> None:
    text, page = shown
    assert len(text.encode()) < 1_000_000
    assert all(address.startswith(("#", "data:")) for address in page.addresses)
    assert set(re.findall(r"url\(\s*['\"]?(.)", text)) <= {"#"}
    assert "@import" not in text
    assert not [tag for tag, _ in page.tags if tag in {"script", "iframe", "object", "base"}]
    assert not re.findall(r'https?://(?!www\.w3\.org/(?:2000/svg|1999/xlink)")\S+', text)


def test_a_run_of_many_spikes_stays_below_five_megabytes(run: Path) -> None:
    rng = np.random.default_rng(1)
    for backend in ("reference", "reference-integer"):
        dense = rng.random((3, 100, 2000)) < 0.4
        SpikeRaster.from_dense(dense).save(run / "rasters" / backend / "hidden.npz", replace=True)
    text, _ = page_of(run)
    assert "data:image/png;base64" in text
    assert len(text.encode()) < 5_000_000


def test_the_same_folder_gives_the_same_page_whatever_the_user_set(run: Path) -> None:
    import matplotlib

    first = write_report(run).read_bytes()
    before = dict(matplotlib.rcParams)
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True}):
        assert write_report(run).read_bytes() == first
    assert dict(matplotlib.rcParams) == before


def test_every_color_of_a_figure_comes_from_the_theme(shown: tuple[str, _Page]) -> None:
    figures = "".join(re.findall(r"<svg.*?</svg>", shown[0], flags=re.DOTALL))
    assert not re.findall(r"#[0-9a-f]{6}\b", figures)
    assert all("fill: var(--" in style for style in re.findall(r'<text style="([^"]*)"', figures))


def test_ids_are_unique_and_references_lead_somewhere(shown: tuple[str, _Page]) -> None:
    text, page = shown
    assert len(set(page.ids)) == len(page.ids)
    referred = set(re.findall(r"url\(#([^)]+)\)", text)) | {a[1:] for a in page.addresses if a.startswith("#")}
    assert referred <= set(page.ids)


def test_figures_and_tables_are_told_to_those_who_cannot_see_them(shown: tuple[str, _Page]) -> None:
    _, page = shown
    assert all(named.get("role") == "img" and named.get("aria-label") for tag, named in page.tags if tag == "svg")
    assert all(named.get("scope") in {"col", "row"} for tag, named in page.tags if tag == "th")
    figures = sum(tag == "figure" for tag, _ in page.tags)
    assert figures == sum(tag == "figcaption" for tag, _ in page.tags) == sum(tag == "svg" for tag, _ in page.tags)


def _contrast(first: str, second: str) -> float:
    """Contrast ratio of two colors as WCAG 2 defines it."""
    light = []
    for color in (first, second):
        channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        light.append(float(linear @ (0.2126, 0.7152, 0.0722)))
    return (max(light) + 0.05) / (min(light) + 0.05)


def test_text_stands_out_from_its_ground_in_light_and_dark(shown: tuple[str, _Page]) -> None:
    text, _ = shown
    themes = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{[^}]*\}", text)]
    assert len(themes) == 3  # light, dark, print
    for theme in themes[:2]:
        for ink in ("ink", "muted", "float", "integer", "good", "bad"):
            assert min(_contrast(theme[ink], theme[ground]) for ground in ("page", "card")) >= 4.5, ink
        assert _contrast(theme["good"], theme["good-card"]) >= 4.5
        assert _contrast(theme["bad"], theme["bad-card"]) >= 4.5


@pytest.mark.usefixtures("undrawn")
def test_a_pair_that_differs_is_told_in_words_and_in_the_header(run: Path) -> None:
    rows = list(metrics_of(run).agreement)
    counts = {**rows[3].spikes, "hidden": (4362, 4365, 7)}
    text = "7 spikes differ; first divergence at sample 3, step 4, hidden[12]"
    rows[3] = replace(rows[3], equal=False, text=text, spikes=counts)
    change(run / "metrics.json", agreement=as_json(rows))
    text, page = page_of(run)
    assert "4 of 5 simulator pairs agree" in page.text
    assert "✗ differs" in page.text
    assert "4,362 / 4,365 7 differ" in page.text
    assert "first divergence at sample 3, step 4, hidden[12]" in page.text
    assert "4 of 5 pairs equal over 40 samples (1 with ties)." in page.text
    # What differs stands open before the fold, what is equal inside it.
    before, folded = re.split(r'<details class="wide">', text)
    assert "✗ differs" in before
    assert "✓ equal" not in before
    assert folded.count("✓ equal") == 4


def _with_wrong_answers(path: Path) -> None:
    """The float network takes sample 7 for a 1, and the integer one sample 12 for a 9."""
    stored = read_answers(path, "")
    pixels, _ = _stimulus(np.random.default_rng(7))
    given = {name: of.copy() for name, of in stored.given.items()}
    given["float"][7], given["integer"][12] = 1, 9
    path.unlink()
    write_answers(kept(stored.labels, given, pixels, (1, 8, 8), 16), path)


@pytest.mark.usefixtures("undrawn")
def test_sample_images_show_the_stored_pixels_with_true_and_given_class(run: Path) -> None:
    from matplotlib.image import imread

    _with_wrong_answers(run / "answers.npz")
    answers = read_answers(run / "answers.npz", "")
    assert answers.shown.tolist()[:2] == [7, 12]
    text, page = page_of(run)
    shown = re.findall(r'aria-label="Test sample (\d+) of class (\d+); ([^"]*)"[^>]*><image[^>]*base64,([^"]*)"', text)
    assert [int(sample) for sample, *_ in shown] == answers.shown.tolist()
    for (sample, truth, told, data), image in zip(shown, answers.images, strict=True):
        assert int(truth) == answers.labels[int(sample)]
        given = [of[int(sample)] for of in answers.given.values()]
        assert told == (f"both {given[0]}." if given[0] == given[1] else f"float {given[0]}, 8-bit {given[1]}.")
        drawn = imread(io.BytesIO(base64.b64decode(data)))[..., 0]
        np.testing.assert_array_equal(np.rint(drawn * 255), np.floor(image[0].astype(float) * 255 / 16))
    assert "95 % interval" in page.text


@pytest.mark.usefixtures("undrawn")
def test_the_confusion_matrix_has_every_test_sample(run: Path) -> None:
    _with_wrong_answers(run / "answers.npz")
    answers = read_answers(run / "answers.npz", "")
    text, _ = page_of(run)
    tables = re.findall(r'<div class="table confusion".*?</table>', text, flags=re.DOTALL)
    assert len(tables) == 2
    for table, given in zip(tables, answers.given.values(), strict=True):
        rows = re.findall(r"<tr><th scope=.row.>.*?</tr>", table)
        counts = np.array([[int(cell or 0) for cell in re.findall(r"<td[^>]*>(\d*)</td>", row)] for row in rows])
        expected = np.zeros((N_CLASSES, N_CLASSES), int)
        np.add.at(expected, (answers.labels, given), 1)
        np.testing.assert_array_equal(counts, expected)
    assert sum(text.count(f'class="{kind}"') for kind in ("hit", "miss")) == sum(
        np.unique(np.stack([answers.labels, given]), axis=1).shape[1] for given in answers.given.values()
    )


def test_silent_samples_have_a_column_of_their_own_and_many_classes_no_matrix() -> None:
    labels = np.arange(60) % 30
    given = np.where(labels == 3, -1, np.where(labels == 5, 7, labels))
    few, many = labels < 10, slice(None)
    (found,) = samples.confusions(Answers(labels[few], {"float": given[few]}), {"float": "float"})
    assert found.answers[-1] == "none"
    assert found.rows[3][-1] == (2, 1.0, False)
    assert "16 of 20 right, 80.0" in found.told
    (found,) = samples.confusions(Answers(labels[many], {"float": given[many]}), {})
    assert found.rows == []
    assert found.told.endswith("Most frequent confusions, true → given: 3 → no answer (2), 5 → 7 (2).")


@pytest.mark.usefixtures("undrawn")
def test_statistics_are_those_of_the_rasters_in_hz(run: Path) -> None:
    """Nine neurons in 2 samples of 40 steps: three every 4th step, three silent, three every 2nd step."""
    dense = np.zeros((2, 40, 9), bool)
    dense[:, ::4, ::3] = dense[:, ::2, 2::3] = True
    for file in (run / "rasters").glob("*/hidden.npz"):
        SpikeRaster.from_dense(dense).save(file, replace=True)
    _, page = page_of(run)
    text = page.text.replace("\xa0", " ")
    # 250, 0 and 500 Hz; regular neurons: CV, CV2 and LV 0, where chance gives sqrt(1 - p): sqrt(.75), sqrt(.5).
    assert "rate 250 Hz 83.6 to 416 250 Hz 83.6 to 416" in text
    assert "silent neurons 0.333" in text
    assert "CV of intervals 0 by chance 0.787 0 by chance 0.787" in text
    assert "a step is taken as 1 ms" in text
    # Counts 10, 0, 20 in both samples: (1 - (30/3)^2 / (500/3)) / (1 - 1/9) = .45; the neurons answer to both alike.
    assert "population sparseness 0.45 0.45" in text
    assert "lifetime sparseness 0 0" in text
    assert "neurons active in a sample 0.667 0.667" in text
    for file in (run / "rasters").glob("*/hidden.npz"):
        SpikeRaster.from_dense(np.zeros((2, 40, 9), bool)).save(file, replace=True)
    assert "CV of intervals not resolved not resolved" in page_of(run)[1].text


def test_every_section_tells_rates_in_hz(run: Path) -> None:
    """Of nine neurons three in every step of 2 ms, three in every second one: 250 Hz, in all sections with rates."""
    dense = np.zeros((2, 40, 9), bool)
    dense[:, :, ::3] = dense[:, ::2, 1::3] = True
    for file in (run / "rasters").glob("*/*.npz"):
        SpikeRaster.from_dense(dense, dt=2e-3).save(file, replace=True)
    activity = {"float": {"rates": {"hidden": 1 / 3, "output": 1e-3}}, "integer": {"rates": {"hidden": 1.0}}}
    change(run / "metrics.json", activity=activity)
    text, page = page_of(run)
    assert "Rate of hidden, Hz Rate of output, Hz" in page.text
    results = text[text.index('id="results"') : text.index('id="samples"')]
    cells = [re.findall(r"<td[^>]*>([^<]*)</td>", row)[-2:] for row in re.findall(r"<tr><th scope=.row.*", results)]
    assert cells == [["167", "0.5"], ["500", "—"]]
    rates = text[text.index('id="rates"') : text.index('id="statistics"')]
    assert "rate in Hz, mean over all samples" in rates
    assert "float, mean 250 Hz" in rates
    assert "rate 250 Hz" in page.text.replace("\xa0", " ")
    assert page.text.count("step taken as 2 ms") == 2
    assert not re.search(r"(per|and) step", page.text[page.text.index("Results") : page.text.index("Weights before")])


def test_a_neuron_that_always_fires_has_a_rate_without_a_power_of_ten() -> None:
    assert wording.hertz(1.0, 1e-3) == "1,000"
    assert wording.hertz(0.0123456, 1e-3) == "12.3"
    assert wording.hertz(None, 1e-3) == wording.hertz(float("nan"), 1e-3) == wording.NOTHING


def test_neurons_of_a_trace_say_something() -> None:
    """Of ten: 0 always fires, 1 and 2 spike often, 3 once, 4 is near, 5 far below, 7 a little above."""
    v = np.zeros((20, 10))
    v[:, 0], v[::2, 1], v[::3, 2], v[4, 3], v[:, 4], v[:, 5], v[:, 7] = 2, 1.5, 1.5, 1.5, 0.9, -9.0, 1.05
    spikes = v > 1
    spikes[:, 7] = False  # another wins

    def telling(part: list[int] | slice) -> tuple[list[int], str]:
        return membranes.telling(membranes.Membranes("", v[:, part], spikes[:, part], True, 1e-3))

    neurons, why = telling(slice(None))
    assert neurons == [0, 1, 3, 7]
    assert why.replace("\u00a0", " ") == (
        "Neurons: 0: most spikes; 1: most spikes in at most 50 % of the steps; 3: fewest spikes; "
        "7: silent and closest to the threshold."
    )
    assert telling(slice(1))[0] == [0]
    assert telling([4, 5, 7, 8, 9])[0] == [0, 2, 3, 4]
    assert telling(slice(4))[0] == [0, 1, 3]
    assert telling(slice(2))[0] == [0, 1]


def test_v_of_neurons_without_a_threshold_is_shown_as_it_is(run: Path) -> None:
    v = np.random.default_rng(3).random((25, 6))
    np.savez(run / "traces.npz", **{"reference/readout/v": v, "lava-float/readout/v": v})
    text, page = page_of(run)
    assert "v itself, of the 4 neurons whose v rises highest: no threshold is stored." in page.text
    assert "reference and lava-float are identical, over all 6 neurons and all steps." in page.text
    assert "dashed" in text


@pytest.mark.usefixtures("undrawn")
def test_accuracies_have_their_intervals(run: Path) -> None:
    change(run / "metrics.json", accuracy={"float": 0.9, "lava-float": 1.0}, accuracy_samples={"float": 40})
    _, page = page_of(run)
    # 36 of 40, scipy.stats.binomtest(36, 40).proportion_ci(method="wilson")
    assert "test accuracy; 95 % interval 76.9 to 96.0 %" in page.text
    assert "float 90.0 % 76.9 to 96.0 % 40" in page.text
    assert "lava-float 100.0 % — —" in page.text
    assert "A dash stands where this run measured nothing." in page.text


@pytest.mark.usefixtures("undrawn")
def test_what_a_run_does_not_have_is_left_out_with_a_line(run: Path) -> None:
    for name in ("network.json", "integer.safetensors", "traces.npz", "answers.npz"):
        (run / name).unlink()
    shutil.rmtree(run / "rasters")
    change(
        run / "metrics.json", agreement=None, activity=None, loss_budget=None, curve=None, silent=None, accuracy=None
    )
    change(run / "metrics.json", membranes=None, on_chip=None)
    (run / "record.json").write_text("{}")
    _, page = page_of(run)
    assert [i for i in page.ids if i in SECTIONS] == [i for i in SECTIONS if i not in ("results", "statistics")]
    assert not [tag for tag, _ in page.tags if tag == "svg"]
    for thing in (
        "No simulators",
        "no answers to its test samples",
        "No rasters",
        "No voltage traces",
        "No networks",
        "no loss budget",
        "no training",
        "no thermodynamics",
        "not laid out on a chip",
    ):
        assert thing in page.text


def test_a_long_run_shows_its_first_steps_and_compares_them_all(run: Path) -> None:
    v = np.random.default_rng(2).random((400, 6))
    other = v.copy()
    other[399, 5] += 0.5
    traces = {f"{name}/hidden/v_threshold": np.ones(6) for name in ("reference", "lava-float")}
    np.savez(run / "traces.npz", **traces, **{"reference/hidden/v": v, "lava-float/hidden/v": other})
    text, page = page_of(run)
    assert "Sample 0, its first 150 steps." in page.text
    assert "reference and lava-float part by 0.5 at most, over all 6 neurons and all steps." in page.text
    # v of an older run is that at the end of the step; the second simulator is drawn where it would be seen.
    assert "end of the step" in text
    assert "float, lava-float" in text


@pytest.mark.usefixtures("undrawn")
def test_one_simulator_alone_is_shown_alone(run: Path) -> None:
    with np.load(run / "traces.npz") as stored:
        kept = {key: stored[key] for key in stored.files if key.startswith("reference/")}
    np.savez(run / "traces.npz", **kept)
    shutil.rmtree(run / "rasters" / "reference-integer")
    shutil.rmtree(run / "rasters" / "lava-fixed")
    change(run / "metrics.json", membranes=None)
    _, page = page_of(run)
    assert "In reference alone: no second simulator stored a trace." in page.text
    assert "hidden, 8-bit" not in page.text


def test_a_layer_that_never_fires_still_has_its_figures(run: Path) -> None:
    for file in (run / "rasters").glob("*/output.npz"):
        SpikeRaster.from_dense(np.zeros((N_SAMPLES, N_STEPS, N_CLASSES), dtype=bool)).save(file, replace=True)
    _, page = page_of(run)
    assert "Not one spike in these samples." in page.text
    assert "Of 10 neurons never fire: 10 in the float network and 10 in the 8-bit network." in page.text


def test_integer_weights_without_a_scale_are_shown_as_integers(run: Path) -> None:
    content = json.loads((run / "integer.json").read_text())
    for population in content["tree"]["populations"]:
        population.pop("scale", None)
    (run / "integer.json").write_text(json.dumps(content["tree"]))
    _, page = page_of(run)
    assert "so these are integers" in page.text
    assert "weight, in integers" in page.text


def test_quantized_weights_lie_where_the_float_weights_lie(run: Path) -> None:
    from dlm_snn.report import weights
    from dlm_snn.runs.run_folder import read_run

    for of in weights.by_projection(read_run(run).networks):
        assert of.comparable
        change_ = np.abs(of.before - of.after)
        assert np.sort(change_)[-2] <= of.grain / 2 * 1.000001  # the largest weight of all may be clipped


@pytest.mark.parametrize("name", ["metrics.json", "record.json", "config.yaml"])
def test_a_missing_file_is_named_with_its_remedy(run: Path, name: str) -> None:
    (run / name).unlink()
    with pytest.raises(MissingError, match=rf"no {name} in .*dlm-snn run") as caught:
        write_report(run)
    assert "\n" not in str(caught.value)
    assert not (run / "report.html").exists()


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("name", "keep", "message"),
    [
        ("metrics.json", 0.6, "is not complete JSON"),
        ("record.json", 0.5, "is not complete JSON"),
        ("network.json", 0.5, "is not complete JSON"),
        ("config.yaml", 0.0, "empty or truncated"),
        ("traces.npz", 0.5, "is not a complete npz"),
        ("answers.npz", 0.5, "is not a complete npz"),
        ("integer.safetensors", 0.5, "is not a complete safetensors"),
    ],
)
def test_a_truncated_file_is_refused_in_one_line(run: Path, name: str, keep: float, message: str) -> None:
    content = (run / name).read_bytes()
    (run / name).write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(DlmError, match=message) as caught:
        write_report(run)
    assert Path(name).name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (run / "report.html").exists()


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"agreement": {}}, "'agreement' is {}, where a list or null is wanted"),
        ({"agreement": [{"ties": "x"}]}, r"'agreement\[0\].ties' is \"x\", where a number or null"),
        ({"agreement": [{"spikes": {"hidden": [1, "x"]}}]}, r"'agreement\[0\].spikes.hidden\[1\]'"),
        ({"curve": [1]}, "'curve"),
        ({"curve": [{"epoch": 1, "thermodynamics": []}]}, "thermodynamics"),
        ({"accuracy": [1]}, "'accuracy'"),
        ({"accuracy": {"float": "x"}}, "'accuracy.float'"),
        ({"activity": {"float": {"rates": {"a": []}}}}, "'activity.float.rates.a'"),
        ({"loss_budget": {"projections": [3]}}, "'loss_budget.projections"),
        ({"membranes": {"float": {"hidden": {"leak": "x"}}}}, "'membranes.float.hidden.leak'"),
        ({"float32": {}}, "'float32.samples' is missing"),
    ],
)
def test_metrics_of_another_shape_are_refused(run: Path, section: dict, message: str) -> None:
    change(run / "metrics.json", **section)
    with pytest.raises(DlmError, match=message):
        write_report(run)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", ["metrics.json", "config.yaml", "network.json", "rasters/reference/hidden.npz"])
def test_no_file_of_a_run_is_read_as_another(run: Path, name: str) -> None:
    save_record(Provenance("dlm-snn run", seed=3), run, replace=True)
    assert "seed 3" in page_of(run)[1].text
    (run / name).write_bytes((run / name).read_bytes() + b" ")
    with pytest.raises(DlmError, match=rf"{name} was changed since the run wrote it"):
        write_report(run)


@pytest.mark.usefixtures("undrawn")
def test_a_changed_record_is_refused_and_looks_at_nothing_outside(run: Path) -> None:
    save_record(Provenance("dlm-snn run", seed=3), run, replace=True)
    change(run / "record.json", seed=4)
    with pytest.raises(DlmError, match=r"record\.json was changed since it was written"):
        write_report(run)
    (run / "record.json").write_text(json.dumps({"files": {"../other": "0"}}))
    with pytest.raises(DlmError, match="lies outside the run"):
        write_report(run)
    (run / "record.json").write_text(json.dumps({"files": {"metrics.json": 3}}))
    with pytest.raises(DlmError, match=r"'files\.metrics\.json' is 3"):
        write_report(run)
    (run / "record.json").write_text(json.dumps({"seed": "x"}))
    with pytest.raises(DlmError, match="'seed' is \"x\""):
        write_report(run)


@pytest.mark.usefixtures("undrawn")
def test_values_that_cannot_be_drawn_are_refused(run: Path) -> None:
    first, *rest = metrics_of(run).curve
    change(run / "metrics.json", curve=as_json([replace(first, loss=10**400), *rest]))
    with pytest.raises(DlmError, match="holds values that cannot be shown"):
        write_report(run)


@pytest.mark.usefixtures("undrawn")
def test_text_of_the_run_cannot_become_markup(run: Path) -> None:
    (run / "config.yaml").write_text(json.dumps({"note": HOSTILE}))
    change(run / "record.json", command=HOSTILE, machine=HOSTILE, versions={HOSTILE: HOSTILE})
    first, *rest = metrics_of(run).agreement
    rows = [replace(first, first=HOSTILE, note=HOSTILE, spikes={HOSTILE: (1, 2, 3)}), *rest]
    change(
        run / "metrics.json",
        agreement=as_json(rows),
        dataset={"name": HOSTILE, "test": 3},
        accuracy={"float": 1.0, HOSTILE: 1},
    )
    (run / "rasters" / "reference" / "hidden.npz").rename(run / "rasters" / "reference" / "a<script>b.npz")
    text, page = page_of(run)
    assert not [tag for tag, _ in page.tags if tag in {"script", "img"}]
    assert "<script" not in text
    assert len(set(page.ids)) == len(page.ids)
    assert page.text.count("alert('x')") >= 8


def test_importing_the_report_loads_no_plotting_and_no_templates() -> None:
    code = "import sys, dlm_snn.report; sys.exit(bool({'matplotlib', 'jinja2'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# A real browser, over the DevTools protocol on a pair of pipes.

OVERLAPS = """[...document.querySelectorAll('figure svg')].flatMap(svg => {
  const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
  const cut = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
  const edge = svg.getBoundingClientRect();
  const out = boxes.filter(([_, a]) => a.left < edge.left - 2 || a.right > edge.right + 2);
  return boxes.flatMap(([t, a], i) => boxes.slice(i + 1).filter(([_, b]) => cut(a, b)).map(([u]) => [t, u]))
    .concat(out.map(([t]) => [svg.getAttribute('aria-label'), 'beyond the edge', t]));
})"""


SIDEWAYS = """[...document.querySelectorAll('body *')].map(box => [box, getComputedStyle(box)])
  .filter(([box, style]) => style.overflowX === 'auto' && box.scrollWidth > box.clientWidth + 1)
  .map(([box, style]) => [box.tabIndex, box.role, Boolean(box.ariaLabel), style.backgroundAttachment])"""
"""Boxes that scroll sideways: how the keyboard and a screen reader find them, and what shows that there is more."""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    if CHROMIUM is None:
        pytest.skip("needs chromium or google-chrome in the path")
    with chromium(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.mark.browser
def test_a_browser_opens_the_page_without_error_or_outside_request(
    tab: Tab, finished: Path, shown: tuple[str, _Page]
) -> None:
    assert tab.complaints(finished / "report.html") == []
    assert tab.evaluate("document.querySelectorAll('figure svg').length") == 19 + IMAGES_SHOWN
    # Images of samples are drawn, and come before the agreement of simulators.
    assert tab.evaluate(
        "[...document.querySelectorAll('.sample svg')].every(s => s.getBoundingClientRect().height > 40)"
    )
    first = "document.querySelector('main svg').getBoundingClientRect().top + scrollY"
    assert tab.evaluate(first) < 1500


@pytest.mark.browser
def test_the_browser_check_sees_an_error_and_an_outside_request(tab: Tab, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text(
        "<!DOCTYPE html><title>bad</title><link rel=icon href='data:,'>"
        "<img src='http://127.0.0.1:9/a.png'><script>console.error('said'); missing()</script>"
    )
    found = tab.complaints(page)
    assert "request: http://127.0.0.1:9/a.png" in found
    assert any("said" in line for line in found)
    assert any(line.startswith("error: Uncaught") for line in found)


@pytest.mark.browser
@pytest.mark.parametrize(("width", "dark"), [(1200, False), (360, True)])
def test_labels_do_not_overlap_and_the_page_fits_its_window(
    tab: Tab, finished: Path, shown: tuple[str, _Page], width: int, dark: bool
) -> None:
    tab.look(width, dark)
    tab.open(finished / "report.html")
    found = tab.evaluate(SIDEWAYS)
    assert len(found) >= 3 or width > 600
    # Covers scroll along, shadows stay.
    assert all(box == [0, "region", True, "local, local, scroll, scroll, scroll"] for box in found)
    assert tab.evaluate("document.scrollingElement.scrollWidth") <= width
    assert tab.evaluate(OVERLAPS) == []
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 24, 27)" if dark else "rgb(251, 251, 249)")
