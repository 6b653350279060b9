"""docs/tutorial.ipynb runs, prints what is committed, and has the guide's values."""

import pytest

from examples import tutorial

NOTHING = [0.0, 0.0, 0.0]
VALUES = [1.0, 2.0, 3.0]

#: What the guide's text prints, section by section, as it stands here.
GUIDE = {
    "2. From TF1 to TF2": [
        *("a = 1.0", "b = 2.0", "scoped/c = 3.0"),
        "a = 5.0  (key variables/0/.ATTRIBUTES/VARIABLE_VALUE)",
        "b = 6.0  (key variables/1/.ATTRIBUTES/VARIABLE_VALUE)",
        "scoped/c = 7.0  (key variables/2/.ATTRIBUTES/VARIABLE_VALUE)",
        "save_counter = 1",
        "root type = Checkpoint",
        f"root.variables = {NOTHING}\nroot.variables[0] = 0.0",
        "v/a = 0.0  (key v/a/.ATTRIBUTES/VARIABLE_VALUE)",
        "v/b = 0.0  (key v/b/.ATTRIBUTES/VARIABLE_VALUE)\n  save_counter = 1",
        "c = 0.0  (key c/.ATTRIBUTES/VARIABLE_VALUE)",
        "module/d = 0.0  (key module/d/.ATTRIBUTES/VARIABLE_VALUE)",
    ],
    "3. When names match": [
        "Variable names: ['a:0', 'b:0', 'scoped/c:0']",
        "c_2.name = scoped/c:0",
        f"loaded values of [a, b, c]: {VALUES}",
        "Checkpoint at 'tf1-ckpt-saved-in-eager' (tf1):",
        *("a = 1.0", "b = 2.0", "scoped/c = 3.0"),
        f"loaded values of [a, b, c, c_2]: {[*VALUES, 3.0]}",
    ],
    "4. When names change": [f"Restored [a, b, c]:  {VALUES}\n" * 2],
    "5. A TF2 Checkpoint that stays": [
        f"[a, b, c]:  {VALUES}",
        "a = 1.0  (key unscoped/0/.ATTRIBUTES/VARIABLE_VALUE)",
        "b = 2.0  (key unscoped/1/.ATTRIBUTES/VARIABLE_VALUE)",
        "scoped/c = 3.0  (key scoped/0/.ATTRIBUTES/VARIABLE_VALUE)\n  save_counter = 1",
        f"Initialized [a, b, c]:  {NOTHING}\nRestored [a, b, c]:  {VALUES}\n" * 2,
    ],
    "6. An Estimator": [
        *("var = 2.0  (key var)", "global_step = 1  (key global_step)"),
        "var = 4.0  (key var_list/var/.ATTRIBUTES/VARIABLE_VALUE)",
        "global_step = 1  (key step/.ATTRIBUTES/VARIABLE_VALUE)",
        "get_variable_value: 4.0",
        "loss = 1.0",
        "var = 16.0  (key var_list/var/.ATTRIBUTES/VARIABLE_VALUE)",
        "global_step = 5  (key step/.ATTRIBUTES/VARIABLE_VALUE)",
    ],
    "8. Save and load": [
        f"Initialized [a, b, c]:  {NOTHING}\nRestored [a, b, c]:  {VALUES}\n"
        "Checkpoint at",
        "Checkpoint at 'tf2-ckpt-saved-in-session-1' (tf2):",
        "a = 1.0  (key var_list/a/.ATTRIBUTES/VARIABLE_VALUE)",
        "b = 2.0  (key var_list/b/.ATTRIBUTES/VARIABLE_VALUE)",
        "scoped/c = 3.0  (key var_list/scoped.Sc/.ATTRIBUTES/VARIABLE_VALUE)\n"
        "  save_counter = 1",
        f"Initialized [a, b, c]:  {NOTHING}",
        f"Restored [a, b, c]:  {VALUES}",
    ],
    "9. Convert both ways": [
        "a = 1.0  (key vars/a/.ATTRIBUTES/VARIABLE_VALUE)",
        "b = 2.0  (key vars/b/.ATTRIBUTES/VARIABLE_VALUE)",
        "scoped/c = 3.0  (key vars/scoped.Sc/.ATTRIBUTES/VARIABLE_VALUE)",
        "save_counter = 1",
        *("a = 1.0  (key a)", "b = 2.0  (key b)", "scoped/c = 3.0  (key scoped/c)"),
        f"Restored [a, b, c]:  {VALUES}",
    ],
}


@pytest.fixture(scope="module")
def committed():
    import nbformat

    return nbformat.read(tutorial.NOTEBOOK, as_version=4)


@pytest.mark.parametrize("section", GUIDE)
def test_every_value_of_the_guide_is_there(section, committed):
    texts, title = {}, ""
    for number, text in tutorial.printed(committed).items():
        cell = committed.cells[number]
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            title = cell.source.splitlines()[0]
        texts[title] = texts.get(title, "") + text
    (said,) = (text for title, text in texts.items() if section in title)
    for line in GUIDE[section]:
        assert line in said


def test_it_has_outputs_a_plot_and_nothing_of_this_machine(committed):
    outputs = [output for cell in committed.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not any(output.get("name") == "stderr" for output in outputs)
    assert "/tmp" not in str([tutorial.printed(committed), committed.metadata])


def test_it_runs_and_prints_what_is_committed(committed):
    import tensorflow  # noqa: F401, without it the test is skipped

    assert tutorial.printed(tutorial.executed()) == tutorial.printed(committed)
