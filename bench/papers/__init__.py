"""A paper's table with our figures beside it: which runs belong to it, what they say of it, and its pages."""
