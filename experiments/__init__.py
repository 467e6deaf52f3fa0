"""Experiments: one file each, a frozen CONFIG and a table of VARIANTS; one runner."""
