"""Pure functions from predictions to numbers: ranking and statistics."""
