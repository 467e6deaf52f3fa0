"""A stimulus that is fed in step by step, as a Lava Process."""

from lava_processes import _compat as _compat
