"""Commands that ask about chips."""
