"""Onto a Loihi 2: the deployment bundle, and the run of it where the vendor's extension and a board are there."""
