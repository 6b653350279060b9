"""What the keys of a checkpoint mean: open, inspect, verify, compare.

    prefixes, opening   the checkpoint that a path means, and what is in it
    formats, contents   which keys a checkpoint has, and what they say
    roles               what a variable is for
    evidence/           how that is told: by graphs, names, shapes and siblings
    optimizers/         what optimizers keep, and how one's state becomes another's
    weight_files/       weights in a file of their own: frozen graphs, safetensors

Built on `bundle`, which knows bytes and no meaning; nothing here decides what is
carried where (that is `maps`) or writes a checkpoint (that is `conversion`), and
nothing imports TensorFlow.
"""
