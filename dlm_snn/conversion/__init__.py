"""From floats to a chip's integers, and what it cost."""
