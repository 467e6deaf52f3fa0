"""Formats and foreign objects: one a file, refusing what they cannot say."""
