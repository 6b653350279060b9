"""The optimizer state of a checkpoint, as a Keras optimizer goes on from it.

Slots, steps, beta powers and loss scales; what cannot go on exactly is said. What is
known of each optimizer is in `checkpoint.optimizers`; live ones are described in
`objects`.
"""
