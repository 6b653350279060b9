"""Text of files and of users, made harmless in HTML and in Markdown.

Names are whatever somebody wrote: markup, control characters, letters that turn the
direction of a line, a megabyte of them. A report shows what they are and obeys nothing.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Callable
from typing import NamedTuple

from estimator_ckpt.bundle import printing

#: The longest text of a cell; of a longer one the middle is left out.
LONGEST = 400
#: The bytes of a page of so many rows, and what each row more may add.
_BYTES, _ROWS, _BYTES_MORE = 290_000, 2_000, 140
#: The characters of what stands where the middle was: no text becomes longer.
_MARK = 24
#: The characters of each end of a name in a sentence.
_END = 30
#: The first of a list of numbers.
_NUMBERS = re.compile(r"\(?[-+\d.enaijf()]+, ")
#: What a code span of Markdown shows as it is, in a table, too.
_PLAIN = re.compile(r"[\w ./:\[\](),{}#=+?!@%&;'\"$^~*<>\\-]*", re.ASCII)


class Lengths(NamedTuple):
    """The longest texts of a table.

    Attributes:
      texts: characters of a cell.
      names: characters of a cell that is a name.
    """

    texts: int = LONGEST
    names: int = LONGEST

    @property
    def said(self) -> str:
        """What is said where they are shorter than they would have to be."""
        if self == Lengths():
            return ""
        cut = [f"texts of more than {self.texts + _MARK} characters"]
        if self.names < LONGEST:
            cut.insert(0, f"names of more than {self.names + _MARK}")
        return (
            f"So that the page stays small, {' and '.join(cut)} are not whole here; "
            f"--json has them whole."
        )


#: What is tried, until the page is small enough: names are cut last.
_TRIED = (
    Lengths(),
    *(Lengths(texts, LONGEST) for texts in (200, 100, 60, 40)),
    *(Lengths(40, names) for names in (180, 140, 120, 100, 80, 60, 40, 20)),
    *(Lengths(20, names) for names in (20, 10)),  # two names of markup in each row
)


def fitted(render: Callable[[Lengths], str], num_rows: int) -> str:
    """The page with the longest texts that fit.

    Args:
      render: makes the page, given the lengths.
      num_rows: of its table; a page of more may be larger.
    """
    most = _BYTES + _BYTES_MORE * max(num_rows - _ROWS, 0)
    page = ""
    for lengths in _TRIED:
        page = render(lengths)
        if len(page.encode()) <= most:
            break
    return page


# A page that does not fit is made anew, of the same names.
@functools.lru_cache(maxsize=8192)
def printable(text: str) -> str:
    """The text, with every character that does not print as its escape.

    Spaces print, but a name of nothing else would be none to see.
    """
    return printing.printable(text if text.strip(" ") else text.replace(" ", "\\x20"))


def for_html(text: str, longest: int = LONGEST) -> str:
    """Text for an element or a quoted attribute."""
    return html.escape(_short(printable(text), longest))


def for_element(text: str, longest: int = LONGEST) -> str:
    """Text for an element alone, where quotes are none: they stay one character."""
    return html.escape(_short(printable(text), longest), quote=False)


def brief(name: str) -> str:
    """A name as a sentence has it: of a long one both ends."""
    if len(name) <= 2 * _END + 1:
        return name
    return f"{name[:_END]}\u2026{name[-_END:]}"


def for_markdown(text: str, longest: int = LONGEST) -> str:
    """Text of a sentence or a table's cell, in which nothing is markup."""
    return re.sub(
        r"[^\w .,;:?'\"/()%+=-]|(?<![^\W_])_|_(?![^\W_])|(?<=www)\.|:(?=[^\s\d])",
        lambda found: f"&#{ord(found[0])};",
        _short(printable(text), longest),
    )


def code_for_markdown(text: str, longest: int = LONGEST) -> str:
    """A name, as code: as it is where that is harmless, else by character numbers."""
    shown = _short(printable(text), longest)
    if not shown:
        return ""
    if _PLAIN.fullmatch(shown) and shown == shown.strip():
        return f"`{shown}`"
    numbers = re.sub(r"[^\w /-]", lambda found: f"&#{ord(found[0])};", shown)
    return f"<code>{numbers}</code>"


def _short(text: str, longest: int) -> str:
    """The text without its middle, of a list of numbers without the last of them."""
    if len(text) <= longest + _MARK:
        return text
    part = longest // 2
    head, end = text[:part], text[-part:]
    if _NUMBERS.match(text):  # half a number would be another
        head = text[: max(text.rfind(", ", 0, longest), text.index(", ")) + 1]
        return f"{head} \u2026 ({len(text) - len(head)} characters)"
    return f"{head} \u2026 ({len(text) - 2 * part} characters) \u2026 {end}"
