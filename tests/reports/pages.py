"""Reads a report's HTML back: what a browser would show, without one."""

import html
from html.parser import HTMLParser

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from tests.testdata_paths import TESTDATA

OLD, NEW = (
    TESTDATA / "digits" / "model.ckpt-100",
    TESTDATA / "digits" / "model.ckpt-300",
)
#: Names that somebody might write, and what of them must never be markup.
HOSTILE = (
    "<script>alert(1)</script>/kernel",
    "a\"onmouseover='x'/b",
    "`code` | cell | [link](http://evil) <b>",
    "![image](http://evil/x.png)",
    "up\u202egnp.exe/bell\x07\x1b[31m",
    "&lt;b&gt;/*emphasis*/_under_",
    "www.evil.com/new\nline",
    "long/" + "x" * 20_000,
)


class Page(HTMLParser):
    """A page as its parts.

    Attributes:
      rows: the cells of each row of the table, as text, by column.
      scopes: the texts of the rows that begin a scope.
      under: the names of the rows that stand under another.
      shares: bytes and number of each share, by what it is.
      layers: the texts of each layer's row.
      histograms: the names of the tensors with a histogram.
      elements: how many of each element there are.
      attributes: every attribute of every element.
      text: all text outside style and script.
    """

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.rows, self.scopes, self.under, self.layers = [], [], [], []
        self.shares, self.histograms, self.elements = {}, [], {}
        self.attributes, self.text, self.heads = [], "", []
        self._table, self._row, self._within, self._is_under = None, None, None, False
        self.feed(source)
        self.close()
        self._end_row()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.elements[tag] = self.elements.get(tag, 0) + 1
        self.attributes += attrs
        self._within = tag
        if tag == "table":
            self._table = given["class"]
        elif tag == "tr":
            self._end_row()
            self._row, self._is_under = [], given.get("class") == "s"
            self._is_scope = given.get("class") == "scope"
        elif tag in ("td", "th") and self._row is not None:
            self._row.append("")
        elif tag == "li" and "data-what" in given:
            counted = int(given["data-size"]), int(given["data-count"])
            self.shares[given["data-what"]] = counted
        elif tag == "figure":
            self.histograms.append(given["data-name"])

    def handle_endtag(self, tag):
        self._within = None
        if tag in ("table", "tbody", "thead"):
            self._end_row()
            self._row = None

    def handle_data(self, data):
        if self._within in ("style", "script"):
            return
        self.text += data
        if self._row:
            self._row[-1] += data

    def _end_row(self):
        row, self._row = self._row, None
        if not row:
            return
        row = [cell.strip() for cell in row]
        if self._table == "layers":
            self.layers.append(row)
        elif self._is_scope:
            self.scopes.append(row[0])
        elif not self.heads:
            self.heads = row
        else:
            cells = dict(zip(self.heads, row))
            self.rows.append(cells)
            if self._is_under:
                self.under.append(row[0])


def written(result, path, **given):
    """The text of a result's report."""
    return (
        path.read_text(encoding="utf-8")
        if ec.write_report(result, path, **given)
        else None
    )


def pages_of(tmp_path, old, new):
    """The HTML and the Markdown of what differs between two sets of tensors."""
    for name, tensors in (("old", old), ("new", new)):
        write_bundle(tmp_path / name, tensors)
    found = ec.diff(tmp_path / "old", tmp_path / "new")
    return (
        Page(written(found, tmp_path / "a.html")).text,
        html.unescape(written(found, tmp_path / "a.md")),
    )
