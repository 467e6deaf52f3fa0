"""Training of networks by a surrogate gradient."""
