"""Frame features: layouts on disk, packs, and features made up or generated."""
