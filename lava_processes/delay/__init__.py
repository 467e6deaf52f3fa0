"""A delay line, as a Lava Process."""

from lava_processes import _compat  # noqa: F401  (lets Lava be imported)
