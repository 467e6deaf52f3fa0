"""What our neuron Processes for Lava share."""
