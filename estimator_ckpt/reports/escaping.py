"""Text of files and of users, made harmless in HTML and in Markdown.

Names are whatever somebody wrote: markup, control characters, letters that turn the
direction of a line, a megabyte of them. A report shows what they are and obeys nothing.
"""

from __future__ import annotations

import html
import re

from estimator_ckpt.bundle.printing import printable

#: The longest text of a cell; of a longer one the middle is left out.
LONGEST = 400
#: What a code span of Markdown shows as it is, in a table, too.
_PLAIN = re.compile(r"[\w ./:\[\](),{}#=+?!@%&;'\"$^~*<>\\-]*", re.ASCII)


def for_html(text: str) -> str:
    """Text for an element or a quoted attribute."""
    return html.escape(_short(printable(text)))


def for_markdown(text: str) -> str:
    """Text of a sentence or a table's cell, in which nothing is markup."""
    return re.sub(
        r"[^\w .,;:?'\"/()%+=-]|(?<![^\W_])_|_(?![^\W_])|(?<=www)\.|:(?=[^\s\d])",
        lambda found: f"&#{ord(found[0])};",
        _short(printable(text)),
    )


def code_for_markdown(text: str) -> str:
    """A name, as code: as it is where that is harmless, else by character numbers."""
    shown = _short(printable(text))
    if not shown:
        return ""
    if _PLAIN.fullmatch(shown) and shown == shown.strip():
        return f"`{shown}`"
    numbers = re.sub(r"[^\w /-]", lambda found: f"&#{ord(found[0])};", shown)
    return f"<code>{numbers}</code>"


def _short(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    part = LONGEST // 2
    left_out = len(text) - 2 * part
    return f"{text[:part]} \u2026 ({left_out} characters) \u2026 {text[-part:]}"
