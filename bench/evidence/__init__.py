"""Records whose numbers follow from their evidence."""
