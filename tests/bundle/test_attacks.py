"""Every attack raises the right error, soon, and without filling the memory."""

import re
import time
import tracemalloc

import numpy  # noqa: F401  Its import is not to be measured.
import pytest

from estimator_ckpt.bundle.reader import BundleReader
from tests.bundle import attacks


def read_everything(prefix):
    """Reads and verifies all that a bundle says it has."""
    with BundleReader(prefix) as reader:
        for key in reader.index.records:
            reader.verify(key)
        for name in reader.index:
            reader.read(name)


@pytest.mark.parametrize("name", attacks.ATTACKS)
def test_an_attack_fails(tmp_path, name):
    attack = attacks.ATTACKS[name]
    index, data = attacks.bundle(name)
    (tmp_path / "c.index").write_bytes(index)
    (tmp_path / "c.data-00000-of-00001").write_bytes(data)

    with pytest.raises(attack.error):  # what is imported when first needed counts not
        read_everything(tmp_path / "c")
    start = time.process_time()
    tracemalloc.start()
    with pytest.raises(attack.error) as caught:
        read_everything(tmp_path / "c")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    message = str(caught.value)
    assert type(caught.value) is attack.error, message
    assert re.search(attack.reason, message), message
    assert message.startswith(str(tmp_path / "c."))
    assert "\n" not in message
    assert len(message) < 1200
    assert time.process_time() - start < 5
    assert peak < 100 * (len(index) + len(data)) + (1 << 20)


def test_the_attacks_can_be_written_to_a_folder(tmp_path):
    attacks.main(str(tmp_path / "attacks"))
    names = {path.stem for path in (tmp_path / "attacks").glob("*.index")}
    assert names == set(attacks.ATTACKS)
    assert len(names) > 60
