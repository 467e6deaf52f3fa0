"""Our own packages are those beside this one, whatever else is called so on Python's path."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from dlm_snn.errors import DlmError

PACKAGES = ("dlm_snn", "lava_processes", "experiments", "hardware")
HOME = Path(__file__).resolve().parents[2]
"""The folder that holds them: a checkout, or site-packages."""


class _Beside:
    """Finds them before anyone else looks."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [str(HOME)], target) if name in PACKAGES else None


def find_first() -> None:
    """From now on ``import experiments`` finds ours. For processes that are ours: a user's may have one of that name.

    Raises:
        DlmError: another one is imported already.
    """
    for name in PACKAGES:
        places = [Path(place).resolve() for place in getattr(sys.modules.get(name), "__path__", ())]
        if places and HOME / name not in places:
            raise DlmError(
                f"the package '{name}' that is imported is {places[0]}, not dlm-snn's own; run dlm-snn in a process "
                "of its own"
            )
    if _Beside not in sys.meta_path:
        sys.meta_path.insert(0, _Beside)


if __name__ == "__mp_main__":  # what child.safe_spawns has a spawned process run first
    find_first()
