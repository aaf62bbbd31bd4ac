"""Records become pages: reads result JSON and evidence files and nothing else; deterministic to the byte."""
