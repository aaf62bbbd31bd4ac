"""What a board says, as HTML, Markdown, CSV, JSON and LaTeX."""
