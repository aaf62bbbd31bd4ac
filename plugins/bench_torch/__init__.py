"""Torch blocks that model plugins share. Registers nothing."""
