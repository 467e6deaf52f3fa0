"""Estimators with intervals and controls, which say "not resolved" where a number would mislead."""
