"""Lava's CPU simulator as backends of dlm_snn."""
