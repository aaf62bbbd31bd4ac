"""TSN: a few snippets of a video agree on its class."""
