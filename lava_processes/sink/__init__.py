"""Spikes written out step by step, as a Lava Process."""
