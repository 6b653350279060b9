"""Built-in maps, each on a checkpoint of a real TensorFlow 1.15.5."""

import re

import estimator_ckpt as ec
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.builtin_maps import BUILTIN_MAPS
from tests.maps.test_assignment import one_each
from tests.testdata_paths import PREFIXES


def test_rnn_cells(tmp_path):
    source = PREFIXES["rnn-basic-lstm/model.ckpt-3"]
    # What TensorFlow before 1.2 called them; 1.15 can only write the new names.
    old = ec.convert(
        source,
        tmp_path / "old",
        to="tf1",
        assignment_map=[
            (re.compile("(.*basic_lstm_cell)/kernel"), r"\1/weights"),
            (re.compile("(.*basic_lstm_cell)/bias"), r"\1/biases"),
        ],
    )
    assert "rnn/basic_lstm_cell/weights/Adam" in ec.open_checkpoint(old)
    new = ec.convert(
        old, tmp_path / "new", to="tf1", assignment_map="builtin:rnn_cells"
    )
    assert not ec.diff(source, new)


def test_use_ema(tmp_path):
    source = PREFIXES["ema-momentum/model.ckpt-10"]
    new = ec.convert(
        source, tmp_path / "new", to="tf2", assignment_map="builtin:use_ema"
    )
    with ec.open_checkpoint(source) as old, ec.open_checkpoint(new) as found:
        averages = [n for n in old if n.endswith("/ExponentialMovingAverage")]
        assert averages
        assert not any("Average" in name for name in found)
        assert len(found) == len(old) - len(averages)
        for name in averages:
            variable = name.rpartition("/")[0]
            assert (found.read(variable) == old.read(name)).all()
            assert (found.read(variable) != old.read(variable)).any()


def test_use_ema_goes_on_to_the_other_rules():
    names = {f"old/w{end}" for end in ("", "/Momentum", "/ExponentialMovingAverage")}
    for given in (
        ["builtin:use_ema", {"old/": "new/"}],
        [{"old/": "new/"}, "builtin:use_ema", None],
    ):
        for among_others in (False, True):
            found = AssignmentMap.of(given).rename(
                names, source="s", among_others=among_others
            )
            assert one_each(found) == {
                "old/w/ExponentialMovingAverage": "new/w",
                "old/w/Momentum": "new/w/Momentum",
            }
            assert found.replaced == ("old/w",)


def test_slim(tmp_path):
    source = PREFIXES["slim/model.ckpt-3"]
    new = ec.convert(source, tmp_path / "new", to="tf1", assignment_map="builtin:slim")
    with ec.open_checkpoint(new) as found:
        assert "SmallNet/Conv/kernel" in found
        assert "SmallNet/Logits/bias/RMSProp_1" in found
        assert "SmallNet/Conv/BatchNorm/moving_mean" in found
        assert not any("weights" in n or "biases" in n for n in found)


def test_one_rule_that_matches_is_enough():
    slim = AssignmentMap.of("builtin:slim")
    assert slim.rename(["a/weights"], source="c").unused == ()
    assert slim.rename(["a/kernel"], source="c").unused == (
        "the map 'builtin:slim' matches no variable of c",
    )


def test_every_builtin_map_has_a_test():
    # canned_estimators: tests/planning/, against the real ones. Maps to names
    # of PyTorch: test_torch_names.py.
    names = {name for name, found in BUILTIN_MAPS.items() if not found.is_to_torch}
    assert names == {"rnn_cells", "use_ema", "slim", "canned_estimators"}
