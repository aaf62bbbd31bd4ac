"""Files that others wrote, opened without trust: what is damaged, foreign or without end becomes one line."""
