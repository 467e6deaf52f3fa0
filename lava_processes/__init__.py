"""Networks and Lava processes: ``build`` for one's own graph, ``from_lava`` for the way back, the backends to run.

Importing it loads nothing of Lava, and lets Lava be imported where it could not be.
"""

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports
from lava_processes import _compat

_compat.mend()

_HOME = {
    "BatchDense": "batch_dense.process",
    "FromLava": "graph_in.taken",
    "Graph": "graph",
    "PlasticDense": "plastic_dense.process",
    "StateProbe": "probe.process",
    "build": "graph",
    "from_lava": "graph_in.reading",
    "stock_rule": "plastic_dense.process",
}

__all__ = ["BatchDense", "FromLava", "Graph", "PlasticDense", "StateProbe", "build", "from_lava", "stock_rule"]

if TYPE_CHECKING:
    from lava_processes.batch_dense.process import BatchDense
    from lava_processes.graph import Graph, build
    from lava_processes.graph_in.reading import from_lava
    from lava_processes.graph_in.taken import FromLava
    from lava_processes.plastic_dense.process import PlasticDense, stock_rule
    from lava_processes.probe.process import StateProbe

__getattr__, __dir__ = exports(__name__, _HOME)
