"""Tasks: data with checksums."""
