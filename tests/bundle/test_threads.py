"""Work on all cores, or on one where no thread can be had."""

import threading
import time

import pytest

from estimator_ckpt.bundle import threads


def test_results_are_in_the_order_of_the_items(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    seen = set()

    def square(number):
        seen.add(threading.get_ident())
        time.sleep(0.001)
        return number * number

    assert threads.each(square, iter(range(200))) == [n * n for n in range(200)]
    assert len(seen) == 4
    assert threads.each(square, []) == []


@pytest.mark.parametrize("can_start", [0, 1])
def test_where_threads_cannot_be_started_the_caller_does_the_work(
    monkeypatch, can_start
):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    start, started = threading.Thread.start, []

    def refuse(self):
        if len(started) == can_start:
            raise RuntimeError("can't start new thread")
        started.append(self)
        start(self)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert threads.each(str, range(50)) == list(map(str, range(50)))


def test_an_error_ends_it_and_is_raised(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    done = []

    def fail(number):
        if number == 5:
            raise KeyError(number)
        time.sleep(0.001)
        done.append(number)

    with pytest.raises(KeyError, match="5"):
        threads.each(fail, range(1000))
    assert len(done) < 20
