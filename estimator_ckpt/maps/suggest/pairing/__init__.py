"""Which layer of one model is which of another: one way of telling in each module.

`matching` asks the ways in turn, `decisions` keeps what was decided and why. A way
takes layers and facts and decides pairs of layers; no variable, no rule and no file in
here.
"""
