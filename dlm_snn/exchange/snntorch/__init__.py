"""Modules of snnTorch."""
