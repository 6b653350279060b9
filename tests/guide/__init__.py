"""TensorFlow's guide "Migrating model checkpoints", block by block.

Each test reaches the guide's values through the guide's own calls and, where this
toolkit has a call for it, through that.
"""
