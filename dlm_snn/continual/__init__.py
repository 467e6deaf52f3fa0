"""What a continual run is and says; no learner."""
