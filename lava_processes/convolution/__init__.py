"""Lava's Conv between flat populations, as a Lava Process."""
