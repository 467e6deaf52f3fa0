"""Integer neurons that carry their energy ledger along, as a Lava Process."""
