"""One tensor as bytes: its dtype, its array, its framed strings, its slices.

Which tensor it is, and in which shard its bytes are, is not known in here: no index,
no shard, no file.
"""
