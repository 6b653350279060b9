"""Layers of TensorFlow 1.15, and the modules of PyTorch that give the same."""
