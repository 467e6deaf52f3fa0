"""One run: train, convert, simulate everywhere, compare."""
