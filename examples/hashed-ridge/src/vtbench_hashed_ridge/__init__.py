"""A retrieval model in 25 lines of numpy."""
