"""Confusions worth looking at: the most confused pairs of classes as a picture, all pairs and classes as tables."""
