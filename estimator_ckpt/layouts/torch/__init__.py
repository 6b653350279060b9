"""PyTorch's layouts: what its modules call their tensors, and how these are laid out.

Rules as data, in both directions, and what decides which rule a variable is for.
PyTorch is not needed.
"""
