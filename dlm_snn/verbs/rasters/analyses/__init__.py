"""One analysis of ``dlm-snn analyze`` a module."""
