"""The field's test sets as data: what each asks, how large it is, who says so, and its ids where we have the list."""
