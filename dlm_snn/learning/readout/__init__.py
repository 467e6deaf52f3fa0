"""A read-out that learns on fixed features."""
