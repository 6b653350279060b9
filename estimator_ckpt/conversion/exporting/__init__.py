"""Checkpoints as files of tensors that TensorFlow is not needed for.

What goes into a `.safetensors` file and under which names, how it is written without
being held, and the way back from PyTorch's layout.
"""
