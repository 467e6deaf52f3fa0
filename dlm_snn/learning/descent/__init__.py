"""Learning by gradient descent, and what protects old tasks in it."""
