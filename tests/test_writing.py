"""Nothing is lost: what gives way, what is left of a kill between any two steps, two writers, full disks, links."""

from __future__ import annotations

import errno
import gc
import io
import os
import resource
import stat
from pathlib import Path

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn import DlmError, IntegerNetwork, SpikeRaster
from dlm_snn.exchange.formats import write_rasters
from dlm_snn.exchange.rasters.csv_files import write_csv
from dlm_snn.exchange.rasters.nwb import write_nwb
from dlm_snn.files import aside, renaming
from dlm_snn.files.atomic import check, write_text, writing, writing_folder
from dlm_snn.files.layouts import FolderKind, text_file
from dlm_snn.files.packed import write_npz
from dlm_snn.files.reading import settled
from dlm_snn.networks import artifact
from dlm_snn.runs.raster_files import RasterWriter
from dlm_snn.runs.recording_files import RECORDING, load_recording, save_recording

TEXT = text_file("a text of ours", begins="ours")
TEXTS = FolderKind("a folder of texts", {"*.txt": TEXT, "in/*/*.txt": TEXT}, ("a.txt", TEXT))
RASTER = SpikeRaster.from_dense(np.eye(4, dtype=bool)[None])
OTHER = SpikeRaster.from_dense(np.eye(4, dtype=bool)[None, ::-1])


def network(weight: float = 1.0) -> dlm.Network:
    populations = {"x": dlm.Input((2,)), "h": dlm.LIF((2,), dv=0.1, v_threshold=1.0)}
    return dlm.Network(populations, (dlm.Projection("x", "h", dlm.Dense(np.full((2, 2), weight))),))


def integers(weight: int = 2) -> IntegerNetwork:
    populations = {"x": dlm.Input((2,)), "h": dlm.IntegerLIF((2,), dv=0, v_threshold=1)}
    dense = dlm.Dense(np.full((2, 2), weight))
    return IntegerNetwork(populations, (dlm.IntegerProjection("x", "h", dense),))


def fill(folder: Path, text: str) -> None:
    (folder / "in" / "b").mkdir(parents=True)
    for name in ("a.txt", "in/b/c.txt"):
        (folder / name).write_text(f"ours {text}")


def content(path: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def replace_folder(path: Path, text: str) -> None:
    with writing_folder(path, TEXTS, replace=True) as folder:
        fill(folder, text)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda folder: (folder / "thesis.md").write_text("ours"), r"it holds 'thesis\.md', which is no part of a fol"),
        (lambda folder: (folder / "in" / "b" / "d").mkdir(), r"it holds 'in/b/d', which is no part"),
        (lambda folder: (folder / "b.txt").write_text("theirs"), r"it holds 'b\.txt', which is no part"),
        (lambda folder: (folder / "b.txt").symlink_to(folder / "a.txt"), r"it holds 'b\.txt', which is no part"),
        (lambda folder: (folder / "a.txt").unlink(), r"it has no a\.txt of a folder of texts"),
        (lambda folder: (folder / "a.txt").write_text("theirs"), r"it has no a\.txt of a folder of texts"),
    ],
)
def test_a_folder_with_anything_else_in_it_is_not_replaced(tmp_path, damage, reason):
    path = tmp_path / "r"
    path.mkdir()
    fill(path, "old")
    damage(path)
    before = content(path)
    for act in (check, replace_folder):
        with pytest.raises(DlmError, match=f"r is not replaced: {reason}"):
            act(path, "new") if act is replace_folder else act(path, TEXTS, True)
    assert content(path) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["r"]


@pytest.mark.parametrize("name", [".", "..", "../..", "../../here/inner"])
def test_the_current_folder_and_those_above_are_never_replaced(tmp_path, monkeypatch, name):
    here = tmp_path / "here" / "inner"
    here.mkdir(parents=True)
    for folder in (here, here.parent):
        (folder / "a.txt").write_text("ours")
    monkeypatch.chdir(here)
    for act in (lambda path: check(path, TEXTS, True), lambda path: replace_folder(path, "new")):
        with pytest.raises(DlmError, match="which is the current folder or one above it"):
            act(Path(name))
    assert (here / "a.txt").exists()


def saves(folder: Path) -> dict[str, tuple[Path, object, object]]:
    """Name -> what every door of Python writes: path, the call for something, the call for another thing."""
    small, large = {"h": RASTER}, {"h": OTHER}

    def piecewise(path, raster, replace=False):
        with RasterWriter(path, *raster.extent, replace=replace) as writer:
            writer.append(raster, 0)

    def recorded(path, rasters, replace=False):
        sink = dlm.FolderSink(path, replace=replace)
        dlm.run(network(), {"x": np.full((1, 2), rasters, bool)}, 3, record=sink)

    return {
        "network": (folder / "n.json", (dlm.save, network(), folder / "n"), (dlm.save, network(2.0), folder / "n")),
        "npz": (folder / "a.npz", (SpikeRaster.save, RASTER), (SpikeRaster.save, OTHER)),
        "raster": (folder / "a.raster", (SpikeRaster.save, RASTER), (SpikeRaster.save, OTHER)),
        "writer": (folder / "w.raster", (piecewise, None, RASTER), (piecewise, None, OTHER)),
        "sink": (folder / "sink", (recorded, None, True), (recorded, None, False)),
        "csv": (folder / "a.csv", (write_csv, small), (write_csv, large)),
        "nir": (folder / "a.nir", (dlm.write_nir, network()), (dlm.write_nir, network(2.0))),
        "net": (folder / "a.net", (dlm.write_net, integers()), (dlm.write_net, integers(4))),
        "nwb": (folder / "a.nwb", (write_nwb, small), (write_nwb, large)),
    }


def act(path: Path, call: tuple, **options) -> None:
    function, given, *more = call
    if given is None:
        function(path, *more, **options)
    else:
        function(given, *(more or [path]), **options)


def shown(path: Path) -> object:
    files = [path, path.with_suffix(".safetensors")] if path.suffix == ".json" else [path]
    return [content(file) if file.is_dir() else file.read_bytes() for file in files]


@pytest.mark.parametrize("name", list(saves(Path())))
def test_every_door_refuses_what_exists_and_replaces_its_own_kind(tmp_path, name):
    if name == "nwb":
        pytest.importorskip("pynwb")
    path, first, second = saves(tmp_path)[name]
    act(path, first)
    before = shown(path)
    with pytest.raises(DlmError, match=f"{path.name} exists; choose another name, or give --replace"):
        act(path, second)
    assert shown(path) == before
    act(path, second, replace=True)
    assert shown(path) != before
    foreign = path / "thesis.txt" if path.is_dir() else path
    foreign.write_text("thesis")
    with pytest.raises(DlmError, match=f"{path.name} is not replaced: "):
        act(path, first, replace=True)
    assert foreign.read_text() == "thesis"


def test_rasters_that_others_put_into_one_folder_are_not_replaced(tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    theirs.mkdir()
    RASTER.save(theirs / "a.npz")
    with pytest.raises(DlmError, match=r"no files\.json"):
        write_rasters({"h": OTHER}, theirs, replace=True)
    write_rasters({"h": RASTER}, ours)
    write_rasters({"h": OTHER}, ours, replace=True)
    RASTER.save(ours / "mine.npz")
    with pytest.raises(DlmError, match=r"holds 'mine\.npz', which is no part"):
        write_rasters({"h": RASTER}, ours, replace=True)
    assert np.array_equal(SpikeRaster.load(ours / "h.npz").neuron, OTHER.neuron)


def test_a_network_is_replaced_by_one_of_its_arithmetic_only(tmp_path):
    dlm.save(network(), tmp_path / "n")
    with pytest.raises(DlmError, match=r"n\.json is not replaced: it is not an integer network"):
        dlm.save(integers(), tmp_path / "n", replace=True)
    assert dlm.load(tmp_path / "n").digest() == network().digest()


def test_arrays_and_budgets_without_a_network_are_left_alone(tmp_path):
    for ending in ("safetensors", "loss.json"):
        path = tmp_path / f"n.{ending}"
        path.write_text("theirs")
        with pytest.raises(DlmError, match=rf"n\.{ending} exists, without n\.json beside it"):
            dlm.save(network(), tmp_path / "n", replace=True)
        path.unlink()
    assert list(tmp_path.iterdir()) == []


def test_a_network_of_the_form_before_digests_of_arrays_still_loads(tmp_path):
    dlm.save(network(), tmp_path / "n")
    path = tmp_path / "n.json"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if '"tensors"' not in line))
    assert dlm.load(tmp_path / "n").digest() == network().digest()
    dlm.save(network(2.0), tmp_path / "n", replace=True)
    assert dlm.load(tmp_path / "n").digest() == network(2.0).digest()


class Killed(BaseException):
    """The process is gone."""


def save_pair(path: Path, text: str) -> None:
    """Networks whose arrays differ; the new one has no loss budget."""
    loss = {"bits": 8, "projections": [], "populations": []} if text == "old" else None
    artifact.save(integers(2 if text == "old" else 4), path, replace=True, loss=loss)


STEPS = ((os, "link"), (os, "replace"), (os, "rename"), (renaming, "give"), (renaming, "exchange"), (Path, "unlink"))
CASES = {
    "file": ("n.txt", lambda path, text: write_text(path, f"ours {text}", TEXT, replace=True)),
    "folder": ("n", replace_folder),
    "network": ("n.json", save_pair),
}


def kill_at(step: int, monkeypatch: pytest.MonkeyPatch, path: Path, call) -> bool:
    """Write, and stop before the given step of renaming; nothing is cleaned up. False where there are fewer steps."""
    done = 0
    with monkeypatch.context() as patch:

        def counted(function):
            def before(*args, **kwargs):
                nonlocal done
                if done == step:
                    raise Killed
                done += 1
                return function(*args, **kwargs)

            return before

        patch.setattr(aside, "_undo", lambda *_: None)
        patch.setattr(aside, "_remove", lambda *_: None)
        for module, name in STEPS:
            patch.setattr(module, name, counted(getattr(module, name)))
        try:
            call(path, "new")
        except Killed:
            return True
    return False


def seen(folder: Path, case: str) -> str:
    """Which of the two a reader finds."""
    if case == "network":
        weight = dlm.load(folder / "n").projections[0].connection.weight
        return {2: "old", 4: "new"}[int(weight[0, 0])]
    texts = content(folder / "n").values() if case == "folder" else [(folder / "n.txt").read_bytes()]
    (text,) = set(texts)
    return text.decode().removeprefix("ours ")


@pytest.mark.parametrize("able", [True, False], ids=["exchange", "without exchange"])
@pytest.mark.parametrize("case", list(CASES))
def test_a_kill_between_any_two_steps_leaves_the_old_or_the_new(tmp_path, monkeypatch, case, able):
    name, call = CASES[case]
    if not able:
        monkeypatch.setattr(renaming, "_renamed", lambda *_: False)
    killed, step = True, 0
    found = set()
    while killed:
        folder = tmp_path / str(step)
        folder.mkdir()
        call(folder / name, "old")
        old = content(folder)
        killed = kill_at(step, monkeypatch, folder / name, call)
        # Where folders cannot be exchanged, one moment has the old one aside.
        before = seen(folder, case) if able or case != "folder" or (folder / name).exists() else "old"
        aside.recover(folder)
        assert seen(folder, case) == before
        found.add(before)
        if before == "old":
            assert content(folder) == old
        else:
            wanted = {"n.json", "n.safetensors"} if case == "network" else set(old)
            assert set(content(folder)) == wanted
        assert not [entry for entry in folder.iterdir() if entry.name.startswith(".")]
        step += 1
    assert found == {"old", "new"}
    assert step > 2


def test_a_first_network_that_is_killed_leaves_nothing(tmp_path, monkeypatch):
    step = 0
    while kill_at(step, monkeypatch, tmp_path / str(step) / "n.json", made_above):
        folder = tmp_path / str(step)
        aside.recover(folder)
        assert {entry.name for entry in folder.iterdir()} in (set(), {"n.json", "n.safetensors"})
        step += 1
    assert step > 1


def made_above(path: Path, text: str) -> None:
    path.parent.mkdir()
    save_pair(path, text)


def test_what_a_live_command_writes_is_left_to_it(tmp_path):
    with writing_folder(tmp_path / "a") as folder:
        (folder / "x").write_text("x")
        write_text(tmp_path / "b", "text")
        aside.recover(tmp_path)
        assert (folder / "x").exists()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a", "b"]


def left(place: Path) -> None:
    """What a killed command would leave that had placed ``c`` and set ``b`` aside."""
    for name in ("new/a", "placed/c", "old/b"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("left")


def test_what_another_user_left_moves_and_removes_nothing(tmp_path, monkeypatch):
    for name in ("b", "c"):
        (tmp_path / name).write_text("mine")
    left(tmp_path / ".a.dlm-0123456789ab")
    owner = os.geteuid()
    with monkeypatch.context() as other:
        other.setattr(os, "geteuid", lambda: owner + 1)
        write_text(tmp_path / "a", "text")
    assert [(tmp_path / name).read_text() for name in ("a", "b", "c")] == ["text", "mine", "mine"]
    aside.recover(tmp_path)
    assert [entry.name for entry in sorted(tmp_path.iterdir())] == ["a", "b"]


def test_a_link_is_no_place_that_was_left(tmp_path):
    left(tmp_path / "precious")
    (tmp_path / ".a.dlm-0123456789ab").symlink_to("precious")
    before = content(tmp_path / "precious")
    write_text(tmp_path / "a", "text")
    assert content(tmp_path / "precious") == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".a.dlm-0123456789ab", "a", "precious"]


def test_other_hidden_files_are_no_business_of_ours(tmp_path):
    names = [".a.txt.swp", ".a.dlm-", ".a.dlm-x", ".a.lock", ".dlm-0123456789ab"]
    for name in names:
        (tmp_path / name).mkdir()
    write_text(tmp_path / "a", "text")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([*names, "a"])


def test_of_two_that_write_one_folder_one_is_refused_or_each_is_whole(tmp_path):
    path = tmp_path / "a"

    def both(replace: bool) -> None:
        with writing_folder(path, TEXTS, replace) as first:
            fill(first, "first")
            with writing_folder(path, TEXTS, replace) as second:
                fill(second, "second")

    with pytest.raises(DlmError, match="a exists; choose another name"):
        both(replace=False)
    assert set(content(path).values()) == {b"ours second"}
    both(replace=True)
    assert set(content(path).values()) == {b"ours first"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_what_was_put_there_during_the_work_is_not_replaced(tmp_path):
    path = tmp_path / "a"

    def write() -> None:
        with writing_folder(path, TEXTS, replace=True) as folder:
            fill(folder, "new")
            path.mkdir()
            (path / "thesis.md").write_text("")

    with pytest.raises(DlmError, match="a is not replaced"):
        write()
    assert (path / "thesis.md").exists()


@pytest.mark.parametrize("mask", [0o077, 0o002])
def test_the_umask_decides_who_may_read(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_text(tmp_path / "a.txt", "text")
        with writing_folder(tmp_path / "deep" / "b") as folder:
            fill(folder, "new")
        dlm.save(network(), tmp_path / "n")
    finally:
        os.umask(before)
    for path in tmp_path.rglob("*"):
        full = 0o777 if path.is_dir() else 0o666
        assert stat.S_IMODE(path.stat().st_mode) == full & ~mask, path


def test_a_link_stays_a_link(tmp_path):
    place = tmp_path / "store"
    place.mkdir()
    (tmp_path / "t.txt").symlink_to(place / "text.txt")
    (tmp_path / "f").symlink_to(place / "folder")
    for ending in ("json", "safetensors", "loss.json"):
        (tmp_path / f"n.{ending}").symlink_to(place / f"net.{ending}")
    for text in ("old", "new"):
        for name, call in (("t.txt", CASES["file"][1]), ("f", replace_folder), ("n", save_pair)):
            call(tmp_path / name, text)
    with pytest.raises(DlmError, match=r"n\.json and .*n\.proof\.json lead into two folders"):
        dlm.save(integers(4), tmp_path / "n", replace=True, proof={})
    links = [path for path in tmp_path.iterdir() if path != place]
    assert all(path.is_symlink() for path in links)
    assert {path.name for path in place.iterdir()} == {"text.txt", "folder", "net.json", "net.safetensors"}
    assert (place / "text.txt").read_text() == "ours new"
    assert dlm.load(tmp_path / "n").digest() == integers(4).digest()


def test_links_of_a_network_lead_into_one_folder(tmp_path):
    for number, ending in enumerate(("json", "safetensors")):
        (tmp_path / str(number)).mkdir()
        (tmp_path / f"n.{ending}").symlink_to(tmp_path / str(number) / f"n.{ending}")
    with pytest.raises(DlmError, match="lead into two folders"):
        dlm.save(network(), tmp_path / "n")


def test_links_of_a_network_lead_to_one_network(tmp_path):
    dlm.save(integers(4), tmp_path / "n", loss={"bits": 8, "projections": {}, "populations": {}})
    before = content(tmp_path)
    (tmp_path / "alias.json").symlink_to("n.json")
    for name in ("safetensors", "loss.json"):
        with pytest.raises(DlmError, match=f"leads to n.json, .*alias.{name} to alias.{name}, which do not belong"):
            dlm.save(integers(2), tmp_path / "alias", replace=True)
        (tmp_path / f"alias.{name}").symlink_to(f"n.{name}")
    assert {name: value for name, value in content(tmp_path).items() if name in before} == before
    dlm.save(integers(2), tmp_path / "alias", replace=True)
    assert dlm.load(tmp_path / "n").digest() == integers(2).digest() == dlm.load(tmp_path / "alias").digest()
    assert not (tmp_path / "n.loss.json").exists()


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_and_other_errors_go_on(tmp_path, code):
    def write(path: Path, error: OSError) -> None:
        with writing(path) as file:
            file.write(b"ours")
            raise error

    with pytest.raises(DlmError, match=r"cannot write .*a\.txt \(.*\); make room, or choose another disk; nothing was"):
        write(tmp_path / "a.txt", OSError(code, os.strerror(code)))
    with pytest.raises(ConnectionError):
        write(tmp_path / "a.txt", ConnectionError("the mirror is gone"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["fsync", "rename"])
@pytest.mark.parametrize("case", list(CASES))
def test_a_full_disk_leaves_the_old_result(tmp_path, monkeypatch, case, step):
    name, call = CASES[case]
    call(tmp_path / name, "old")
    before = content(tmp_path)
    with monkeypatch.context() as patch:
        for module, function in [(os, "fsync")] if step == "fsync" else [(os, "replace"), (renaming, "exchange")]:
            patch.setattr(module, function, full)
        with pytest.raises(DlmError, match="No space left on device"):
            call(tmp_path / name, "new")
    assert content(tmp_path) == before


def test_a_raster_says_that_the_disk_is_full(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    from dlm_snn.runs.raster_files import _append

    with Path("/dev/full").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space") as caught:
        _append(file, np.zeros(10, np.uint32))
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize(
    ("path", "kind"), [("nowhere/a.txt", TEXT), ("file/a.txt", TEXT), ("file/a", TEXTS), ("file", TEXTS), (".", TEXT)]
)
def test_places_that_cannot_be_written_are_refused_before_the_work(tmp_path, monkeypatch, path, kind):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    with pytest.raises(DlmError, match=f"cannot write {path}"):
        check(Path(path), kind)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("write", [lambda path: dlm.save(network(), path), RASTER.save])
def test_a_name_that_the_system_has_not_is_refused(tmp_path, write):
    with pytest.raises(DlmError, match="null byte"):
        write(tmp_path / "a\0b.npz")


@pytest.mark.parametrize("name", ["n", "n.json", "n.safetensors"])
def test_save_says_which_file_it_wrote(tmp_path, name):
    assert artifact.save(network(), tmp_path / name) == tmp_path / "n.json"


def test_folders_that_were_made_above_go_where_nothing_comes_of_it(tmp_path):
    def write() -> None:
        with writing_folder(tmp_path / "a" / "b" / "c", TEXTS):
            raise Killed

    with pytest.raises(Killed):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_in_an_archive_is_one_line(tmp_path, capsys):
    raster = SpikeRaster.from_dense(np.random.default_rng(0).random((4, 500, 100)) < 0.3)

    def write() -> None:
        with writing_folder(tmp_path / "r") as folder:
            raster.save(folder / "h.npz")

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(DlmError, match=r"cannot write .*/r \(File too large\); make room"):
            write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    # An archive that is left open would say so when it is collected.
    gc.collect()
    assert capsys.readouterr().err == ""
    assert list(tmp_path.iterdir()) == []


def test_arrays_are_packed_as_numpy_packs_them(tmp_path):
    ours, theirs = io.BytesIO(), io.BytesIO()
    arrays = {"a": np.arange(6).reshape(2, 3), "b/u": np.float64(0.5), "empty": np.zeros((0, 4))}
    write_npz(ours, arrays)
    np.savez_compressed(theirs, **arrays)
    assert ours.getvalue() == theirs.getvalue()


def recorded(weight: float) -> dlm.Recording:
    return dlm.run(network(weight), {"x": np.ones((1, 2), dtype=int)}, n_steps=4, record=("s", "v"))


def write_recording(path: Path, weight: float) -> None:
    with writing_folder(path, RECORDING, replace=True) as folder:
        save_recording(recorded(weight), folder, "reference")


def test_a_recording_that_gives_way_while_it_is_read_is_not_mixed_with_the_next(tmp_path, monkeypatch):
    path = tmp_path / "recording"
    write_recording(path, 0.1)
    load, turns = artifact.load, iter([0.2, 0.3])

    def replaced_after(name: Path) -> object:
        found = load(name)
        if (weight := next(turns, None)) is not None:
            write_recording(path, weight)
        return found

    monkeypatch.setattr(artifact, "load", replaced_after)
    found = load_recording(path)
    last = recorded(0.3)
    assert found.network.digest() == last.network.digest()
    assert np.array_equal(found.v["h"], last.v["h"])


def test_a_folder_that_always_changes_is_refused(tmp_path):
    def read(folder: Path) -> None:
        replace_folder(folder, "again")

    replace_folder(tmp_path / "a", "first")
    with pytest.raises(DlmError, match="changes all the time"):
        settled(tmp_path / "a", read)
    with pytest.raises(ValueError, match="of its own"):
        settled(tmp_path / "a", lambda folder: int("of its own"))
