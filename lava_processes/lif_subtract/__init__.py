"""Leaky integrate-and-fire neurons with reset by subtraction, as a Lava Process."""
