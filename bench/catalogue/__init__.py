"""What there is, by name: models, tasks and datasets of all plugins, and what bench.yaml declares."""
