"""A new checkpoint's files: there whole or not at all, and nothing left behind.

The source held still while it is read, the destination claimed by one process, drafts
beside it and the index last. What is written under which key is decided before.
"""
