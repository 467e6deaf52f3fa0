"""Ways onto the chip and off it."""
