"""What each variable of a checkpoint is for, told by the program that wrote it.

The truth comes from live objects (an optimizer's own slots, a model's own weights),
never from a name. It stands beside the checkpoint in `roles.json`:

    {key: [role, key of the variable that it belongs to, optimizer]}

Keys are those of the checkpoint: names of a Saver's; object keys of an object's, less
`/.ATTRIBUTES/VARIABLE_VALUE`. The optimizer is a label: variables of one share it.
"""

import json
import os

SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
TRAINABLE, MODEL, AVERAGE = "trainable", "model", "average"
SLOT, OPTIMIZER, STEP = "slot", "optimizer", "global_step"
METRIC, LOSS_SCALE, NO_VARIABLE = "metric", "loss_scale", "no_variable"


class Truth:
    """What the variables of one checkpoint are for, by their keys."""

    def __init__(self):
        self.roles = {}

    def add(self, key, role, owner=None, optimizer=None):
        """Says what one is for; what was said before stays."""
        self.roles.setdefault(key, [role, owner, optimizer])

    def write(self, directory):
        with open(os.path.join(directory, "roles.json"), "w") as stream:
            rows = [
                f"{json.dumps(_short(key))}: {json.dumps([*map(_short, said)])}"
                for key, said in sorted(self.roles.items())
            ]
            stream.write("{\n" + ",\n".join(rows) + "\n}\n")


def _short(key):
    return key and key.replace(SUFFIX, "")


def of_objects(prefix, graph, objects, said):
    """The truth of an object-based checkpoint, by object key.

    Args:
      prefix: the checkpoint, for messages.
      graph: its TrackableObjectGraph message.
      objects: what its nodes stand for.
      said: what is known of live variables: tuples of the variable, its role, the
        variable that it belongs to, and its optimizer.
    """
    key_of = {
        id(value): attribute.checkpoint_key
        for value, node in zip(objects, graph.nodes)
        for attribute in node.attributes
        if attribute.name == "VARIABLE_VALUE"
    }
    truth = Truth()
    for variable, role, owner, optimizer in said:
        if id(variable) in key_of:
            its = None if owner is None else key_of.get(id(owner))
            truth.add(key_of[id(variable)], role, its, optimizer)
    for value, node in zip(objects, graph.nodes):
        for attribute in node.attributes:
            key = attribute.checkpoint_key
            is_variable = attribute.name == "VARIABLE_VALUE" and hasattr(
                value, "assign"
            )
            if key.startswith("save_counter/") or not is_variable:
                truth.add(key, NO_VARIABLE)
            assert key in truth.roles, f"{prefix}: nothing is said of {key}"
    return truth
