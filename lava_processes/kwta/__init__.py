"""k-winners-take-all neurons, as a Lava Process."""
