"""k-winners-take-all neurons, as a Lava Process."""

from lava_processes import _compat as _compat
