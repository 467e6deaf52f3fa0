"""Leaky integrate-and-fire neurons with a refractory period, as a Lava Process."""
