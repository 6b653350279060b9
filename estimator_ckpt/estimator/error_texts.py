"""What TensorFlow says of an error, less the tracebacks that it puts into it."""

from __future__ import annotations

import re

#: TensorFlow's account of where the op was made that failed, and what it says of it.
_FRAME = re.compile(r'^\s*File "(?P<file>.+)", line (?P<line>\d+), in (?P<name>.+)$')
_NOISE = re.compile(
    r"^(Graph execution error:|Detected at node .*|Original stack trace for .*"
    r"|\s*\[\[\{\{node .*|Node: .*|Errors may have originated from .*|\d+ derived .*"
    r"|\s*\(\d+\).*|\s*)$"
)


def frames(text: str) -> list[tuple[str, int, str]]:
    """The files, lines and functions that a message lists: where its op was made."""
    matches = filter(None, map(_FRAME.match, text.splitlines()))
    found = dict.fromkeys((m["file"], int(m["line"]), m["name"]) for m in matches)
    return list(found)


def lines(text: str) -> list[str]:
    """The lines of a message that say what went wrong; all, if none seems to."""
    found = []
    is_source = False
    for line in text.splitlines():
        if _FRAME.match(line):
            is_source = True
        elif is_source:
            is_source = False  # the line of source below a frame
        elif not _NOISE.match(line):
            found.append(line)
    return found or text.splitlines()
