"""Files on disk become records: annotations as `datasets` tables, frame features as sources read lazily by video."""
