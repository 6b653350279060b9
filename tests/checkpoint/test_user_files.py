"""What users write in YAML or JSON is read within bounds, or refused in one line."""

import time
import tracemalloc

import pytest
import yaml  # noqa: F401  Its import is not to be measured.

from estimator_ckpt.checkpoint import user_files
from estimator_ckpt.checkpoint.user_files import UserFileError
from estimator_ckpt.layouts import layer_rules
from estimator_ckpt.layouts.layout_rule import LayoutRuleError
from estimator_ckpt.maps import map_files
from estimator_ckpt.maps.map_rules import AssignmentMapError

LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 30)
)
MERGES = "a0: &a0 {x: 1, y: 2}\n" + "".join(
    f"a{i}: &a{i} {{k{i}: {{<<: [*a{i - 1}, *a{i - 1}]}}}}\n" for i in range(1, 39)
)
HOSTILE = {
    "lists within lists": "[" * 100_000,
    "lists within lists, closed": "[" * 20_000 + "]" * 20_000,
    "dicts within dicts": "{a: " * 50_000,
    "block sequences": "- " * 50_000,
    "a billion laughs": LAUGHS,
    "a billion merges": MERGES,
    "a list in itself": "&a [*a]",
    "a dict in itself": "&a {x: *a}",
    "a chain of aliases": "- &a0 []\n"
    + "".join(f"- &a{i} [*a{i - 1}]\n" for i in range(1, 5000)),
    "a huge number": "- {x: " + "9" * 1_000_000 + "}",
    "a number of 9,000 digits": "- {x: " + "9" * 9_000 + "}",
    "a number to the base of 60": "- {x: " + "1:" * 4_000 + "1}",
    "a date that is none": "- 9999-99-99",
    "a time that is none": "- 2020-01-01 99:99:99",
    "a key that cannot be one": "? [a]\n: b",
    "a set": "- !!set {a, b: }",
    "a binary that is none": "- !!binary '*'",
    "an int that is none": "- !!int x",
    "a float that is none": "- !!float x",
    "a tag": "- !!python/object/apply:os.system [ls]",
    "two documents": "--- a\n--- b",
    "no UTF-8": "\udcff",
    "control characters": "- a\x00b",
    "many values": "[" + "1," * 500_000 + "]",
    "a large file": "- a\n" * 2_000_000,
    "tabs": "\t- a",
    "nothing closed": "- 'a",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_in_bounds(what):
    content = HOSTILE[what].encode("utf-8", "surrogateescape")
    start = time.process_time()
    tracemalloc.start()
    try:
        found = user_files.load(content, "here.yaml")
    except UserFileError as error:
        found = str(error)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.process_time() - start < 20
    assert peak < 100 << 20
    if what not in ("a set", "a binary that is none"):
        assert isinstance(found, str)
        assert found.startswith("here.yaml")


@pytest.mark.parametrize("what", HOSTILE)
def test_maps_and_layouts_refuse_it_with_errors_of_theirs(tmp_path, what):
    path = tmp_path / "rules.yaml"
    path.write_bytes(HOSTILE[what].encode("utf-8", "surrogateescape"))
    with pytest.raises(AssignmentMapError, match=r"rules\.yaml"):
        map_files.load(path)
    with pytest.raises(LayoutRuleError):
        layer_rules.rules_of(path)


def test_what_people_write_is_read():
    assert user_files.load(b"", "f") is None
    assert user_files.load(b'[{"from": "a/", "to": ["b/", "c/"]}]', "f") == [
        {"from": "a/", "to": ["b/", "c/"]}
    ]
    shared = b"- &rule {from: a, to: b}\n- *rule\n- {<<: *rule, to: c}\n"
    assert user_files.load(shared, "f")[2] == {"from": "a", "to": "c"}
    many = b"- {from: layer/, to: block/}\n" * 10_000
    assert len(user_files.load(many, "f")) == 10_000


def test_the_line_is_named():
    with pytest.raises(UserFileError, match=r"^f:2: not YAML"):
        user_files.compose(b"- a\n- }\n", "f")
