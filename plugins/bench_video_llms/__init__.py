"""Models that are asked in words, behind an endpoint or in this process: captions, yes or no, and classes."""
