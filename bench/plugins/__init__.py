"""Plugins: how they are found, what they may offer, and what keeps their code from changing anyone else's run."""
