"""DVC: segments described by their descriptive frames and the words they call for."""
