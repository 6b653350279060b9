"""The house: which floor imports which, and what importing costs nobody."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

import estimator_ckpt as ec
from tests.conftest import REPOSITORY

PACKAGE = pathlib.Path(REPOSITORY) / "estimator_ckpt"
TESTS = pathlib.Path(REPOSITORY) / "tests"
#: From the ground up; rooms on one floor do not know each other.
FLOORS = [
    ("bundle",),
    ("checkpoint",),
    ("maps", "layouts"),
    ("conversion",),
    ("reports",),
    ("tf_private",),
    ("estimator", "keras"),
    ("planning",),
    ("cli",),
]
ROOMS = [room for floor in FLOORS for room in floor]
WITHOUT_TENSORFLOW = [
    "bundle",
    "checkpoint",
    "maps",
    "layouts",
    "conversion",
    "reports",
]


def imported(path):
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules(room):
    path = PACKAGE / room
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_imports_only_go_down(room):
    (at,) = [i for i, floor in enumerate(FLOORS) if room in floor]
    allowed = {room, *(r for floor in FLOORS[:at] for r in floor)}
    for path in modules(room):
        for name in imported(path):
            for other in set(ROOMS) - allowed:
                prefix = f"estimator_ckpt.{other.removesuffix('.py')}"
                assert f"{name}.".startswith(f"{prefix}.") is False, (path, name)


def test_every_module_is_in_a_room():
    there = {path.name for path in PACKAGE.iterdir() if path.name[0] not in "_."}
    assert there == {*ROOMS, "py.typed"}


def test_no_two_modules_share_a_name():
    found = [p.stem for p in PACKAGE.rglob("*.py") if not p.stem.startswith("__")]
    assert sorted(found) == sorted(set(found))


def test_no_parameter_shadows_a_module_that_its_file_imports():
    names = {path.stem for path in PACKAGE.rglob("*.py")}
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        there = {name.rpartition(".")[2] for name in imported(path)} & names
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.Lambda)):
                given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
                assert there.isdisjoint(a.arg for a in given), (path, node.lineno)


def packages():
    """The rooms and the folders in them."""
    return sorted(path.parent for path in PACKAGE.rglob("__init__.py"))


@pytest.mark.parametrize("path", packages(), ids=lambda p: p.relative_to(PACKAGE).name)
def test_each_folder_says_what_it_is_for(path):
    tree = ast.parse((path / "__init__.py").read_text(encoding="utf-8"))
    assert len(ast.get_docstring(tree).split()) > 20, path


@pytest.mark.parametrize("room", ROOMS)
def test_no_folder_is_crowded(room):
    for path in packages():
        if path == PACKAGE / room or PACKAGE / room in path.parents:
            files = [p for p in path.glob("*.py") if p.stem != "__init__"]
            assert len(files) <= 20, path


#: Rooms whose modules each have a test file of their name.
MIRRORED = [
    *("bundle", "checkpoint", "maps", "layouts", "conversion", "reports"),
    *("tf_private", "estimator", "keras", "cli"),
]
#: Folders of tables and parts that mean something together, and are tested so.
TOGETHER = {
    "maps/torch_names": "maps/test_torch_names.py",
    "layouts/torch": "layouts/torch/test_torch_rules.py",
    "conversion/exporting": "conversion/exporting/test_exports.py",
    # It is there where tf.estimator is not TensorFlow's own; jobs are its test.
    "tf_private/estimator_runtime": "estimator/test_runtime.py",
    "estimator/restoring/finished_hook.py": "estimator/restoring/test_resuming.py",
}


@pytest.mark.parametrize("room", MIRRORED)
def test_each_module_has_a_test_file_of_its_name(room):
    for path in modules(room):
        folder = path.parent.relative_to(PACKAGE)
        own = TOGETHER.get(f"{folder}/{path.name}", folder / f"test_{path.stem}.py")
        name = TOGETHER.get(folder.as_posix(), own)
        assert path.stem == "__init__" or (TESTS / name).is_file(), (path, name)


@pytest.mark.parametrize("room", MIRRORED)
def test_each_test_file_has_tests_and_every_folder_of_tests_is_a_package(room):
    for path in (TESTS / room).rglob("test_*.py"):
        assert (path.parent / "__init__.py").is_file(), path
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        ]
        assert found, path


#: The most lines of a module, which is one noun.
MOST_LINES = 330


def test_no_module_is_long():
    for path in PACKAGE.rglob("*.py"):
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= MOST_LINES, (path, lines)


#: Functions can be followed: none has more branches than these.
MOST_BRANCHES = 13
#: What makes a branch.
BRANCHES = (ast.If, ast.For, ast.While, ast.IfExp, ast.ExceptHandler, ast.Assert)


def branches(function):
    """The branches of a function, without those of functions in it."""
    count, waiting = 0, list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        count += isinstance(node, BRANCHES)
        if isinstance(node, ast.comprehension):
            count += 1 + len(node.ifs)
        if isinstance(node, ast.BoolOp):
            count += len(node.values) - 1
        waiting += ast.iter_child_nodes(node)
    return count


@pytest.mark.parametrize("room", ROOMS)
def test_a_function_can_be_followed(room):
    for path in modules(room):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                found = branches(node)
                assert found <= MOST_BRANCHES, (path, node.name, found)


def test_branches_are_counted():
    (function,) = ast.parse(
        "def f(x):\n"
        "    if x and x.y or x.z: return [a for a in x if a]\n"
        "    for a in x: assert a\n"
        "    def g(): return 1 if x else 2\n"
    ).body
    assert branches(function) == 1 + 2 + 2 + 2


@pytest.mark.parametrize("room", WITHOUT_TENSORFLOW)
def test_the_lower_rooms_never_import_tensorflow(room):
    for path in modules(room):
        assert not any(n.split(".")[0] == "tensorflow" for n in imported(path)), path


@pytest.mark.parametrize("room", WITHOUT_TENSORFLOW)
def test_importing_a_lower_room_loads_no_tensorflow(room):
    names = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for path in modules(room)
    ]
    assert "tensorflow" not in loaded_after(f"import {', '.join(names)}")


def test_model_fns_know_nothing_of_the_toolkit():
    for path in (pathlib.Path(REPOSITORY) / "model_fns").glob("*.py"):
        assert not any(n.startswith("estimator_ckpt") for n in imported(path)), path


def test_private_tensorflow_is_used_in_one_room_only():
    for path in sorted(PACKAGE.rglob("*.py")):
        if "tf_private" not in path.parts:
            names = [n for n in imported(path) if n.startswith("tensorflow.python")]
            assert not names, (path, names)


#: Underscored names that are public: of named tuples, and of notebooks.
PUBLIC_ALL_THE_SAME = {"_replace", "_asdict", "_fields", "_make", "_repr_html_"}
#: Names that say what class or op an object is where no public call does.
SNIFFING = {"__mro__", "__bases__", "__subclasses__", "mro"}
#: Types and names of ops that TensorFlow chooses.
OPS = re.compile(r"VariableV2|VarHandleOp|ReadVariableOp|(Save|Restore)(V2|Slice)?")


def private_uses(path):
    """What a module asks of others' objects that they do not promise, as text."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            is_private = re.fullmatch("_[^_].*", node.attr) and not own
            if node.attr in SNIFFING or (
                is_private and node.attr not in PUBLIC_ALL_THE_SAME
            ):
                yield f"line {node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names_private = re.fullmatch(r"_[a-z]\w*", node.value)
            if (
                node.value in SNIFFING
                or OPS.fullmatch(node.value)
                or (names_private and node.value not in PUBLIC_ALL_THE_SAME)
            ):
                yield f"line {node.lineno}: {node.value!r}"


@pytest.mark.parametrize("room", ["estimator", "keras", "planning"])
def test_no_attribute_or_string_names_what_is_private(room):
    """`x._name`, `getattr(x, "_name")`, classes by their bases, ops by their types."""
    for path in modules(room):
        assert not list(private_uses(path)), path


def test_private_uses_are_found(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        "x = optimizer._momentums, self._mine, item._replace(a=1)\n"
        "y = getattr(model, '_flatten_layers')\n"
        "z = type(y).__mro__, op.type == 'VarHandleOp', '_CHECKPOINTABLE'\n"
    )
    assert list(private_uses(path)) == [
        "line 1: optimizer._momentums",
        "line 2: '_flatten_layers'",
        "line 3: type(y).__mro__",
        "line 3: 'VarHandleOp'",
    ]


def loaded_after(statement):
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}; import sys; print(*sys.modules)"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import estimator_ckpt",
        "import estimator_ckpt.bundle.reader",
        "import estimator_ckpt.checkpoint.contents",
        "import estimator_ckpt.cli.main",
        "from estimator_ckpt import flags; flags.define_flags()",
    ],
)
def test_importing_loads_neither_tensorflow_nor_numpy_nor_rich(statement):
    assert not {"tensorflow", "numpy", "rich"} & loaded_after(statement)


def test_every_public_name_is_there_and_documented():
    for name in ec.__all__:
        value = getattr(ec, name)
        assert name == "__version__" or value.__doc__, name
    assert set(dir(ec)) >= set(ec.__all__)


def test_one_module_makes_the_logger_whose_lines_are_printable():
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "getLogger(__name__)" not in text, path
        assert 'getLogger("estimator_ckpt")' not in text or path.name == "logs.py", path


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ec.nothing  # noqa: B018


def test_without_tensorflow_the_training_names_say_what_to_install():
    """In an interpreter that cannot find TensorFlow, as after a plain install."""
    code = (
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda n, *a: None if n.startswith('tensorflow') else find(n)\n"
        "import estimator_ckpt as ec\n"
        "try: ec.with_scaffold\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "estimator-ckpt[estimator]" in done.stdout
    assert "tensorflow" in done.stdout


def find_python(*versions):
    return subprocess.run(
        ["bash", "tools/find_python.sh", *versions],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_finds_a_fitting_interpreter_by_itself():
    found = find_python().stdout.strip()
    version = subprocess.run(
        [found, "-c", "import sys; print(sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert version.stdout.strip() in {f"(3, {minor})" for minor in range(9, 14)}


def test_with_none_it_says_which_versions_it_needs():
    done = find_python("3.98", "3.99")
    assert done.returncode == 1
    assert "CPython 3.98 3.99" in done.stderr
