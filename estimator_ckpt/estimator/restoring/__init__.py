"""What a job restores: which checkpoint is its own, whether it is whole, which keys.

Nothing here saves, and nothing decides what a path or a key means: that is
`checkpoint`'s, in the store that the path is in.
"""
