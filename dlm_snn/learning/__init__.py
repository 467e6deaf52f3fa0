"""Continual learners, one a file; nothing here knows Lava or a chip."""
