"""Columns of competing spiking neurons that keep what they learned."""
