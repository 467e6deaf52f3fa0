"""Python processes that we start: they find our own packages, and nothing in the current folder.

Left to itself Python puts the current folder first on the path of ``python -c`` and ``python -m``, and a script's
folder on that of the script: a file ``json.py`` or ``numpy.py`` of the user's would be run in place of the real one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from dlm_snn.processes.our_packages import HOME, find_first

SAFE = "-P" if sys.version_info >= (3, 11) else "-I"
"""The interpreter's option that leaves the current folder out; Python 3.10 has only the stricter one."""

_START = (
    "import sys; from importlib.machinery import PathFinder; from importlib.util import module_from_spec; "
    "spec = PathFinder.find_spec('dlm_snn', [{home!r}]); package = sys.modules['dlm_snn'] = module_from_spec(spec); "
    "spec.loader.exec_module(package); from dlm_snn.processes.child import begin; "
    "sys.exit(begin({path!r}, {call!r}, {words!r}))"
)


def command(call: str, *words: str) -> list[str]:
    """The command line of a child that runs ``module:function`` with these words; its result is the exit code."""
    code = _START.format(home=str(HOME), path=_path(), call=call, words=list(words))
    return [sys.executable, SAFE, "-c", code]


def environment(**changed: str) -> dict[str, str]:
    """This process's environment for a child, without the current folder in PYTHONPATH."""
    variables = {**os.environ, "PYTHONSAFEPATH": "1", **changed}
    named = [entry for entry in variables.pop("PYTHONPATH", "").split(os.pathsep) if not _is_away(entry)]
    return {**variables, "PYTHONPATH": os.pathsep.join(named)} if named else variables


def begin(path: list[str], call: str, words: list[str]) -> Any:
    """What ``command`` has the child do."""
    sys.path[:] = [*path, *(entry for entry in sys.path if entry not in path)]
    find_first()
    module, _, function = call.partition(":")
    sys.argv[:] = [call, *words]
    return getattr(import_module(module), function)(*words)


@contextmanager
def safe_spawns() -> Iterator[None]:
    """Inside, what multiprocessing spawns starts as our own children do: for libraries that spawn by themselves."""
    from multiprocessing import spawn, util

    options: Any = util._args_from_interpreter_flags  # type: ignore[attr-defined]
    prepared = spawn.get_preparation_data

    def prepare(name: str) -> dict[str, Any]:
        data = {key: value for key, value in prepared(name).items() if not key.startswith("init_main")}
        return {**data, "sys_path": _path(), "init_main_from_name": find_first.__module__}

    util._args_from_interpreter_flags = lambda: [*options(), SAFE]  # type: ignore[attr-defined]
    spawn.get_preparation_data = prepare
    try:
        yield
    finally:
        util._args_from_interpreter_flags = options  # type: ignore[attr-defined]
        spawn.get_preparation_data = prepared


def _path() -> list[str]:
    """This process's path without what a child must not look into; our own packages' home is on it, last if need be."""
    path = [os.path.abspath(entry) for entry in sys.path if os.path.exists(entry) and not _is_away(entry)]
    return path if str(HOME) in path else [*path, str(HOME)]


def _is_away(entry: str) -> bool:
    """Whether an entry of the path is the current folder, or that of the script that is run."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    away = ["", os.path.dirname(script)] if script else [""]
    return not entry or os.path.realpath(entry) in map(os.path.realpath, away)
