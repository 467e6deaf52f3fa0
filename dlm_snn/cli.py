"""The shell of the command line ``dlm-snn``: finds the verbs by entry point, runs one, turns errors into one line."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from types import FrameType
from typing import Any, NoReturn

from dlm_snn import __version__, plugins
from dlm_snn.errors import DlmError, FaultError, MissingError, nearest
from dlm_snn.files import temporary
from dlm_snn.processes import our_packages
from dlm_snn.verbs.verb import DEBUG_HELP, Verb, add_debug

GROUP = "dlm_snn.verbs"
BAD_INPUT = 2
FAULT = 3
INTERRUPTED = 130
BROKEN_PIPE = 141


class _Parser(argparse.ArgumentParser):
    """A parser whose usage errors are one line too."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message}; see '{self.prog} --help'\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the words after the program's name; those of the process by default.

    Returns:
        the exit code: 0 done, 1 what was compared differs, 2 refused, 3 a fault of the program; 130 interrupted, 129
        or 143 ended by SIGHUP or SIGTERM, 141 the reader of the output left.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    return guarded(lambda: _dispatch(words), debug="--debug" in words)


def guarded(work: Callable[[], int], debug: bool = False) -> int:
    """Do the work of a command: signals end it, and errors are one line and an exit code; see ``main``."""
    try:
        with _told_warnings(), _ended_by_signals():
            our_packages.find_first()
            code = work()
        sys.stdout.flush()
    except SystemExit as stop:
        if not isinstance(stop.code, int):
            raise
        return stop.code
    except BrokenPipeError:
        _drop_output()
        return BROKEN_PIPE
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        line, code = _explained(error)
        print(f"dlm-snn: {line}", file=sys.stderr)
        try:
            sys.stdout.flush()
        except OSError:
            _drop_output()
    return code


def _drop_output() -> None:
    """What is still buffered must not raise again when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Ended(KeyboardInterrupt):
    """A signal asked the command to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end a command as Ctrl-C does; one that is ignored stays so, as under nohup."""
    numbers = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    ours = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    if threading.current_thread() is not threading.main_thread():
        ours = []

    def end(number: int, _: FrameType | None) -> NoReturn:
        # A second one must not cut the cleaning up short.
        for other in ours:
            signal.signal(other, signal.SIG_IGN)
        raise _Ended(number)

    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def _told_warnings() -> Iterator[None]:
    """Our own warnings in one line; those of others as Python shows them."""
    shown = warnings.showwarning

    def tell(message: Warning | str, category: type[Warning], *place: Any) -> None:
        if category.__module__ == "dlm_snn.errors":
            print(f"dlm-snn: {_one_line(message)}", file=sys.stderr)
        else:
            shown(message, category, *place)

    warnings.showwarning = tell  # type: ignore[assignment]
    try:
        yield
    finally:
        warnings.showwarning = shown


def _dispatch(words: Sequence[str]) -> int:
    """Options before the first plain word are the shell's (none takes a value), all after it are the verb's."""
    place = next((i for i, word in enumerate(words) if not word.startswith("-")), len(words))
    known = plugins.names(GROUP)
    shell = _shell()
    options = shell.parse_args(words[:place])
    if options.help:
        print(_help(shell, known), end="")
        return 0
    if place == len(words):
        print(_help(shell, known), end="", file=sys.stderr)
        return BAD_INPUT
    return _run(words[place], words[place + 1 :], known)


def _run(name: str, words: Sequence[str], known: Mapping[str, EntryPoint]) -> int:
    if not known:
        raise MissingError("dlm-snn is not installed in this environment; run 'pip install -e .' or 'make demo'")
    if name not in known:
        raise DlmError(f"no verb '{name}'; {nearest(name, known)}")
    found = _load(known[name])
    if isinstance(found, str):
        raise MissingError(f"verb '{name}' is unavailable: {found}; 'dlm-snn doctor' says what is missing")
    parser = _Parser(prog=f"dlm-snn {name}", description=found.help, allow_abbrev=False)
    found.arguments(parser)
    add_debug(parser)
    arguments = parser.parse_args(words)
    temporary.recover()
    try:
        return found.run(arguments) or 0
    except SystemExit as stop:
        # A verb returns its code: this is a file, module or package of the user's that it runs.
        from dlm_snn.files.own_files import ended

        raise ended(stop) from stop


def _load(point: EntryPoint) -> Verb | str:
    """The verb, or in words why it is not to be had: one broken verb must not take the others along."""
    try:
        verb = point.load()
    except Exception as error:
        return f"{type(error).__name__}: {_one_line(error)}"
    return verb if isinstance(verb, Verb) else f"{point.value} is a {type(verb).__name__}, not a Verb"


def _shell() -> argparse.ArgumentParser:
    shell = _Parser(
        prog="dlm-snn",
        usage="dlm-snn [--help] [--version] [--debug] VERB ...",
        description="A spiking, neuromorphic Dissipative Learning Machine.",
        add_help=False,
        allow_abbrev=False,
    )
    shell.add_argument("-h", "--help", action="store_true", help="show this help; 'dlm-snn VERB --help' for a verb's")
    shell.add_argument("--version", action="version", version=f"dlm-snn {__version__}", help="show the version")
    shell.add_argument("--debug", action="store_true", help=DEBUG_HELP)
    return shell


def _help(shell: argparse.ArgumentParser, known: Mapping[str, EntryPoint]) -> str:
    lines = [shell.format_help(), "verbs:"]
    width = max(map(len, known), default=0)
    for name, point in known.items():
        found = _load(point)
        text = f"(unavailable: {found})" if isinstance(found, str) else found.help
        lines.append(f"  {name:<{width}}  {text}")
    if not known:
        lines.append("  none: dlm-snn is not installed in this environment")
    return "\n".join(lines) + "\n"


def _explained(error: BaseException) -> tuple[str, int]:
    """One line for the user, and the exit code."""
    if isinstance(error, _Ended):
        return f"ended by {signal.Signals(error.number).name}", 128 + error.number
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", INTERRUPTED
    if isinstance(error, DlmError):
        return _one_line(error), BAD_INPUT
    if _is_pydantic(error):
        from dlm_snn.config import explain

        return explain(error), BAD_INPUT  # type: ignore[arg-type]
    if isinstance(error, ModuleNotFoundError):
        return f"the package '{error.name}' is not installed; 'dlm-snn doctor' says how to get it", BAD_INPUT
    if isinstance(error, MemoryError):
        return f"the memory does not suffice ({_one_line(error)}); take fewer samples, steps or neurons", BAD_INPUT
    if isinstance(error, OSError):
        reason = error.strerror or _one_line(error) or type(error).__name__
        return f"{error.filename}: {reason}" if error.filename is not None else reason, BAD_INPUT
    if isinstance(error, FaultError):
        return _one_line(error), FAULT
    return f"a fault of the program, {type(error).__name__}: {_one_line(error)}; --debug shows where", FAULT


def _is_pydantic(error: BaseException) -> bool:
    """Whether pydantic refused a value: asked by name, since importing pydantic costs more than the whole shell."""
    return type(error).__name__ == "ValidationError" and type(error).__module__.startswith("pydantic")


def _one_line(error: BaseException | str) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
