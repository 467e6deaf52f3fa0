"""Statistics of spike rasters in Hz and ms; users find them in ``dlm_snn.analysis``."""
