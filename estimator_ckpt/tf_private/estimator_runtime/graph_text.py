"""tf.io.write_graph, which Estimator calls at each start, with protobuf 7.

TensorFlow up to 2.20 asks protobuf for `MessageToString(..., float_format="")`.
protobuf 7 dropped that argument, and 2.20 allows protobuf 7. An empty format is none:
the call is the same without it.

Checked against TensorFlow 2.20.0 with protobuf 7.36 and 6.31.
"""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

from estimator_ckpt.tf_private.estimator_runtime.import_hook import Watcher


def watch(watcher: Watcher) -> None:
    """Changes TensorFlow's module when it is imported, where protobuf needs it."""
    watcher.after(r"tensorflow\.python\.framework\.graph_io", _adapt)


def _adapt(graph_io: Any) -> None:
    given = graph_io.text_format
    if "float_format" in inspect.signature(given.MessageToString).parameters:
        return

    def message_to_string(message: Any, *args: Any, **options: Any) -> str:
        if not options.get("float_format"):
            options.pop("float_format", None)
        return str(given.MessageToString(message, *args, **options))

    graph_io.text_format = SimpleNamespace(
        **{**vars(given), "MessageToString": message_to_string}
    )
