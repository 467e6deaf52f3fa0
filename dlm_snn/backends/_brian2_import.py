"""Brian2 as a guest: imported and run without leaving logs, handlers, preferences or caches behind."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

FROZEN_BY_PYTHON = 1000
"""Objects that an interpreter may have frozen by itself (3.12 has 375): a program that freezes has many more."""
_SETTINGS = {
    "codegen.target": "numpy",
    "core.default_float_dtype": np.float64,
    # An interrupt is to end the run with KeyboardInterrupt, not to hand on a recording that stops short.
    "core.stop_on_keyboard_interrupt": False,
}

_one_at_a_time = threading.RLock()


def _imported() -> ModuleType:
    """Import Brian2; if nobody else has yet, undo what its import does to the process.

    It opens a debug log, copies the main script, shows Python warnings through a handler of its own, and replaces
    the hook for uncaught exceptions and the handler of Ctrl-C (brian2 2.9.0, __init__.py and utils/logger.py).
    """
    if "brian2" in sys.modules:
        return sys.modules["brian2"]
    hook, shown = sys.excepthook, warnings.showwarning
    with _without_deprecations(), _without_handlers():
        import brian2
    sys.excepthook = hook
    logging.captureWarnings(False)
    if warnings.showwarning is not shown:  # they were captured before
        logging.captureWarnings(True)
    _close_logs()
    return brian2


def _close_logs() -> None:
    from brian2.utils.logger import BrianLogger

    logging.getLogger("py.warnings").removeHandler(BrianLogger.console_handler)
    if BrianLogger.file_handler is not None:
        logging.getLogger("brian2").removeHandler(BrianLogger.file_handler)
        BrianLogger.file_handler.close()
    for path in (BrianLogger.tmp_log, BrianLogger.tmp_script):
        if path is not None:
            with contextlib.suppress(OSError):
                os.remove(path)
    BrianLogger.file_handler = BrianLogger.tmp_log = BrianLogger.tmp_script = None


@contextlib.contextmanager
def _without_handlers() -> Iterator[None]:
    """Signal handlers that this thread sets are not set: Brian2 sets one, which Python refuses outside the main one."""
    original, here = signal.signal, threading.get_ident()

    def set_elsewhere(number: Any, handler: Any) -> Any:
        return signal.getsignal(number) if threading.get_ident() == here else original(number, handler)

    signal.signal = set_elsewhere  # type: ignore[assignment]
    try:
        yield
    finally:
        signal.signal = original


@contextlib.contextmanager
def _without_deprecations() -> Iterator[None]:
    """Brian2 2.9.0 calls pyparsing and others by names that they have given up."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        yield


@contextlib.contextmanager
def local_settings() -> Iterator[None]:
    """Brian2 on its runtime device, in float64 NumPy, its log quiet below warnings; afterwards all as it was.

    Its objects hold each other in cycles of large arrays that count for little with the garbage collector, and its
    cache of translated code keeps an entry for every size of a population: both are let go of here. What was there
    before the run is frozen meanwhile, so that collections, Brian2's own too, look at the run's objects alone.
    Preferences, clock and caches are the process's: threads run one after another.
    """
    with _one_at_a_time:
        yield from _settings()


def _settings() -> Iterator[None]:
    from brian2.codegen.translation import make_statements
    from brian2.devices.device import reset_device

    translations = make_statements._cache
    known = set(translations)
    log = logging.getLogger("brian2")
    level = log.level
    before = {key: brian2.prefs[key] for key in _SETTINGS}
    elsewhere = brian2.get_device() is not brian2.all_devices["runtime"]
    freezing = gc.get_freeze_count() < FROZEN_BY_PYTHON
    if freezing:
        gc.freeze()
    if elsewhere:
        brian2.set_device("runtime")
    try:
        log.setLevel(logging.WARNING)
        brian2.prefs.update(_SETTINGS)
        with _without_deprecations():
            yield
    finally:
        brian2.prefs.update(before)
        log.setLevel(level)
        for key in translations.keys() - known:
            del translations[key]
        gc.collect()
        if freezing:
            gc.unfreeze()
        if elsewhere:
            reset_device()


brian2 = _imported()
