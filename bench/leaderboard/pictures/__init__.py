"""What a board shows beside its tables."""
