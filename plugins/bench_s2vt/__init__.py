"""S2VT: two stacked LSTMs that first watch a video and then tell it."""
