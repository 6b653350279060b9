"""The facts of a plan are those of its `--json`, each once."""

import estimator_ckpt as ec
from estimator_ckpt.checkpoint.messages import bytes_text
from tests.reports.pages import NEW, OLD, Page, written
from tests.testdata_paths import TESTDATA


def planned():
    return ec.plan(OLD, NEW, carry="model", exclude="logits")


def test_rows_are_those_of_the_plan(tmp_path):
    plan = planned()
    page = Page(written(plan, tmp_path / "a.html"))
    found = {row["variable"]: row for row in page.rows}
    variables = plan.to_json()["variables"]
    assert len(page.rows) == len(variables) == 31
    for said in variables:
        row = found[said["target"]["name"]]
        assert row["verdict"] == said["verdict"]
        assert row["size"] == bytes_text(said["target"]["size"])
        shape = list(said["target"]["shape"])
        assert row["shape"] == f"{said['target']['dtype']}{shape}"


def test_shares_are_the_sums_of_the_plan(tmp_path):
    plan = planned()
    shares = Page(written(plan, tmp_path / "a.html")).shares
    assert {what: n for what, (_, n) in shares.items()} == plan.to_json()["counts"]
    for what, (size, _) in shares.items():
        variables = plan.to_json()["variables"]
        found = [v["target"]["size"] for v in variables if v["verdict"] == what]
        assert size == sum(found)


def test_slots_stand_under_their_variable(tmp_path):
    page = Page(written(planned(), tmp_path / "a.html"))
    names = [row["variable"] for row in page.rows]
    at = names.index("conv1/kernel")
    assert names[at + 1 : at + 3] == ["conv1/kernel/Adam", "conv1/kernel/Adam_1"]
    assert "conv1/kernel/Adam" in page.under
    assert "conv1/kernel" not in page.under


def test_three_sentences_say_it(tmp_path):
    text = Page(written(planned(), tmp_path / "a.html")).text
    assert "10 of the target's 31 variables get a value from the source" in text
    assert "Nothing is missing" in text
    assert "21 variables start at the initial value" in text


def test_that_nothing_is_left_over_is_said(tmp_path):
    text = Page(written(ec.plan(OLD, OLD), tmp_path / "a.html")).text
    assert "No variable is left at its initial value" in text
    assert "all of the source is used" in text


def test_problems_come_with_their_reason(tmp_path):
    plan = ec.plan(TESTDATA / "guide" / "tf1-ckpt", NEW)
    page = Page(written(plan, tmp_path / "a.html"))
    assert "31 problems" in page.text
    assert "all of the source is used" not in page.text
    reasons = [row["because"] for row in page.rows]
    assert reasons.count("no such variable") == 31
    markdown = written(plan, tmp_path / "a.md")
    assert markdown.count("no such variable") == 31


def test_what_a_column_says_no_other_says_again(tmp_path):
    rules = {"conv1/": "stem/", "logits/": "head/"}
    new = ec.convert(OLD, tmp_path / "new", to="tf1", assignment_map=rules)
    page = Page(written(ec.plan(OLD, new, assignment_map=rules), tmp_path / "a.html"))
    assert "because" not in page.heads
    rows = {row["variable"]: row["from"] for row in page.rows}
    assert rows["stem/kernel"] == "conv1/kernel"
    assert rows["bn1/beta"] == ""
    cast = ec.plan(OLD, new, assignment_map=rules, cast=True)
    assert (
        "22 under their own names and 9 renamed"
        in Page(written(cast, tmp_path / "b.html")).text
    )


def test_what_matches_nothing_is_a_note(tmp_path):
    plan = ec.plan(OLD, NEW, exclude="nothing_such")
    for name in ("a.html", "a.md"):
        assert "matches no variable" in written(plan, tmp_path / name)
