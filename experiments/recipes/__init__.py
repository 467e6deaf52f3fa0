"""What is run: configurations, variants, cells, seeds."""
