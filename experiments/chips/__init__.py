"""Learned networks as a chip takes them, and what that costs in accuracy."""
