"""Wrong answers judged by people: which are drawn, what was said of them, and what recall is with them."""
