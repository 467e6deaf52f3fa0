"""Torch modules of any class, taken by running them on a sample, and proved on it."""
