"""A stimulus that is fed in step by step, as a Lava Process."""
