"""Libraries that can end the process, read apart from it."""
