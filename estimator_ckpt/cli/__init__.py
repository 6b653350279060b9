"""absl flags, the training job and the `estimator-ckpt` commands.

Thin: a command parses, calls what the rooms below offer, and prints. Nothing here
decides what a checkpoint means or what a variable gets.
"""
