"""Physics of weights: their dynamics, heat, work and entropy."""
