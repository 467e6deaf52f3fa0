"""Leaky integrate-and-fire neurons with a refractory period, as a Lava Process."""

from lava_processes import _compat  # noqa: F401  (lets Lava be imported)
