"""Dense connections of a batch, as a Lava Process."""

from lava_processes import _compat  # noqa: F401  (lets Lava be imported)
