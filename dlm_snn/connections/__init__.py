"""Connections: one linear map a file."""
