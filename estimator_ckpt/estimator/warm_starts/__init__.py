"""How a new job begins with values of an old checkpoint: decorator, hook and ops.

Which variable gets what is a plan of `maps`; a job that has a checkpoint of its own is
never warm-started, and goes through `restoring`.
"""
