"""Plastic dense synapses that compute where events are, as a Lava Process."""

from lava_processes import _compat  # noqa: F401  (lets Lava be imported)
