"""u and v written out step by step, as a Lava Process."""

from lava_processes import _compat as _compat
