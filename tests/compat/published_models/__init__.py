"""Small models of published architectures in TensorFlow 1.15, and in PyTorch.

The TensorFlow models have the variables' names and the formulas of the originals; their
sizes are small and their weights random.
"""
