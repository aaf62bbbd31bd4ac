"""A light head on frozen vectors of frames and sentences: the mean, or a transformer over frames."""
