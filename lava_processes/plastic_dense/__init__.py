"""Plastic dense synapses that compute where events are, as a Lava Process."""
