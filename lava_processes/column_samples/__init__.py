"""The whole front end of the columns, a sample a step, as a Lava Process."""
