"""slim: the bytes before and after, as text and as JSON."""

import json
import os

import estimator_ckpt as ec
from estimator_ckpt.cli import main
from tests.testdata_paths import PREFIXES

DIGITS = PREFIXES["digits/model.ckpt-300"]


EMA = PREFIXES["ema-momentum/model.ckpt-10"]


def shards_size(prefix):
    directory, base = os.path.split(prefix)
    names = [n for n in os.listdir(directory) if n.startswith(f"{base}.data")]
    return sum(os.path.getsize(os.path.join(directory, name)) for name in names)


class TestCommand:
    def test_it_says_the_bytes_before_and_after(self, tmp_path, capsys):
        assert main.run(["slim", str(DIGITS), str(tmp_path / "n")]) == 0
        prefix, said = capsys.readouterr().out.splitlines()
        assert prefix == str(tmp_path / "n")
        with ec.open_checkpoint(DIGITS) as checkpoint:
            before = sum(info.size for info in checkpoint.values())
        after = shards_size(prefix)
        assert f"{before} bytes before, {after} after; left out: " in said
        assert "slot" in said

    def test_json(self, tmp_path, capsys):
        assert main.run(["slim", str(EMA), str(tmp_path / "n"), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["prefixes"] == [str(tmp_path / "n")]
        assert found["bytes_after"] == shards_size(str(tmp_path / "n"))
        assert found["bytes_before"] > found["bytes_after"]
        assert found["left_out"]["out/kernel/Momentum"] == "slot"
        assert found["left_out"]["out/kernel/ExponentialMovingAverage"] == "average"

    def test_what_is_there_is_refused_and_overwritten_when_asked(self, tmp_path):
        arguments = ["slim", str(EMA), str(tmp_path / "n")]
        assert main.run(arguments) == 0
        assert main.run(arguments) == 2
        assert main.run([*arguments, "--overwrite", "--keep_averages"]) == 0
        assert "out/kernel/ExponentialMovingAverage" in ec.open_checkpoint(
            tmp_path / "n"
        )
