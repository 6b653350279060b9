"""Runnable examples: the demo of `make demo`."""
