"""Moment retrieval as a package outside the tree: a task of its own kind, controls, and a way in for encoders."""
