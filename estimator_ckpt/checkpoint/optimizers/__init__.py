"""What optimizers keep in a checkpoint, and how one's state becomes another's.

    algorithms       what tf1's optimizers keep: slots and beta powers
    keras_classes    what Keras's keep, under which names in each generation
    slot_names       what names say, derived from these two tables
    slot_changes     what a slot's numbers become where they mean something else
    optimizer_steps  steps taken, from beta powers, and back

Tables and arithmetic, with their sources: no checkpoint is opened in here, and whose a
variable is, is decided in `checkpoint/evidence`.
"""
