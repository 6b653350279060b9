"""Which variable of a target is which of a checkpoint: proposes a map.

    suggestion                      a map proposed: what is asked, and the answer
    variable_pairs, open_questions  what is paired, and what stays undecided
    proposed_rules                  few rules that rename what was paired
    model_layers/                   a model as layers, read from names and shapes
    pairing/                        which layer is which: one way of telling per module

From names, shapes, dtypes and orders alone. Nothing here opens a checkpoint or builds
a graph, and nothing is decided by chance: what stays open is left undecided.
"""
