"""From each sort of TensorFlow's files into Keras 3, on each of its backends."""
