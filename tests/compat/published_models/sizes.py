"""The sizes of the small models, and what they are given, for both libraries."""

VOCABULARY, POSITIONS, TYPES, CLASSES = 31, 12, 2, 11
HIDDEN, HEADS, INTERMEDIATE = 16, 4, 24
#: ALBERT and ELECTRA: how wide the embeddings are.
EMBEDDING = 8
#: T5: the size of a head, which is not the width over the heads.
KEY, BUCKETS, FARTHEST = 6, 8, 10
BATCH, LENGTH, IMAGE = 2, 7, 64
