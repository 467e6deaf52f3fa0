"""The front end and its columns, a sample in every step, as a Lava Process."""
