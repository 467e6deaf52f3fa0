"""The shell of the command line: lists every verb, survives a broken one, answers bad input in one line."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import SimpleNamespace

import pytest

from dlm_snn import DlmError, Input, Network, __version__, cli, plugins, run
from dlm_snn.config import Config
from dlm_snn.errors import FaultError
from dlm_snn.files.atomic import writing_folder
from dlm_snn.verbs.verb import Verb

HEAVY = {"torch", "lava", "brian2", "matplotlib", "sklearn", "scipy", "pydantic", "snntorch"}
OWN = [
    "analyze",
    "check",
    "compare",
    "convert",
    "deploy",
    "doctor",
    "energy",
    "experiment",
    "export",
    "fetch",
    "import",
    "learn",
    "raster",
    "report",
    "run",
]
OWN += ["simulate", "train"]

Use = Callable[..., None]


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=0)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Replaces the installed verbs by ``try`` with a body of the test, and by a ``broken`` one."""

    def replace(body: Callable[[Namespace], int | None]) -> None:
        points = {
            "try": SimpleNamespace(value="here:try", load=lambda: Verb("tries it", _arguments, body)),
            "broken": EntryPoint("broken", "no_such_module_anywhere:verb", cli.GROUP),
            "odd": SimpleNamespace(value="here:odd", load=lambda: 3),
        }
        monkeypatch.setattr(plugins, "names", lambda group: points)

    return replace


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


@pytest.mark.parametrize("code", ["import dlm_snn", "from dlm_snn.cli import main; main(['--help'])"])
def test_loads_nothing_heavy(code: str) -> None:
    shown = python(f"import sys; {code}; print('loaded:', *{{name.partition('.')[0] for name in sys.modules}})")
    loaded = set(shown.stdout.rpartition("loaded:")[2].split())
    assert "dlm_snn" in loaded
    assert not loaded & HEAVY


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert [line.split()[0] for line in shown.partition("verbs:\n")[2].splitlines()] == OWN


def test_help_of_a_verb(use: Use, capsys: pytest.CaptureFixture[str]) -> None:
    use(lambda _: None)
    assert cli.main(["try", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "tries it" in shown
    assert "--count" in shown
    assert "--debug" in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"dlm-snn {__version__}\n"


def test_no_verb_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "verbs:" in capsys.readouterr().err


def test_arguments_reach_the_verb(use: Use) -> None:
    use(lambda arguments: arguments.count)
    assert cli.main(["try", "--count", "7"]) == 7
    assert cli.main(["try"]) == 0


def test_a_broken_verb_leaves_the_others(use: Use, capsys: pytest.CaptureFixture[str]) -> None:
    use(lambda _: None)
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert "try     tries it" in shown
    assert "(unavailable: ModuleNotFoundError: No module named 'no_such_module_anywhere')" in shown
    assert "(unavailable: here:odd is a int, not a Verb)" in shown
    assert cli.main(["broken"]) == 2
    assert "unavailable" in one_line(capsys)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tyr"], "no verb 'tyr'; did you mean 'try'?"),
        (["zzz"], "no verb 'zzz'; known: broken, odd, try"),
        (["--wrong", "try"], "unrecognized arguments: --wrong"),
        (["try", "--wrong"], "unrecognized arguments: --wrong"),
        (["try", "--count", "x"], "argument --count: invalid int value: 'x'"),
        (["try", "--coun", "3"], "unrecognized arguments: --coun"),
    ],
)
def test_usage_errors(use: Use, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    use(lambda _: None)
    assert cli.main(words) == 2
    assert said in one_line(capsys)


class _Small(Config):
    size: int = 3


def _open_missing(_: Namespace) -> None:
    Path("/no/such/file").read_text()


def _raise(error: BaseException) -> Callable[[Namespace], int]:
    def body(_: Namespace) -> int:
        raise error

    return body


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (_raise(DlmError("weight is 3;\nat most 2")), 2, "dlm-snn: weight is 3; at most 2"),
        (lambda _: _Small(size="many"), 2, 'dlm-snn: _Small: size = "many": should be a valid integer'),
        (_open_missing, 2, "dlm-snn: /no/such/file: No such file or directory"),
        (_raise(ModuleNotFoundError("no", name="brian3")), 2, "dlm-snn: the package 'brian3' is not installed"),
        (_raise(KeyboardInterrupt()), 130, "dlm-snn: interrupted"),
        (_raise(MemoryError("9 TiB")), 2, "dlm-snn: the memory does not suffice (9 TiB); take fewer samples"),
        (_raise(OSError(errno.ENOSPC, "No space left on device")), 2, "dlm-snn: No space left on device"),
        (_raise(OSError("10 requested and 0 written")), 2, "dlm-snn: 10 requested and 0 written"),
        (_raise(FaultError("a fault of the program: KeyError")), 3, "dlm-snn: a fault of the program: KeyError"),
        (_raise(TypeError("oh")), 3, "dlm-snn: a fault of the program, TypeError: oh"),
    ],
)
def test_errors_are_one_line(
    use: Use, capsys: pytest.CaptureFixture[str], body: Callable[[Namespace], int], code: int, said: str
) -> None:
    use(body)
    assert cli.main(["try"]) == code
    assert one_line(capsys).startswith(said)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_a_command_as_an_interrupt_does(
    use: Use, capsys: pytest.CaptureFixture[str], number: signal.Signals, tmp_path: Path
) -> None:
    def body(_: Namespace) -> None:
        with writing_folder(tmp_path / "a"):
            os.kill(os.getpid(), number)
            signal.pause()

    use(body)
    before = signal.signal(number, signal.SIG_DFL)
    assert cli.main(["try"]) == 128 + number
    assert one_line(capsys) == f"dlm-snn: ended by {number.name}"
    assert list(tmp_path.iterdir()) == []
    assert signal.signal(number, before) is signal.SIG_DFL


def test_an_ignored_hangup_stays_ignored(use: Use) -> None:
    use(lambda _: os.kill(os.getpid(), signal.SIGHUP))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert cli.main(["try"]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("words", [["--debug", "try"], ["try", "--debug"]])
def test_debug_shows_the_traceback(use: Use, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    use(_raise(DlmError("wrong")))
    assert cli.main(words) == 2
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert shown.endswith("dlm-snn: wrong\n")


def test_not_installed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(plugins, "names", lambda group: {})
    assert cli.main(["run"]) == 2
    assert "not installed" in one_line(capsys)


def test_a_reader_that_leaves() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    shown = subprocess.run(
        [sys.executable, "-m", "dlm_snn.cli", "--help"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (shown.returncode, shown.stderr) == (141, "")


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_entry_points_are_looked_up_once_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr(plugins, "entry_points", lambda: looked.append(1) or entry_points())
    for kept in (plugins._installed, plugins.names):
        kept.cache_clear()
    network = Network({"x": Input((1,))}, ())
    for backend in ("reference", "fast", "reference"):
        run(network, {"x": [[1]]}, 1, backend=backend)
    assert "kept" in plugins.names("dlm_snn.learners")
    assert cli.main(["--help"]) == 0
    assert looked == [1]
