"""Key moves with names for keys, as people read them."""

from estimator_ckpt.bundle.coding import key_to_name, name_to_key


def names_of(keys):
    return tuple(map(key_to_name, keys))


def new_names(moves):
    """What becomes of each key."""
    return {key_to_name(old): names_of(new) for old, new in moves.new_keys.items()}


def moves_of(new_names):
    """The `new_keys` of moves, by names."""
    return {
        name_to_key(old): tuple(map(name_to_key, new)) for old, new in new_names.items()
    }
