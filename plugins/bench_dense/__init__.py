"""DENSE: segments of a video described each in the context of the others."""
