"""From what people pass to a checkpoint's files: which one a path means, and where.

    prefixes    what a path can mean          state_file  the file named `checkpoint`
    v1_files    checkpoints of before 2017    wholeness   which files make one whole

Names of files and their first bytes are looked at in here, in any store. What is in a
checkpoint is read in `checkpoint/opening.py`: no index is decoded in here but for its
shards.
"""
