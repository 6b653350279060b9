"""Declared messages, held against those that TensorFlow was built with."""

from estimator_ckpt.bundle.protobuf import wire


def hold(module, messages):
    """Asserts that numbers and types of all messages of a module are TensorFlow's.

    Args:
      module: what declares them.
      messages: of each our class, TensorFlow's, and those of our names that are not
        TensorFlow's, with TensorFlow's.
    """
    for ours, theirs, renamed in messages:
        _hold(ours, theirs, renamed)
    tested = {ours for ours, _, _ in messages}
    assert _declared_in(module) - tested == set()


def _hold(ours, theirs, renamed):
    places = wire._DECLARED[ours].places
    assert len({place.slot for place in places.values()}) >= len(
        set(ours._fields) - {"unknown"}
    )
    for tag, place in places.items():
        field = theirs.DESCRIPTOR.fields_by_number[tag >> 3]
        name = ours._fields[place.slot]
        assert field.name == renamed.get(name, name)
        assert _is_repeated(field) == place.field.repeated
        assert place.field.type.is_message == (field.message_type is not None) or (
            field.message_type.name == "BoolValue"  # carried as its bytes
        )
        wire_types = {
            field.TYPE_INT32: 0,
            field.TYPE_INT64: 0,
            field.TYPE_ENUM: 0,
            field.TYPE_UINT32: 0,
            field.TYPE_UINT64: 0,
            field.TYPE_BOOL: 0,
            field.TYPE_FIXED32: 5,
            field.TYPE_FLOAT: 5,
            field.TYPE_DOUBLE: 1,
        }
        expected = wire_types.get(field.type, 2)
        assert tag & 7 == expected or (tag & 7 == 2 and place.field.repeated)


def _declared_in(module):
    """The messages that a module declares, imported ones included."""
    return {
        value
        for value in vars(module).values()
        if isinstance(value, type) and value in wire._DECLARED
    }


def _is_repeated(field):
    if hasattr(field, "is_repeated"):
        return field.is_repeated
    return field.label == field.LABEL_REPEATED  # until protobuf 6
