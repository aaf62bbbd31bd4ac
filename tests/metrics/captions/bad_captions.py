"""Captions that scorers stumble over, each different from the others once it is cut into words."""

BAD_CAPTIONS = (
    "",
    "...!?",
    "a man " * 1666 + "here",  # 10,000 characters
    "本 café naïve 😀 \u200b end",
    *(f"break{number} before{line_break}after" for number, line_break in enumerate(
        ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\x00")
    )),
    "fields ||| of METEOR ||| here",
    "SCORE ||| a ||| b",
    "EVAL ||| 1.0",
    "half a character \ud800 here",
    "tab\tand  spaces   ",
)  # fmt: skip
