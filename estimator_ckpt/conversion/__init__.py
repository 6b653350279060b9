"""New checkpoints from old ones: formats, model dirs, first checkpoints, averages.

All that writes a checkpoint without TensorFlow is here. What a variable gets is
decided in `maps`; the bytes are laid out in `bundle`.
"""
