"""The generated datasets that ship inside bench."""
