"""Dense connections of a batch, as a Lava Process."""
