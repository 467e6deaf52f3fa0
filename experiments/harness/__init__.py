"""Many runs: cells, rows, resuming, processes."""
