"""What real protobuf makes of TensorFlow's messages: the oracle of several tests.

The classes that TensorFlow 2 was built with, by the names of its `.proto` files.
"""

from __future__ import annotations

from tensorflow.core.framework import (
    tensor_pb2,
    tensor_shape_pb2,
    tensor_slice_pb2,
    variable_pb2,
    versions_pb2,
)
from tensorflow.core.protobuf import (
    meta_graph_pb2,
    tensor_bundle_pb2,
    trackable_object_graph_pb2,
)
from tensorflow.core.util import saved_tensor_slice_pb2

BundleEntryProto = tensor_bundle_pb2.BundleEntryProto
BundleHeaderProto = tensor_bundle_pb2.BundleHeaderProto
MetaGraphDef = meta_graph_pb2.MetaGraphDef
SavedSliceMeta = saved_tensor_slice_pb2.SavedSliceMeta
SavedTensorSliceMeta = saved_tensor_slice_pb2.SavedTensorSliceMeta
SavedTensorSlices = saved_tensor_slice_pb2.SavedTensorSlices
TensorProto = tensor_pb2.TensorProto
TensorShapeProto = tensor_shape_pb2.TensorShapeProto
TensorSliceProto = tensor_slice_pb2.TensorSliceProto
TrackableObjectGraph = trackable_object_graph_pb2.TrackableObjectGraph
VariableDef = variable_pb2.VariableDef
VersionDef = versions_pb2.VersionDef
