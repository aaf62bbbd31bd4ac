"""Wrong answers judged by people, and captions judged by models: which, what was said, and what a figure is with it."""
