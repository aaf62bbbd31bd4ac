"""One run from a request to a record, and the same record scored or computed again."""
