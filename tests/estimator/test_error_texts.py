"""What is left of TensorFlow's messages, as 2.15.1 and 2.21.0 write them."""

from estimator_ckpt.estimator import error_texts

#: Of an op that a job of a user's made.
MESSAGE = """Graph execution error:

Detected at node 'warm_start/RestoreV2' defined at (most recent call last):
  File "/home/me/train.py", line 12, in <module>
    main()
  File "/home/me/train.py", line 7, in main
Node: 'warm_start/RestoreV2'
TensorBundle at job/model.ckpt-1 shard 0 (8 bytes): Checksum does not match
\t [[{{node warm_start/RestoreV2}}]]

Original stack trace for 'warm_start/RestoreV2':
  File "/home/me/train.py", line 7, in main
"""


def test_the_lines_that_say_what_went_wrong():
    assert error_texts.lines(MESSAGE) == [
        "TensorBundle at job/model.ckpt-1 shard 0 (8 bytes): Checksum does not match"
    ]


def test_each_place_is_told_once():
    assert error_texts.frames(MESSAGE) == [
        ("/home/me/train.py", 12, "<module>"),
        ("/home/me/train.py", 7, "main"),
    ]


def test_a_message_that_is_nothing_else_is_left():
    assert error_texts.lines("Graph execution error:") == ["Graph execution error:"]
    assert error_texts.lines("no more") == ["no more"]
    assert error_texts.lines("") == []
