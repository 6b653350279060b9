"""What is logged of files and of users is made printable."""

import logging

from estimator_ckpt.bundle import logs


def test_arguments_are_printable_and_numbers_stay(caplog):
    logs.logger().warning("%s has %d of %.1f", "a\x1b[2J\nb", 3, 0.25)
    assert caplog.messages == [r"a\x1b[2J\nb has 3 of 0.2"]


def test_a_name_that_is_far_too_long_loses_its_middle(caplog):
    logs.logger().warning("%s", "x" * 10**6)
    (message,) = caplog.messages
    assert len(message) < 4000
    assert "left out" in message


def test_it_is_one_logger_without_handlers():
    assert logs.logger() is logs.logger() is logging.getLogger("estimator_ckpt")
    assert not logs.logger().handlers
