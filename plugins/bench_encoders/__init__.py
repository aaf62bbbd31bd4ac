"""Encoders of frames, windows and texts: two with weights out of packages, the others for weights that the user has."""
