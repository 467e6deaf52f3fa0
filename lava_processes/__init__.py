"""Network -> Lava processes; ``build`` for one's own graph, the backends ``lava-float`` and ``lava-fixed`` to run.

Importing it loads nothing of Lava, and lets Lava be imported where it could not be.
"""

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports
from lava_processes import _compat

_compat.mend()

_HOME = {
    "BatchDense": "batch_dense.process",
    "Graph": "graph",
    "PlasticDense": "plastic_dense.process",
    "StateProbe": "probe.process",
    "build": "graph",
    "stock_rule": "plastic_dense.process",
}

__all__ = ["BatchDense", "Graph", "PlasticDense", "StateProbe", "build", "stock_rule"]

if TYPE_CHECKING:
    from lava_processes.batch_dense.process import BatchDense
    from lava_processes.graph import Graph, build
    from lava_processes.plastic_dense.process import PlasticDense, stock_rule
    from lava_processes.probe.process import StateProbe

__getattr__, __dir__ = exports(__name__, _HOME)
