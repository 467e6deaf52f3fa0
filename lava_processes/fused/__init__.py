"""A whole network as one Lava Process."""
