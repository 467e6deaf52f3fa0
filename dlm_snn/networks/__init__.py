"""A network as data: checked, hashed, stored."""
