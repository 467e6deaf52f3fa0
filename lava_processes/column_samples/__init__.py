"""The whole chain of the columns, a sample a step, as a Lava Process."""
