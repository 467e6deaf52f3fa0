"""Physics of membranes: noise, energy, irreversibility."""
