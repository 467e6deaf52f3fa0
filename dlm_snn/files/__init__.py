"""How files are written and read: whole, checked, and nothing lost."""
