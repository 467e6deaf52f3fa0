"""Integer neurons that carry their energy ledger along, as a Lava Process."""

from lava_processes import _compat  # noqa: F401  (lets Lava be imported)
