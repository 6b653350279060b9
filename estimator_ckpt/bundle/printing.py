"""Text from files and from users, made fit to be printed.

Names and paths are whatever somebody wrote. A terminal must not obey what is in them:
control characters move its cursor, bidirectional ones show a name that it is not, and a
line break ends the one line that an error has.
"""

from __future__ import annotations

# Longer than any message that says something; shorter than what hides the others.
_LONGEST = 3000


def printable(text: str) -> str:
    """The text, with every character that does not print as its escape: `\\x1b`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def one_line(text: str) -> str:
    """The text as one printable line, without its middle if it is far too long."""
    line = printable(" ".join(text.splitlines()))
    if len(line) <= _LONGEST:
        return line
    part = _LONGEST // 2
    left_out = len(line) - 2 * part
    return f"{line[:part]} ... ({left_out} characters left out) ... {line[-part:]}"


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
