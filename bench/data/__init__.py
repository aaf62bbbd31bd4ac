"""Files on disk become records: annotations split by split, frame features as sources read lazily by video."""
