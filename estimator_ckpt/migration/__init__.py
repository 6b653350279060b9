"""Names, object graphs, plans and conversions of checkpoints. No TensorFlow."""
