"""Fetching: whole and right, or nothing; from the next mirror when one fails."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dlm_snn import cli
from dlm_snn.errors import DlmError
from dlm_snn.tasks import download
from dlm_snn.tasks.download import FileSet, RemoteFile

GOOD = bytes(range(256)) * 1000
FILE = RemoteFile("images.gz", len(GOOD), hashlib.md5(GOOD).hexdigest())
LABELS = RemoteFile("labels.gz", 5, hashlib.md5(b"01234").hexdigest())


class Handler(BaseHTTPRequestHandler):
    """Answers by the folder in the address."""

    def do_GET(self) -> None:
        folder, name = self.path.strip("/").split("/")
        good = {"images.gz": GOOD, "labels.gz": b"01234"}[name]
        if folder == "absent":
            self.send_error(404)
            return
        if folder == "slow":
            time.sleep(1)
        body = {"truncated": good[:-1], "wrong": b"x" + good[1:], "long": good * 3}.get(folder, good)
        self.send_response(200)
        # 'cut' announces the whole file and breaks off
        self.send_header("Content-Length", str(len(good) if folder == "cut" else len(body)))
        self.end_headers()
        self.wfile.write(body[:1000] if folder == "cut" else body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hung up is what some tests are about."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def known(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FileSet:
    """The loopback server's set in place of MNIST's files; the cache is the test's own."""
    files = FileSet("mnist", "mnist.npz", (FILE, LABELS), (f"{server}/good/",))
    monkeypatch.setitem(download.FILE_SETS, "mnist", files)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return files


def test_good(server: str, tmp_path: Path) -> None:
    seen: list[int] = []
    download.download(FILE, [f"{server}/good"], tmp_path / "new" / "folder", seen.append)
    assert (tmp_path / "new" / "folder" / FILE.name).read_bytes() == GOOD
    assert seen == sorted(seen)
    assert seen[-1] == FILE.size


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("truncated", "255999 of 256000 bytes came"),
        ("cut", "1000 of 256000 bytes came"),
        ("long", "more than 256000 of 256000 bytes came"),
        ("wrong", f"expected {FILE.md5[:12]}"),
        ("absent", "HTTP Error 404: Not Found"),
        ("slow", "timed out"),
    ],
)
def test_bad(server: str, tmp_path: Path, folder: str, said: str) -> None:
    with pytest.raises(DlmError) as caught:
        download.download(FILE, [f"{server}/{folder}/"], tmp_path, timeout=0.5)
    assert f"could not fetch images.gz: {server}/{folder}/images.gz: " in str(caught.value)
    assert said in str(caught.value)
    assert "--mirror" in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("mirror", "said"),
    [
        ("http://127.0.0.1:9/", "onnection refused"),
        ("nonsense", "unknown url type"),
        ("http://127.0.0.1:x/", "nonnumeric port"),
    ],
)
def test_no_server(tmp_path: Path, mirror: str, said: str) -> None:
    with pytest.raises(DlmError, match=said):
        download.download(FILE, [mirror], tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_next_mirror_is_tried(server: str, tmp_path: Path) -> None:
    mirrors = [f"{server}/{folder}/" for folder in ("absent", "wrong", "good")]
    download.download(FILE, mirrors, tmp_path)
    assert (tmp_path / FILE.name).read_bytes() == GOOD


def test_a_folder_that_cannot_be_made(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DlmError, match=r"cannot make .*--cache"):
        download.download(FILE, [f"{server}/good/"], tmp_path / "file" / "folder")


def test_the_verb(known: FileSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "dlm-snn" / "mnist"
    assert cli.main(["fetch", "mnist"]) == 0
    assert capsys.readouterr().out == f"mnist is in {folder}, its checksums are right\n"
    assert {path.name for path in folder.iterdir()} == {"images.gz", "labels.gz"}
    assert known.find(tmp_path / "dlm-snn") == [folder / "images.gz", folder / "labels.gz"]


def test_already_there(known: FileSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fetch", "mnist", "--cache", str(tmp_path)]
    assert cli.main(words) == 0
    # Without a mirror that works, only a second fetch that fetches nothing can succeed.
    assert cli.main([*words, "--mirror", "nonsense"]) == 0
    assert capsys.readouterr().out.endswith("already, its checksums are right\n")
    (tmp_path / "mnist" / "images.gz").write_bytes(b"x" + GOOD[1:])
    assert cli.main([*words, "--mirror", "nonsense"]) == 2
    assert cli.main(words) == 0
    assert (tmp_path / "mnist" / "images.gz").read_bytes() == GOOD


def test_a_failing_fetch_is_one_line(
    known: FileSet, server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["fetch", "mnist", "--mirror", f"{server}/wrong/", "--cache", str(tmp_path)]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("dlm-snn: could not fetch images.gz: ")
    assert not list((tmp_path / "mnist").iterdir())


def test_built_in_and_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fetch", "digits"]) == 0
    assert capsys.readouterr().out == "digits is built in: nothing to fetch\n"
    assert cli.main(["fetch", "mnits"]) == 2
    assert capsys.readouterr().err == "dlm-snn: no dataset 'mnits'; did you mean 'mnist'?\n"
