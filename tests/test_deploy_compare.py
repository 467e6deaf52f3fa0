"""``dlm-snn compare BUNDLE FILE``: what a board made beside what was expected."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.cli import main
from dlm_snn.exchange.rasters import bundle as reading
from dlm_snn.files.reading import SEAL, sealed
from hardware.loihi2 import contents, rasters
from hardware.loihi2.bundle import write_bundle
from hardware.loihi2.prepared import prepared
from tests.test_deploy import STEPS, images, network


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deployed")
    write_bundle(prepared(network(), images(), STEPS), folder / "bundle")
    return folder


@pytest.fixture
def folder(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    return made


def expected() -> dict[str, rasters.Raster]:
    return rasters.read(Path("bundle") / contents.EXPECTED)


def written_csv(found: dict[str, rasters.Raster], skip: int = 0) -> None:
    rows = [
        f"{name},{sample},{step},{neuron}"
        for name, raster in found.items()
        for sample, step, neuron in zip(*map(np.ndarray.tolist, raster[:3]), strict=True)
    ]
    Path("got.csv").write_text("\n".join(["population,sample,step,neuron", *rows[skip:]]) + "\n")


def written_npz(found: dict[str, rasters.Raster], skip: int = 0) -> None:
    first, raster = next(iter(found.items()))
    less = {first: rasters.Raster(*(array[skip:] for array in raster[:3]), raster.extent)}
    np.savez("got.npz", **rasters.arrays({**found, **less}))


def test_our_two_readers_know_one_format() -> None:
    names = ("FORMAT", "VERSION", "RECORD", "EXPECTED")
    assert [getattr(reading, name) for name in names] == [getattr(contents, name) for name in names]
    assert contents.SEAL == SEAL


@pytest.mark.parametrize(("write", "file"), [(written_npz, "got.npz"), (written_csv, "got.csv")])
def test_equal_or_the_first_difference(
    write: Callable[..., None], file: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(expected())
    assert main(["compare", "bundle", file]) == 0
    spikes = sum(len(raster.sample) for raster in expected().values())
    assert capsys.readouterr().out == f"equal: {spikes} spikes of 2 populations, 6 samples\n"
    write(expected(), skip=2)
    assert main(["compare", "bundle", file]) == 1
    told = capsys.readouterr().out.splitlines()
    sample, step, neuron = (int(array[0]) for array in expected()["hidden"][:3])
    assert told[0] == f"hidden: 2 of {len(expected()['hidden'].sample)} spikes differ"
    where = f"sample {sample}, step {step}, population hidden, neuron {neuron}"
    assert told[2] == f"first difference: {where}: expected a spike, got none"


def test_what_was_not_recorded_is_said_and_a_csv_holds_what_is_silent(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written_npz({"output": rasters.first_samples(expected()["output"], 2)})
    assert main(["compare", "bundle", "got.npz"]) == 0
    assert "of 1 population, 2 samples; not in got.npz: hidden" in capsys.readouterr().out
    written_csv({"output": expected()["output"]})
    assert main(["compare", "bundle", "got.csv"]) == 1
    hidden = len(expected()["hidden"].sample)
    assert f"hidden: {hidden} of {hidden} spikes differ" in capsys.readouterr().out


def changed(**arrays: object) -> None:
    np.savez("got.npz", **{**rasters.arrays(expected()), **arrays})


@pytest.mark.parametrize(
    ("write", "words", "line"),
    [
        (lambda: changed(n_steps=17), [], "got.npz has (samples, steps, neurons) = (6, 17, 24) of 'hidden', the "),
        (lambda: changed(n_steps=9), [], "= 9 lies outside 0..8"),
        (lambda: changed(n_samples=7), [], "(7, 16, 24) of 'hidden', the bundle (6, 16, 24)"),
        (lambda: changed(**{"other.n_neurons": 3}), [], "no array 'other.sample'"),
        (lambda: changed(**{"hidden.neuron": np.zeros(3, int)}), [], "population 'hidden': raster arrays have shapes"),
        (lambda: changed(**{"n_steps": np.array([1, 2])}), [], "'n_steps' is not one whole number"),
        (lambda: np.savez("got.npz", a=1), [], "has no number P.n_neurons of any population P"),
        (lambda: Path("got.npz").write_bytes(b"PK"), [], "got.npz"),
        (lambda: Path("got.npz").unlink(missing_ok=True), [], "got.npz"),
        (changed, ["--tolerance", "1"], "--tolerance is for u and v"),
    ],
)
def test_a_file_of_another_shape_is_a_line(
    write: Callable[[], None], words: list[str], line: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write()
    assert main(["compare", "bundle", "got.npz", *words]) == 2
    captured = capsys.readouterr()
    told = captured.out + captured.err
    assert line in told
    assert len(told.splitlines()) == 1


def test_rows_of_another_network_are_a_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for row, line in (("hiden,0,0,0", "'hiden'; did you mean 'hidden'?"), ("hidden,0,16,0", "outside")):
        Path("got.csv").write_text(f"population,sample,step,neuron\n{row}\n")
        assert main(["compare", "bundle", "got.csv"]) == 2
        told = capsys.readouterr().err
        assert line in told
        assert len(told.splitlines()) == 1


def resealed(record: dict[str, object]) -> dict[str, object]:
    return sealed({key: value for key, value in record.items() if key != SEAL})


def test_a_bundle_of_another_version_and_a_changed_one_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("bundle") / contents.RECORD
    held = path.read_text()
    written_npz(expected())
    for change, line in (
        ({"version": 2}, "bundle is a bundle of another kind (version 2 of 'dlm-snn deployment bundle'; wanted: 1"),
        ({"n_steps": 9}, "bundle.json was changed since it was written, its checksum differs; copy the bundle again"),
        ({"files": {contents.EXPECTED: "0"}}, "expected.npz was changed"),
        ({"populations": {}}, "has not the populations of bundle.json"),
        ({"populations": 3}, "populations"),
    ):
        record = json.loads(held) | change
        path.write_text(json.dumps(record if "n_steps" in change else resealed(record)))
        assert main(["compare", "bundle", "got.npz"]) == 2
        told = capsys.readouterr().err
        assert line in told
        assert len(told.splitlines()) == 1
    path.write_text(json.dumps({key: value for key, value in json.loads(held).items() if key != SEAL}))
    assert main(["compare", "bundle", "got.npz"]) == 2
    assert "bundle.json has no checksum of its own; copy the bundle again" in capsys.readouterr().err
    path.write_text(held)
    for words in (["bundle"], ["got.npz", "bundle"], ["bundle", "bundle"]):
        assert main(["compare", *words]) == 2
        assert "give a bundle, then the npz or CSV that a board made of it" in capsys.readouterr().err


def test_a_raster_of_ours_is_still_compared_with_another(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raster = dlm.run(network(), images(), STEPS).rasters["output"]
    raster.save("one.npz")
    raster.save("two.npz")
    assert main(["compare", "one.npz", "two.npz"]) == 0
