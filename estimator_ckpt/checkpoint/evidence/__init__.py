"""How what a variable is for is told: what graphs, names, shapes and siblings say.

`role_evidence` decides, of a checkpoint by its `stored_evidence`; the other modules are
one sort of evidence each. What roles there are stands in `checkpoint/roles.py`, what
optimizers keep in `checkpoint/optimizers`. No file is read in here but a `.meta`, and
no value of a tensor is looked at.
"""
