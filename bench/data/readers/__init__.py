"""Annotation files, one reader per form."""
