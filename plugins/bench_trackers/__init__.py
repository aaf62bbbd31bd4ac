"""Trackers: losses and measurements of runs in TensorBoard, MLflow and Weights & Biases, where bench.yaml asks."""
