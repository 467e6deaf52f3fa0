"""NIR, the Neuromorphic Intermediate Representation."""
