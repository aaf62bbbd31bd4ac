"""What a board shows, drawn by matplotlib."""
