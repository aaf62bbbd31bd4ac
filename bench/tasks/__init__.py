"""Tasks: one module per kind; each module's docstring is its protocol."""
