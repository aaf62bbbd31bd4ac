"""Controls: the floor under every table."""
