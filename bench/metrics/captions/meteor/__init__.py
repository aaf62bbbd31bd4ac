"""METEOR 1.5 (English, `-norm`) in Python and numpy, equal to the program in Java item by item, and that program.

`bench.metrics.meteor` is the door for those who want METEOR alone. Where things are: `formula` from counts to scores,
`counting` from texts to counts; below it `normalising`, `stemming`, `synonyms`, `corpus`, `matching`, `phrases` and
`search`; `table` and `building` for the data; `program` is the reference.
"""
