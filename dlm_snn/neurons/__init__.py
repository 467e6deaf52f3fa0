"""Neuron models: one model a file, parameters as a frozen dataclass and one pure step."""
