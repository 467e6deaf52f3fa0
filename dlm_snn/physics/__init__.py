"""The Dissipative Learning Machine's physics: dynamics of weights, ledgers of neurons, noise, closed forms."""
