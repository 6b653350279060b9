"""The commands of `estimator-ckpt`, one module each: parse, call, print.

Each has `add_arguments(parser)` and `run(arguments) -> int`, the exit code. What
several commands share (arguments, output, errors) stands in `cli` itself; nothing here
decides what a checkpoint means or what a variable gets.
"""
