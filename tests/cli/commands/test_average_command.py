"""average, and --use_ema alone, with a map and in a plan."""

import estimator_ckpt as ec
from tests.cli.command_line import expect as run
from tests.testdata_paths import PREFIXES


class TestAverages:
    """--use_ema, alone and with a map."""

    EMA = PREFIXES["ema-momentum/model.ckpt-10"]

    def test_convert(self, tmp_path):
        run("convert", self.EMA, tmp_path / "new", "--to=tf2", "--use_ema")
        with ec.open_checkpoint(self.EMA) as old:
            averages = [n for n in old if n.endswith("/ExponentialMovingAverage")]
            with ec.open_checkpoint(tmp_path / "new") as new:
                assert averages
                assert not set(averages) & set(new)
                for name in averages:
                    assert (new.read(name.rpartition("/")[0]) == old.read(name)).all()

    def test_average_and_warm_start(self, tmp_path):
        directory = self.EMA.parent
        run("average", directory, tmp_path / "mean", "--last=2", "--use_ema")
        run("warm_start", self.EMA, tmp_path / "dir", "--use_ema")
        for path in (tmp_path / "mean", tmp_path / "dir"):
            with ec.open_checkpoint(path) as checkpoint:
                assert not any("Average" in name for name in checkpoint)

    def test_a_plan_with_a_map(self, tmp_path):
        new = ec.convert(self.EMA, tmp_path / "new", to="tf1", exclude=".*Average")
        done = run("plan", self.EMA, new, "--use_ema")
        assert "from 'hidden/kernel/ExponentialMovingAverage'" in done.stdout
