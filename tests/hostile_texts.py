"""Texts that a careless program would run, follow, or let break a page, a table or a terminal; harmless here."""

from __future__ import annotations

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a | b | c",
    "[click](javascript:alert(1))",
    "![x](https://example.org/x.png)",
    "{{ 7 * 7 }}{% raw %}",
    "`code` **bold** _it_ ~~no~~",
    "two\nlines\r\n# heading",
    "https://example.org www.example.org",
    "\u202eevil\u2066\x00\x1b[31m",
    "&lt;b&gt; &amp;",
    "</style><style>body{display:none}",
    "--> <!--",
    "x" * 5000,
]
WORST = [
    *HOSTILE,
    "<svg onload=alert(1)>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "' autofocus onfocus=alert(1) x='",
    '=HYPERLINK("https://example.org")',
    "$\\input{/etc/passwd}$",
    "</script><script>alert(1)</script>",
    "</title></svg><img src=x onerror=alert(1)>",
    "\u202egnp.exe",
    "y" * 10_000,
]
