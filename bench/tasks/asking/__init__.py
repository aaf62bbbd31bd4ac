"""Models asked batch by batch, every answer checked."""
