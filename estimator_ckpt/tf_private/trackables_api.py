"""Trackables: the object graph that TensorFlow would save, and its objects.

Checked against TensorFlow 2.12 to 2.21; `tests/tf_private/test_trackables_api.py`
fails, naming the function, when one of them changes.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.checkpoint import graph_view as _graph_view
from tensorflow.python.checkpoint import util as _checkpoint_util


def is_trackable(value: Any) -> bool:
    """Whether a tf.train.Checkpoint can save an object."""
    return hasattr(value, "_trackable_children")


def objects_of(trackable: Any) -> tuple[Any, list[Any], list[Any]]:
    """The object graph of a trackable, as TensorFlow would save it.

    Returns:
      The TrackableObjectGraph message, the objects in the order of its nodes, and the
      SaveableObjects of all that is saved.
    """
    if isinstance(trackable, tf.train.Checkpoint):
        view = trackable._saver._graph_view  # knows the root that it was made with
    else:
        view = _graph_view.ObjectGraphView(trackable)
    saveables, graph, _ = view.serialize_object_graph()
    return graph, _checkpoint_util.list_objects(view), list(saveables)


def tracked_by(
    checkpoint: tf.train.Checkpoint,
) -> tuple[Any, list[tuple[Any, str]], list[Any]]:
    """What a `tf.train.Checkpoint` tracks, as TensorFlow itself would save it.

    Returns:
      The TrackableObjectGraph message; the variables with their object keys; and
      SaveableObjects, named by their keys, for everything else that is saved
      (tables, iterators, Python state).
    """
    graph, objects, saveables = objects_of(checkpoint)
    variables = [
        (trackable, attribute.checkpoint_key)
        for trackable, node in zip(objects, graph.nodes)
        if isinstance(trackable, tf.Variable)
        for attribute in node.attributes
    ]
    keys = {key for _, key in variables}
    others = [s for s in saveables if not keys.issuperset(x.name for x in s.specs)]
    return graph, variables, others
