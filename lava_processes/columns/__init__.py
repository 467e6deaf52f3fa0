"""Columns of competing neurons that learn while they run, as a Lava Process."""
