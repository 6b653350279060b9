"""TensorFlow's protobuf messages, declared when first used, in a pool of their own.

`schema.BundleEntryProto` and the other names of `_MESSAGES` are message classes. They
are made at run time, so that no generated code ties the package to one release of
protobuf, and in a private pool, so that they never meet TensorFlow's own. Field
numbers are those of the `.proto` files named below. Enums are declared as int32: the
bytes are the same, and numbers that are not known yet survive. So do unknown fields.

protobuf itself is imported on first use: it costs more than reading an index.
"""

from __future__ import annotations

from typing import Any

# A field: name, number, type; a trailing `*` repeats it, `?` records its presence.
_MESSAGES: dict[str, tuple[tuple[str, int, str], ...]] = {
    # tensorflow/core/protobuf/tensor_bundle.proto
    "BundleHeaderProto": (
        ("num_shards", 1, "int32"),
        ("endianness", 2, "int32"),
        ("version", 3, "VersionDef"),
    ),
    "BundleEntryProto": (
        ("dtype", 1, "int32"),
        ("shape", 2, "TensorShapeProto"),
        ("shard_id", 3, "int32"),
        ("offset", 4, "int64"),
        ("size", 5, "int64"),
        ("crc32c", 6, "fixed32"),
        ("slices", 7, "TensorSliceProto*"),
    ),
    # tensorflow/core/framework/versions.proto
    "VersionDef": (
        ("producer", 1, "int32"),
        ("min_consumer", 2, "int32"),
        ("bad_consumers", 3, "int32*"),
    ),
    # tensorflow/core/framework/tensor_shape.proto
    "TensorShapeProto": (
        ("dim", 2, "TensorShapeProto.Dim*"),
        ("unknown_rank", 3, "bool"),
    ),
    "TensorShapeProto.Dim": (("size", 1, "int64"), ("name", 2, "string")),
    # tensorflow/core/framework/tensor_slice.proto
    "TensorSliceProto": (("extent", 1, "TensorSliceProto.Extent*"),),
    "TensorSliceProto.Extent": (("start", 1, "int64"), ("length", 2, "int64?")),
    # tensorflow/core/protobuf/trackable_object_graph.proto
    "TrackableObjectGraph": (("nodes", 1, "TrackableObjectGraph.TrackableObject*"),),
    "TrackableObjectGraph.TrackableObject": (
        ("children", 1, "TrackableObjectGraph.TrackableObject.ObjectReference*"),
        ("attributes", 2, "TrackableObjectGraph.TrackableObject.SerializedTensor*"),
        (
            "slot_variables",
            3,
            "TrackableObjectGraph.TrackableObject.SlotVariableReference*",
        ),
        ("registered_saver", 4, "RegisteredSaver"),
        ("has_checkpoint_values", 5, "BoolValue"),
    ),
    "TrackableObjectGraph.TrackableObject.ObjectReference": (
        ("node_id", 1, "int32"),
        ("local_name", 2, "string"),
    ),
    "TrackableObjectGraph.TrackableObject.SerializedTensor": (
        ("name", 1, "string"),
        ("full_name", 2, "string"),
        ("checkpoint_key", 3, "string"),
    ),
    "TrackableObjectGraph.TrackableObject.SlotVariableReference": (
        ("original_variable_node_id", 1, "int32"),
        ("slot_name", 2, "string"),
        ("slot_variable_node_id", 3, "int32"),
    ),
    "RegisteredSaver": (("name", 1, "string"), ("object_name", 2, "string")),
    "BoolValue": (("value", 1, "bool"),),
    # tensorflow/core/protobuf/meta_graph.proto: a map is a list of its entries
    "MetaGraphDef": (("collection_def", 4, "MetaGraphDef.CollectionDefEntry*"),),
    "MetaGraphDef.CollectionDefEntry": (
        ("key", 1, "string"),
        ("value", 2, "CollectionDef"),
    ),
    "CollectionDef": (("bytes_list", 2, "CollectionDef.BytesList"),),
    "CollectionDef.BytesList": (("value", 1, "bytes*"),),
    # tensorflow/core/framework/variable.proto
    "VariableDef": (
        ("variable_name", 1, "string"),
        ("save_slice_info_def", 4, "SaveSliceInfoDef"),
    ),
    "SaveSliceInfoDef": (("full_name", 1, "string"),),
    # tensorflow/python/training/checkpoint_state.proto
    "CheckpointState": (
        ("model_checkpoint_path", 1, "string"),
        ("all_model_checkpoint_paths", 2, "string*"),
        ("all_model_checkpoint_timestamps", 3, "double*"),
        ("last_preserved_timestamp", 4, "double"),
    ),
}

_PACKAGE = "estimator_ckpt"


def __getattr__(name: str) -> Any:
    """Makes the message classes when one of them is first asked for (PEP 562)."""
    if name not in _MESSAGES and name != "DecodeError":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from google.protobuf.message import DecodeError

    globals().update(_message_classes(), DecodeError=DecodeError)
    return globals()[name]


def _message_classes() -> dict[str, Any]:
    """The class of every top-level message, by its name."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(
        name="estimator_ckpt/bundle.proto", package=_PACKAGE, syntax="proto3"
    )
    declared: dict[str, Any] = {}
    for path, fields in _MESSAGES.items():
        outer, _, name = path.rpartition(".")
        message = (
            declared[outer].nested_type.add() if outer else file.message_type.add()
        )
        declared[path] = message
        message.name = name
        for field in fields:
            _declare(message, *field)

    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")
        )
        for name in _MESSAGES
        if "." not in name
    }


def _declare(message: Any, name: str, number: int, kind: str) -> None:
    """Adds a field to a DescriptorProto."""
    field = message.field.add(name=name, number=number)
    field.label = field.LABEL_REPEATED if kind.endswith("*") else field.LABEL_OPTIONAL
    if kind.endswith("?"):
        field.proto3_optional = True
        field.oneof_index = len(message.oneof_decl)
        message.oneof_decl.add(name=f"_{name}")
    kind = kind.rstrip("*?")
    if kind in _MESSAGES:
        field.type = field.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{kind}"
    else:
        field.type = getattr(field, f"TYPE_{kind.upper()}")
