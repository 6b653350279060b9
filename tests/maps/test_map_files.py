"""Assignment maps in files: what is read, and which line an error names."""

import pytest

import estimator_ckpt as ec
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.map_rules import AssignmentMapError
from tests.maps.test_assignment import renamed


def write(tmp_path, text, name="map.yaml"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_rules_stand_in_order_with_comments(tmp_path):
    path = write(
        tmp_path,
        "# the encoder\n"
        "- {from: enc/, to: encoder/}\n"
        "- regex: 'l_(\\d+)/w'\n"
        "  to: 'block_\\1/kernel'\n"
        "- {builtin: rnn_cells}\n",
    )
    names = ["enc/a", "l_3/w", "rnn/gru_cell/gates/weights"]
    assert list(renamed(path, names).values()) == [
        "encoder/a",
        "block_3/kernel",
        "rnn/gru_cell/gates/kernel",
    ]


def test_json_is_read_too(tmp_path):
    path = write(tmp_path, '[{"from": "a", "to": "b"}]', "map.json")
    assert renamed(str(path), ["a"]) == {"a": "b"}


def test_an_empty_file_has_no_rules(tmp_path):
    assert not AssignmentMap.of(write(tmp_path, "# nothing yet\n"))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("- {from: a, to: b}\n- {from: c}\n", 2, "this one has 'from'"),
        ("- {from: a, to: b}\n\n- {regex: '(', to: b}\n", 3, "no regular expres"),
        ("- {from: a, to: b}\n- {from: ]}\n", 2, "not YAML"),
        ("from: a\nto: b\n", 1, "a map is a list of rules"),
        ("- a\n", 1, "a rule is"),
        ("- {from: [a], to: b}\n", 1, "'from' must be a string"),
        ("- {from: a, from: b, to: c}\n", 1, "'from' stands there twice"),
        ("- {regex: a, to: '\\2'}\n", 1, "does not fit the groups"),
        ("- {from: a, to: []}\n", 1, "'to' is an empty list"),
        ("- {from: a, to: [b, [c]]}\n", 1, "'to' must be a string or a list"),
        ("- {from: a, to: {b: c}}\n", 1, "'to' must be a string or a list"),
        ("- {from: a/, to: [b/, c]}\n", 1, "can only become a scope"),
        ("- {builtin: lstm}\n", 1, "no built-in map 'lstm'"),
    ],
)
def test_errors_have_the_line(tmp_path, text, line, message):
    path = write(tmp_path, text)
    with pytest.raises(AssignmentMapError) as caught:
        AssignmentMap.of(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in str(caught.value)


def test_a_key_that_is_no_string(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text("- {[from]: a, to: b}\n")
    with pytest.raises(AssignmentMapError, match=r"m\.yaml:1: a rule is \{from"):
        AssignmentMap.of(path)


def test_a_missing_file_is_said_so(tmp_path):
    with pytest.raises(ec.CheckpointError, match=r"no\.yaml"):
        AssignmentMap.of(tmp_path / "no.yaml")
