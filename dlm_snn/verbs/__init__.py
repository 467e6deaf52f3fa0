"""Verbs of the command line: light modules, heavy imports inside their functions."""
