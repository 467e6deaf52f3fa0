"""Network -> Lava processes; ``build`` for one's own graph, the backends ``lava-float`` and ``lava-fixed`` to run.

Importing it loads nothing of Lava, and lets Lava be imported where it could not be.
"""

from typing import TYPE_CHECKING, Any

from lava_processes import _compat

_compat.mend()

if TYPE_CHECKING:
    from lava_processes.graph import Graph, build

__all__ = ["Graph", "build"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'lava_processes' has no attribute {name!r}")
    from lava_processes import graph

    return getattr(graph, name)
