"""Verbs of the command line that run experiments."""
