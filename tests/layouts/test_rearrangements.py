"""One variable in another order or shape, in parts, or made of parts."""

import numpy as np
import pytest

from estimator_ckpt.layouts import rearrangements


def there_and_back(rule, *arrays):
    made = rule.forward(arrays)
    for found, given in zip(rule.backward(made), arrays):
        np.testing.assert_array_equal(np.reshape(found, given.shape), given)
    return made


def test_transpose():
    (rule,) = rearrangements.transpose("t", "a", "b")
    (made,) = there_and_back(rule, np.arange(6).reshape(2, 3))
    assert made.tolist() == [[0, 3], [1, 4], [2, 5]]
    (rule,) = rearrangements.transpose("t", "a", "b", axes=(2, 0, 1))
    (made,) = there_and_back(rule, np.arange(24).reshape(2, 3, 4))
    assert made.shape == (4, 2, 3)
    assert made[3, 1, 2] == 23


def test_reshape_leads_back_where_the_shape_is_said():
    (rule,) = rearrangements.reshape("t", "a", "b", shape=(2, 6))
    there_and_back(rule, np.arange(12).reshape(2, 6))
    (rule,) = rearrangements.reshape("t", "a", "b")
    assert rule.backward is None


def test_split_and_fuse_are_each_other_s_way_back():
    whole = np.arange(12).reshape(2, 6)
    (split,) = rearrangements.split("t", "qkv", ["q", "k", "v"])
    parts = there_and_back(split, whole)
    assert parts[0].tolist() == [[0, 1], [6, 7]]
    (fuse,) = rearrangements.fuse("t", ["q", "k", "v"], "qkv")
    (made,) = there_and_back(fuse, *parts)
    np.testing.assert_array_equal(made, whole)


def test_along_another_axis_and_in_more_dimensions():
    whole = np.arange(24).reshape(4, 2, 3)
    (rule,) = rearrangements.split("t", "a", ["b", "c"], axis=0, shape=(4, 2, 3))
    _, other = there_and_back(rule, whole)
    np.testing.assert_array_equal(other, whole[2:])
    (rule,) = rearrangements.split("t", "a", ["b", "c"], axis=0)
    with pytest.raises(ValueError, match="give the shape of the whole"):
        rule.forward([whole])
