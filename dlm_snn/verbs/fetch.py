"""``dlm-snn fetch``: bring a dataset into the cache, each file with its checksum."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dlm_snn.verbs.verb import Verb

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from dlm_snn.tasks.download import RemoteFile


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("dataset", help="mnist; digits is built in")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where it goes (default: ~/.cache/dlm-snn)")
    parser.add_argument("--mirror", metavar="URL", help="the folder to take it from, instead of the public mirrors")


def _run(arguments: Namespace) -> int:
    from dlm_snn import plugins
    from dlm_snn.errors import DlmError, nearest
    from dlm_snn.tasks.download import FILE_SETS, cache_folder, is_whole

    name = arguments.dataset
    known = {*FILE_SETS, *plugins.names("dlm_snn.datasets")}
    if name not in known:
        raise DlmError(f"no dataset '{name}'; {nearest(name, known)}")
    if name not in FILE_SETS:
        print(f"{name} is built in: nothing to fetch")
        return 0
    files = FILE_SETS[name]
    folder = (arguments.cache.expanduser() if arguments.cache else cache_folder()) / name
    missing = [file for file in files.files if not is_whole(folder / file.name, file)]
    if not missing:
        print(f"{name} is in {folder} already, its checksums are right")
        return 0
    _fetch(missing, [arguments.mirror] if arguments.mirror else list(files.mirrors), folder)
    print(f"{name} is in {folder}, its checksums are right")
    return 0


def _fetch(missing: list[RemoteFile], mirrors: list[str], folder: Path) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from dlm_snn.tasks.download import download

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for file in missing:
            task = progress.add_task(file.name, total=file.size)
            download(file, mirrors, folder, partial(_advance, progress, task))


def _advance(progress: Progress, task: TaskID, size: int) -> None:
    progress.update(task, completed=size)


fetch = Verb("bring a dataset into the cache, with checksums", _arguments, _run)
