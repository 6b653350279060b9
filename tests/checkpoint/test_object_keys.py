"""Names and object keys: the mapping is TensorFlow's, and it is invertible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator_ckpt.checkpoint import object_keys


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("a/b", "a.Sb"),
        ("a.Sb", "a..Sb"),  # a dot in a name is doubled, so that the two differ
        ("a.b", "a..b"),
        ("a..b", "a....b"),
        ("a./b", "a...Sb"),
        (".S", "..S"),
        ("", ""),
    ],
)
def test_escaping_is_invertible(name, escaped):
    assert object_keys.escape(name) == escaped
    assert object_keys.unescape(escaped) == name


@given(st.text(alphabet="./Sab_-", max_size=12))
def test_unescape_undoes_escape_for_any_name(name):
    assert object_keys.unescape(object_keys.escape(name)) == name
    assert "/" not in object_keys.escape(name)


@pytest.mark.parametrize("damaged", [".", "a.", "a.b", ".ATTRIBUTES"])
def test_what_escape_never_writes_is_not_unescaped(damaged):
    with pytest.raises(ValueError, match="not an escaped name"):
        object_keys.unescape(damaged)


def test_keys_are_those_of_the_guide():
    value = ".ATTRIBUTES/VARIABLE_VALUE"
    assert object_keys.variable_key("scoped/c") == f"var_list/scoped.Sc/{value}"
    assert object_keys.variable_key("a", root="vars") == f"vars/a/{value}"
    assert object_keys.STEP_KEY == f"step/{value}"


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("var_list/scoped.Sc/.ATTRIBUTES/VARIABLE_VALUE", "var_list/scoped/c"),
        (
            "m/w/.OPTIMIZER_SLOT/opt/m/.ATTRIBUTES/VARIABLE_VALUE",
            "m/w/.OPTIMIZER_SLOT/opt/m",
        ),
        ("table/.ATTRIBUTES/table-keys", None),
        ("scoped/c", None),
        ("a.b/.ATTRIBUTES/VARIABLE_VALUE", None),
    ],
)
def test_path_of_an_object_key(key, path):
    assert object_keys.path_of(key) == path


@pytest.mark.parametrize("full_name", ["", "Variable", "Variable_12"])
def test_made_up_full_names_say_nothing(full_name):
    assert object_keys.says_nothing(full_name)


@pytest.mark.parametrize("full_name", ["v", "Variable_x", "scope/Variable"])
def test_other_full_names_say_something(full_name):
    assert not object_keys.says_nothing(full_name)
