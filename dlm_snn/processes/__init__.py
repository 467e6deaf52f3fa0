"""Python processes that we start, and whose packages they find."""
