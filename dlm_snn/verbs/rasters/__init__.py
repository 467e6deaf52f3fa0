"""What ``dlm-snn`` does with rasters."""
