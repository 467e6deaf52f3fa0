"""Recordings of spikes in other formats."""
