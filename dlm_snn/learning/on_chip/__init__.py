"""Learning rules of the chip, as Lava computes them."""
