"""The files that are damaged: how each is made, how it is read, and what of it has to come back."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import dlm_snn as dlm
from dlm_snn import SpikeRaster
from dlm_snn.networks import artifact
from dlm_snn.runs.recording_files import load_recording, save_recording
from tests import event_files
from tests.nets import make

RASTER = SpikeRaster.from_dense(np.random.default_rng(3).random((3, 20, 7)) < 0.2)
SAMPLES = {"train": 6, "test": 3}
LEARN = ("learn", "--protocol", "clusters", "--learner", "ridge", "--seeds", "3")
LEARNED = "continual-clusters.jsonl"
TRAIN_MNIST = ("train", "--dataset", "mnist", "--data-dir", "d", "--set", "network.hidden=[-1]", "--out", "out/x")


@dataclass(frozen=True)
class Subject:
    """A file or folder that is read.

    Attributes:
        make: writes it into an empty folder.
        read: reads it there; what it holds, as text.
        words: the command line that reads it, in a folder above, where it lies in ``d``.
        ours: whatever is not what was written must be noticed.
        files: those that are damaged; all by default.
    """

    make: Callable[[Path], Any]
    read: Callable[[Path], str]
    words: tuple[str, ...]
    ours: bool = True
    files: tuple[str, ...] = ()


def content_of(*parts: Any) -> str:
    """Anything by its bytes."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, SpikeRaster):
            part = [part.sample, part.step, part.neuron, *part.extent, part.dt]
        if isinstance(part, dict):
            digest.update(content_of(*part.keys(), *part.values()).encode())
        elif isinstance(part, (list, tuple)):
            digest.update(content_of(*part).encode())
        elif isinstance(part, np.ndarray):
            digest.update(f"{part.dtype}{part.shape}".encode() + np.ascontiguousarray(part).tobytes())
        else:
            digest.update(repr(part).encode())
    return digest.hexdigest()


def _recording(folder: Path) -> None:
    network, stimulus, n_steps = make("plain")
    save_recording(dlm.run(network, stimulus, n_steps, record=("s", "u", "v")), folder, "reference")


def _recorded(folder: Path) -> str:
    found = load_recording(folder)
    return content_of(found.network.digest(), found.n_samples, dict(found.rasters), dict(found.u), dict(found.v))


def chain(integer: bool = False) -> Any:
    """A small chain of layers that every format can hold."""
    rng = np.random.default_rng(4)
    populations = {"pixels": dlm.Input((6,)), "hidden": dlm.LIF((5,), dv=0.125), "output": dlm.LIF((3,), dv=0.25)}
    weights = [rng.integers(-32, 32, shape) / 64 for shape in ((5, 6), (3, 5))]
    names = list(populations)
    network = dlm.Network(populations, [dlm.Projection(*names[i : i + 2], dlm.Dense(w)) for i, w in enumerate(weights)])
    return (
        dlm.quantize(network, calibration={"pixels": rng.integers(0, 2, (4, 9, 6))}, n_steps=9)[0]
        if integer
        else network
    )


def _nir(folder: Path) -> None:
    from dlm_snn.exchange.nir.writer import write_nir

    write_nir(chain(), folder / "a.nir")


def foreign(make: Callable[[Path], Any]) -> Callable[[Path], None]:
    """As others write it: without the checksum at the end of a file of ours."""

    def unsealed(folder: Path) -> None:
        make(folder)
        for path in folder.iterdir():
            path.write_bytes(path.read_bytes()[:-24])

    return unsealed


def _read_nir(folder: Path) -> str:
    from dlm_snn.exchange.nir.reader import read_nir

    return read_nir(folder / "a.nir").digest()


def _net(folder: Path) -> None:
    from dlm_snn.exchange.netx.writer import write_net

    write_net(chain(integer=True), folder / "a.net")


def _read_net(folder: Path) -> str:
    from dlm_snn.exchange.netx.reader import read_net

    return read_net(folder / "a.net").digest()


def _nwb(folder: Path) -> None:
    from dlm_snn.exchange.rasters.nwb import write_nwb

    write_nwb({"hidden": RASTER}, folder / "a.nwb")


def _read_nwb(folder: Path) -> str:
    from dlm_snn.exchange.rasters.nwb import read_nwb

    return content_of(read_nwb(folder / "a.nwb")[0])


def _csv(folder: Path) -> None:
    from dlm_snn.exchange.rasters.csv_files import write_csv

    write_csv({"hidden": RASTER, "output": RASTER[:, :, :2]}, folder / "a.csv")


def _read_csv(folder: Path) -> str:
    from dlm_snn.exchange.rasters.csv_files import read_csv

    return content_of(read_csv(folder / "a.csv"))


def _sorted() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return np.sort(rng.integers(0, 30_000, 60)), rng.integers(0, 5, 60)


def _phy(folder: Path) -> None:
    counted, clusters = _sorted()
    np.save(folder / "spike_times.npy", counted.astype(np.uint64))
    np.save(folder / "spike_clusters.npy", clusters.astype(np.int32))
    (folder / "params.py").write_text("dat_path = 'a.bin'\nn_channels_dat = 4\nsample_rate = 30000.\n")


def _read_phy(folder: Path) -> str:
    from dlm_snn.exchange import read_phy

    return content_of(read_phy(folder, 1e-3).rasters)


def _sorting(folder: Path) -> None:
    counted, clusters = _sorted()
    arrays = {"spike_indexes_seg0": counted, "spike_labels_seg0": clusters, "unit_ids": np.arange(5)}
    np.savez(folder / "a.npz", sampling_frequency=np.array([3e4]), num_segment=np.array([1]), **arrays)


def _read_sorting(folder: Path) -> str:
    from dlm_snn.exchange import read_sorting

    return content_of(read_sorting(folder / "a.npz", 1e-3).rasters)


def _saved(folder: Path) -> None:
    counted, clusters = _sorted()
    fields = [(name, "<i8") for name in ("sample_index", "unit_index", "segment_index")]
    np.save(folder / "spikes.npy", np.array([*zip(counted, clusters, 0 * clusters, strict=True)], dtype=fields))
    info = {"sampling_frequency": 3e4, "unit_ids": list(range(5)), "num_segments": 1}
    (folder / "numpysorting_info.json").write_text(json.dumps(info))


def _read_saved(folder: Path) -> str:
    from dlm_snn.exchange import read_sorting

    return content_of(read_sorting(folder, 1e-3).rasters)


def _timed(folder: Path) -> None:
    rows = [f"{time / 30_000:.5f},{unit}" for time, unit in zip(*_sorted(), strict=True)]
    (folder / "a.csv").write_text("\n".join(["time,unit", *rows]) + "\n")


def _read_timed(folder: Path) -> str:
    from dlm_snn.exchange import read_timed_csv

    return content_of(read_timed_csv(folder / "a.csv", {"time": "time", "unit": "unit"}, 1e-3).rasters)


def _trials(folder: Path) -> None:
    import pynwb

    file = pynwb.NWBFile("a session", "someone", pynwb.file.datetime(2020, 1, 1).astimezone())
    group = file.create_electrode_group("g", "x", "?", file.create_device("d"))
    for area in ("CA1", "CA3"):
        file.add_electrode(location=area, group=group)
    counted, clusters = _sorted()
    for unit in range(5):
        file.add_unit(spike_times=counted[clusters == unit] / 3e4, id=unit, electrodes=[unit % 2])
    for trial in range(4):
        file.add_trial(trial / 4, (trial + 1) / 4)
    with pynwb.NWBHDF5IO(str(folder / "a.nwb"), "w") as io:
        io.write(file)


def _read_trials(folder: Path) -> str:
    from dlm_snn.exchange import read_session

    session = read_session(folder / "a.nwb", 1e-3, trials=True)
    return content_of(session.rasters, session.unit_ids, session.areas, session.trials)


def events(seed: int = 0) -> bytes:
    """A recording of N-MNIST."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.integers(0, 2**18, 60))
    columns = (rng.integers(0, 34, 60), rng.integers(0, 34, 60), time >> 16 | rng.integers(0, 2, 60) << 7)
    return np.stack([*columns, time >> 8 & 255, time & 255], axis=1).astype(np.uint8).tobytes()


def _read_bs2(folder: Path) -> str:
    from dlm_snn.exchange.rasters.events import from_events
    from dlm_snn.exchange.rasters.nmnist import read_bs2

    return content_of(from_events([read_bs2(folder / "a.bs2")], 1e-3)[0])


def _aedat4(folder: Path) -> None:
    import dv_processing as dv

    store = dv.EventStore()
    for i in range(200):
        store.push_back(1_000_000 + i * 137, i % 40, (i * 7) % 30, bool(i % 2))
    writer = dv.io.MonoCameraWriter(
        str(folder / "a.aedat4"), dv.io.MonoCameraWriter.EventOnlyConfig("camera", (40, 30))
    )
    writer.writeEvents(store)


def _read_aedat4(folder: Path) -> str:
    from dlm_snn.exchange.rasters.aedat4 import read_aedat4
    from dlm_snn.exchange.rasters.events import from_events

    found, shape = read_aedat4(folder / "a.aedat4")
    return content_of(from_events([found], 1e-3, shape)[0])


def _recorded_by_a_camera(name: str, content: bytes, shape: tuple[int, int, int] | None = None) -> Subject:
    """A recording of an event camera in one file."""

    def make(folder: Path) -> None:
        (folder / name).write_bytes(content)

    def read(folder: Path) -> str:
        from dlm_snn.exchange import event_file

        return content_of(event_file(folder / name, shape).raster(1e-3)[0])

    told = ("--shape", ",".join(map(str, shape))) if shape else ()
    return Subject(make, read, ("import", f"d/{name}", "--dt", "1e-3", *told, "--out", "out/x"), ours=False)


def _nmnist(folder: Path) -> None:
    with zipfile.ZipFile(folder / "nmnist-excerpt.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, numbers in (("train1K.txt", range(1, 21)), ("test100.txt", range(21, 31))):
            archive.writestr(name, "".join(f"{number} {number % 10}\n" for number in numbers))
        for number in range(1, 31):
            archive.writestr(f"{number}.bs2", events(number))


def _read_nmnist(folder: Path) -> str:
    from dlm_snn.tasks.recordings import nmnist_excerpt

    found = nmnist_excerpt(folder)
    return content_of(dict(found.parts), [found.raster(number) for part in found.parts.values() for number in part])


def mnist_arrays() -> dict[str, np.ndarray]:
    """A small MNIST."""
    rng = np.random.default_rng(1)
    return {
        f"{kind}_{part}": rng.integers(0, high, (n, *shape), dtype=np.uint8)
        for part, n in SAMPLES.items()
        for kind, high, shape in (("x", 256, (28, 28)), ("y", 10, ()))
    }


def mnist_checksums() -> dict[str, str]:
    """What stands for the published ones."""
    return {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in mnist_arrays().items()}


def _idx(folder: Path, packed: bool) -> None:
    from dlm_snn.tasks.download import MNIST

    arrays = mnist_arrays()
    for file, name in zip(MNIST.files, ("x_train", "y_train", "x_test", "y_test"), strict=True):
        shape = arrays[name].shape
        content = bytes((0, 0, 8, len(shape))) + b"".join(n.to_bytes(4, "big") for n in shape) + arrays[name].tobytes()
        place = folder / (file.name if packed else file.name.removesuffix(".gz"))
        place.write_bytes(gzip.compress(content) if packed else content)


def _read_mnist(folder: Path) -> str:
    from dlm_snn.tasks import datasets

    datasets._MNIST_SHA256 = mnist_checksums()
    found = datasets.mnist(folder)
    return content_of(found.x_train, found.y_train, found.x_test, found.y_test)


def _config(folder: Path) -> None:
    from dlm_snn.config import dump_config
    from experiments.recipes.config import RunConfig

    (folder / "a.yaml").write_text(dump_config(RunConfig()))


def _read_config(folder: Path) -> str:
    from dlm_snn.config import load_config
    from experiments.recipes.config import RunConfig

    return repr(load_config(RunConfig, folder / "a.yaml"))


@cache
def _learned() -> str:
    """The rows of a learner that takes no time, as the command line writes them."""
    from dlm_snn import cli

    with TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        cli.main([*LEARN, "--results", folder, "--runs", f"{folder}/runs"])
        return (Path(folder) / LEARNED).read_text()


def _rows(folder: Path) -> None:
    (folder / LEARNED).write_text(_learned())


def _read_rows(folder: Path) -> str:
    from dlm_snn.continual.standings import standings, table
    from experiments.harness.rows import CONTINUAL_ROW, read_rows

    rows = read_rows(folder / LEARNED, CONTINUAL_ROW)
    table(standings(rows))
    # A torn last line is passed over, and told of by being run again; key by key, since a damaged key may stand beside.
    return "\n".join(content_of(replace(row, extra={}).to_json()) for row in rows)


def _run(folder: Path) -> None:
    from dlm_snn.provenance import Provenance
    from dlm_snn.runs.run_folder import save_record
    from tests.test_report import build

    build(folder / "run")
    save_record(Provenance("dlm-snn run", seed=7, digests={"network": "5c" * 32}), folder / "run", replace=True)


def _read_run(folder: Path) -> str:
    from dlm_snn.runs.run_folder import read_run

    found = read_run(folder / "run")
    arrays = [stored.arrays for stored in found.networks.values()]
    rasters = [dict(of) for of in found.rasters.values()]
    traces = [(trace.v, trace.before) for trace in found.traces]
    answers = None if found.answers is None else vars(found.answers)
    return content_of(found.config, dict(found.record), found.metrics.to_json(), arrays, rasters, traces, answers)


def _older_run(folder: Path) -> None:
    _run(folder)
    record = json.loads((folder / "run" / "record.json").read_text())
    (folder / "run" / "record.json").write_text(
        json.dumps({k: v for k, v in record.items() if k not in ("files", "crc32")})
    )


def _shown(folder: Path) -> str:
    from dlm_snn.report import write_report

    return write_report(folder / "run").read_text()


def _imported(kind: str) -> tuple[str, ...]:
    return ("import", f"d/a.{kind}", "--out", "out/x")


SUBJECTS = {
    "network": Subject(
        lambda d: artifact.save(make("plain")[0], d / "a"),
        lambda d: artifact.load(d / "a").digest(),
        ("export", "d/a", "--to", "nir", "--out", "out/x.nir"),
    ),
    "integer": Subject(
        lambda d: artifact.save(chain(integer=True), d / "a"),
        lambda d: artifact.load(d / "a").digest(),
        ("export", "d/a", "--to", "net", "--out", "out/x.net"),
    ),
    "npz": Subject(
        lambda d: RASTER.save(d / "a.npz"),
        lambda d: content_of(SpikeRaster.load(d / "a.npz")),
        ("raster", "convert", "d/a.npz", "out/x.csv"),
    ),
    "raster": Subject(
        lambda d: RASTER.save(d / "a.raster"),
        lambda d: content_of(SpikeRaster.load(d / "a.raster")),
        ("raster", "convert", "d/a.raster", "out/x.npz"),
    ),
    "recording": Subject(_recording, _recorded, ("raster", "convert", "d", "out/x")),
    "config": Subject(
        _config, _read_config, ("train", "--config", "d/a.yaml", "--set", "data.dataset=none"), ours=False
    ),
    "csv": Subject(_csv, _read_csv, _imported("csv")),
    "nir": Subject(_nir, _read_nir, _imported("nir")),
    "net": Subject(_net, _read_net, _imported("net")),
    "nwb": Subject(_nwb, _read_nwb, _imported("nwb")),
    "foreign nir": Subject(foreign(_nir), _read_nir, _imported("nir"), ours=False),
    "foreign net": Subject(foreign(_net), _read_net, _imported("net"), ours=False),
    "foreign nwb": Subject(foreign(_nwb), _read_nwb, _imported("nwb"), ours=False),
    "trials nwb": Subject(
        _trials, _read_trials, ("import", "d/a.nwb", "--dt", "1e-3", "--trials", "--out", "out/x"), ours=False
    ),
    "phy": Subject(_phy, _read_phy, ("import", "d", "--dt", "1e-3", "--out", "out/x"), ours=False),
    "sorting": Subject(_sorting, _read_sorting, ("import", "d/a.npz", "--dt", "1e-3", "--out", "out/x"), ours=False),
    "saved sorting": Subject(_saved, _read_saved, ("import", "d", "--dt", "1e-3", "--out", "out/x"), ours=False),
    "timed csv": Subject(
        _timed,
        _read_timed,
        ("import", "d/a.csv", "--columns", "time=time,unit=unit", "--dt", "1e-3", "--out", "out/x"),
        ours=False,
    ),
    "bs2": Subject(
        lambda d: (d / "a.bs2").write_bytes(events()),
        _read_bs2,
        ("import", "d/a.bs2", "--dt", "1e-3", "--out", "out/x"),
        ours=False,
    ),
    "aedat4": Subject(_aedat4, _read_aedat4, ("import", "d/a.aedat4", "--dt", "1e-3", "--out", "out/x"), ours=False),
    "aedat2": _recorded_by_a_camera("a.aedat", event_files.aedat2(event_files.events())),
    "aedat2 davis": _recorded_by_a_camera("a.aedat", event_files.aedat2(event_files.events(), "Davis346blue")),
    "aedat3": _recorded_by_a_camera("a.aedat", event_files.aedat3(event_files.events())),
    "dat": _recorded_by_a_camera("a.dat", event_files.dat(event_files.events())),
    "npy": _recorded_by_a_camera("a.npy", event_files.npy(event_files.array(event_files.events())), (2, 100, 90)),
    "nmnist": Subject(
        _nmnist,
        _read_nmnist,
        ("learn", "--stream", "--learner", "kept", "--set", "nonsense=1", "--data-dir", "d", "--results", "out"),
    ),
    "mnist npz": Subject(
        lambda d: np.savez_compressed(d / "mnist.npz", **mnist_arrays()),
        _read_mnist,
        TRAIN_MNIST,
    ),
    "mnist idx": Subject(lambda d: _idx(d, packed=False), _read_mnist, TRAIN_MNIST),
    "mnist gz": Subject(lambda d: _idx(d, packed=True), _read_mnist, TRAIN_MNIST),
    "rows": Subject(_rows, _read_rows, (*LEARN, "--results", "d", "--runs", "out")),
    "run": Subject(_run, _read_run, ("report", "d/run")),
}
OLDER = Subject(
    _older_run,
    _shown,
    ("report", "d/run"),
    ours=False,
    files=("run/metrics.json", "run/network.json", "run/integer.json"),
)
"""A run folder without checksums, as earlier versions wrote it, and all of its page."""


def made(subject: Subject, folder: Path) -> list[str]:
    """Write a subject; the names of its files."""
    folder.mkdir(parents=True)
    subject.make(folder)
    return list(subject.files) or sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def copies(whole: Path, place: Path) -> Iterator[Path]:
    """Fresh copies of a folder, one after another in one place."""
    while True:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(whole, place)
        yield place
