"""A report as one HTML page that needs nothing else and fetches nothing.

Style and script are the files beside this one; the page's policy lets the browser run
that script alone. Without scripts the page is whole: it is then neither sorted nor
folded.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import pathlib
from collections.abc import Iterable, Iterator

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.reports import diff_sections, pictures
from estimator_ckpt.reports.digest import (
    Cell,
    Column,
    Digest,
    Group,
    Row,
    Share,
    Shown,
    Tone,
    counted,
    number_text,
)
from estimator_ckpt.reports.escaping import Lengths, fitted, for_element, for_html
from estimator_ckpt.reports.provenance import Provenance

_HERE = pathlib.Path(__file__).parent


def render(digest: Digest, provenance: Provenance) -> str:
    """The page's text, with cells as long as a page of so many can have them."""
    return fitted(lambda lengths: _page(digest, provenance, lengths), digest.num_shown)


def _page(digest: Digest, provenance: Provenance, lengths: Lengths) -> str:
    style, script = _file("page.css"), _file("page.js")
    digest_of_script = base64.b64encode(hashlib.sha256(script.encode()).digest())
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        f"script-src 'sha256-{digest_of_script.decode()}'; "
        "base-uri 'none'; form-action 'none'"
    )
    title = for_html(f"{digest.subject}: {digest.title}")
    body = "\n".join(filter(None, _sections(digest, provenance, lengths)))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
<script>{script}</script>
</body>
</html>
"""


@functools.lru_cache
def _file(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _sections(
    digest: Digest, provenance: Provenance, lengths: Lengths
) -> Iterator[str]:
    yield _header(digest)
    yield _shares(digest)
    yield _notes(digest)
    yield diff_sections.layers(digest, lengths)
    yield diff_sections.histograms(digest, lengths)
    yield diff_sections.examples(digest, lengths)
    yield _table(digest, lengths)
    yield _run(digest, provenance)


def _header(digest: Digest) -> str:
    sentences = " ".join(map(for_element, digest.sentences))
    return (
        f'<header><p class="subject">{for_html(digest.subject)}</p>'
        f"<h1>{for_html(digest.title)}</h1>"
        f'<p class="verdict t-{digest.tone.value}"><i></i>'
        f"{for_html(digest.verdict)}</p>"
        f'<p class="sentences">{sentences}</p></header>'
    )


def _shares(digest: Digest) -> str:
    if not digest.shares:
        return ""
    items = "".join(map(_share, digest.shares))
    return (
        f"<section><h2>Bytes by {for_html(digest.shares_of)}</h2>"
        f'{pictures.shares(digest.shares)}<ul class="legend">{items}</ul></section>'
    )


def _share(share: Share) -> str:
    because = f": {for_html(share.because)}" if share.because else ""
    return (
        f'<li data-what="{for_html(share.what)}" data-count="{share.count}" '
        f'data-size="{share.size}"><span class="what t-{share.tone.value}"><i></i>'
        f"{for_html(share.what)}</span> <b>{messages.bytes_text(share.size)}</b> "
        f"<small>in {share.count:,}{because}</small></li>"
    )


def _notes(digest: Digest) -> str:
    items = "".join(f"<li>{for_element(note)}</li>" for note in digest.shown_notes)
    if not items:
        return ""
    return f'<section class="notes"><h2>To be looked at</h2><ul>{items}</ul></section>'


def _table(digest: Digest, lengths: Lengths) -> str:
    if not digest.num_rows:
        return ""
    heads = "".join(
        f'<th scope="col"{_numeric(column)}>{for_html(column.title)}</th>'
        for column in digest.columns
    )
    bodies = "".join(_group(group, digest.columns, lengths) for group in digest.groups)
    bounded = "".join(
        f"<p>{for_html(said)}</p>" for said in (digest.bounded, lengths.said) if said
    )
    return (
        f'<section class="rows"><h2>{for_html(digest.heading)}</h2>{bounded}'
        '<div class="tools" hidden><input type="search" '
        'aria-label="Show only rows with" '
        'placeholder="show only rows with &hellip;"><button type="button" '
        'data-fold="open">open all</button><button type="button" data-fold="close">'
        'fold all</button><span role="status"></span></div>'
        '<div class="scroll" tabindex="0" role="region" aria-label="Table">'
        f'<table class="all{_places(digest.columns)}"><thead><tr>{heads}</tr></thead>'
        f"{bodies}</table></div></section>"
    )


def _places(columns: Iterable[Column]) -> str:
    """Where numbers stand, as classes of the table: a page of 2,000 rows has 4,000."""
    return "".join(
        f" n{place}" for place, column in enumerate(columns, 1) if column.is_numeric
    )


def _group(group: Group, columns: tuple[Column, ...], lengths: Lengths) -> str:
    problems = (
        f" <em>{counted(group.num_problems, 'problem')}</em>"
        if group.num_problems
        else ""
    )
    count = len(group.rows)
    tone = _usual_tone(group)
    rows = "".join(
        _row(row, is_under, columns, tone, lengths) for row, is_under in group.rows
    )
    scope = for_element(group.scope, lengths.names) if group.scope else "(no scope)"
    return (
        f'<tbody class=t-{tone.value}><tr class="scope">'
        f'<th colspan="{len(columns)}" scope="rowgroup">'
        f"<code>{scope}</code> <small>{count:,} &middot; "
        f"{messages.bytes_text(group.size)}</small>{problems}</th></tr>{rows}</tbody>\n"
    )


def _usual_tone(group: Group) -> Tone:
    """That of most rows, which do not repeat it."""
    tones = [row.tone for row, _ in group.rows]
    return max(dict.fromkeys(tones), key=tones.count)


def _row(
    row: Row,
    is_under: bool,
    columns: tuple[Column, ...],
    usual: Tone,
    lengths: Lengths,
) -> str:
    cells = "".join(
        _cell(cell, column, row, usual, lengths)
        for cell, column in zip(row.cells, columns)
    )
    return f"<tr{' class=s' if is_under else ''}>{cells}"


def _cell(cell: Cell, column: Column, row: Row, usual: Tone, lengths: Lengths) -> str:
    if cell is None or cell == "":
        return "<td>"
    if column.shown is Shown.BYTES:
        text = messages.bytes_text(int(cell))
        return f"<td>{text}" if text == f"{cell} B" else f"<td data-v={cell}>{text}"
    if column.shown is Shown.NUMBER:
        return f"<td>{number_text(cell)}"
    is_name = column.shown is Shown.NAME
    text = for_element(str(cell), lengths.names if is_name else lengths.texts)
    if column.shown is Shown.VERDICT:
        return (
            f"<td>{text}"
            if row.tone is usual
            else f"<td class=t-{row.tone.value}>{text}"
        )
    if is_name and cell != row.name:  # a name is styled by its place
        return f"<td><code>{text}</code>"
    return f"<td>{text}"


def _numeric(column: Column) -> str:
    return " class=n" if column.is_numeric else ""


def _run(digest: Digest, provenance: Provenance) -> str:
    marks = "".join(
        f"<dt>{for_html(mark.role)}</dt><dd><code>{for_html(mark.prefix)}</code>"
        f'<span class="mark">{_mark(mark.file, mark.sha256)}</span></dd>'
        for mark in provenance.fingerprints
    )
    facts = "".join(
        f"<dt>{for_html(name)}</dt><dd>{for_html(value)}</dd>"
        for name, value in digest.facts
    )
    versions = ", ".join(
        f"{for_html(name)} {for_html(version)}" for name, version in provenance.versions
    )
    command = (
        f"<dt>command</dt><dd><code>{for_html(provenance.command)}</code></dd>"
        if provenance.command
        else ""
    )
    return (
        f'<section class="run"><h2>What was run</h2><dl>{command}{marks}{facts}'
        f"<dt>versions</dt><dd>{versions}</dd>"
        f"<dt>made</dt><dd>{for_html(provenance.made)}</dd></dl></section>"
    )


def _mark(file: str, sha256: str) -> str:
    if not file:
        return for_html(sha256)
    name = for_html(messages.short_path(file))
    return f"SHA-256 of {name}: <code>{for_html(sha256)}</code>"
