"""A report as Markdown for a review: tables folded by scope, pictures of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.reports import pictures
from estimator_ckpt.reports.digest import (
    Cell,
    Column,
    Digest,
    Group,
    Shown,
    counted,
    number_text,
)
from estimator_ckpt.reports.escaping import (
    Lengths,
    code_for_markdown,
    fitted,
    for_markdown,
)
from estimator_ckpt.reports.provenance import Provenance

_HEIGHTS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_BAR = 24


def render(digest: Digest, provenance: Provenance) -> str:
    """The page's text, with cells as long as a page of so many can have them."""

    def page(lengths: Lengths) -> str:
        sections = _sections(digest, provenance, lengths)
        return "\n\n".join(filter(None, sections)) + "\n"

    return fitted(page, digest.num_shown)


def _sections(
    digest: Digest, provenance: Provenance, lengths: Lengths
) -> Iterator[str]:
    yield f"# {digest.subject}: {for_markdown(digest.title)}"
    yield f"**{for_markdown(digest.verdict)}.** " + " ".join(
        map(for_markdown, digest.sentences)
    )
    yield _shares(digest)
    yield "\n".join(f"- {for_markdown(note)}" for note in digest.shown_notes)
    yield _layers(digest, lengths)
    yield _histograms(digest, lengths)
    yield _examples(digest, lengths)
    yield _rows(digest, lengths)
    yield _run(digest, provenance)


def _shares(digest: Digest) -> str:
    if not digest.shares:
        return ""
    total = sum(share.size for share in digest.shares) or 1
    rows = [
        (
            for_markdown(", ".join(filter(None, [share.what, share.because]))),
            str(share.count),
            messages.bytes_text(share.size),
            "\u2588" * -(-_BAR * share.size // total),
        )
        for share in digest.shares
    ]
    table = _table(
        [(digest.shares_of, False), ("number", True), ("bytes", True), ("", False)],
        rows,
    )
    return f"## Bytes by {digest.shares_of}\n\n{table}"


def _layers(digest: Digest, lengths: Lengths) -> str:
    layers = digest.layers
    if not layers:
        return ""
    low, high = pictures.exponent_range(
        [x for y in layers for x in (y.mean_abs, y.max_abs)]
    )
    rows = [
        (
            code_for_markdown(layer.name, lengths.names),
            f"{layer.mean_abs:.4g}",
            f"{layer.max_abs:.4g}",
            "\u2588" * round(pictures.place(layer.mean_abs, (low, high)) * _BAR / 100),
        )
        for layer in layers
    ]
    table = _table([("layer", False), ("mean", True), ("max", True), ("", False)], rows)
    return (
        f"## Difference by layer\n\nIn the order of the layers, without optimizer "
        f"state; bars are means on a logarithmic scale from 1e{low} to 1e{high}."
        f"{digest.bound_on_layers}\n\n{table}"
    )


def _histograms(digest: Digest, lengths: Lengths) -> str:
    if not digest.histograms:
        return ""
    rows = [
        (
            ", ".join([code_for_markdown(found.name, lengths.names), *found.remarks()]),
            f"{found.mean_abs:.3g}",
            f"{found.max_abs:.3g}",
            f"{found.low:.3g} {_heights(found.before)} {found.high:.3g}",
            _heights(found.after),
            f"{found.change_low:.3g} {_heights(found.change)} {found.change_high:.3g}",
        )
        for found in digest.histograms
    ]
    heads = [("tensor", False), ("mean abs", True), ("max abs", True)]
    heads += [(what, False) for what in ("before", "after", "after less before")]
    return f"## The most changed tensors\n\n{_table(heads, rows)}"


def _examples(digest: Digest, lengths: Lengths) -> str:
    if not digest.without_histogram:
        return ""
    rows = [
        (
            code_for_markdown(example.name, lengths.names) if not i else "",
            example.dtype if not i else "",
            example.counted if not i else "",
            place,
            code_for_markdown(before),
            code_for_markdown(after),
        )
        for example in digest.examples
        for i, (place, before, after) in enumerate(example.elements)
    ]
    heads = ("tensor", "dtype", "changed", "element", "before", "after")
    table = rows and f"\n\n{_table([(head, False) for head in heads], rows)}"
    return (
        f"## {digest.heading_without_histogram}\n\n"
        f"{for_markdown(digest.without_histogram)}"
        f"{table or ''}"
    )


def _heights(counts: Sequence[int]) -> str:
    most = max([*counts, 1])
    return "".join(_HEIGHTS[-(-7 * count // most)] for count in counts)


def _rows(digest: Digest, lengths: Lengths) -> str:
    if not digest.num_rows:
        return ""
    bounded = "".join(f"{said}\n\n" for said in (digest.bounded, lengths.said) if said)
    is_open = digest.num_shown <= 80
    groups = "\n\n".join(
        _group(group, digest.columns, is_open, lengths) for group in digest.groups
    )
    return f"## {digest.heading}\n\n{bounded}{groups}"


def _group(
    group: Group, columns: Sequence[Column], is_open: bool, lengths: Lengths
) -> str:
    wrong = group.num_problems
    problems = f", {counted(wrong, 'problem')}" if wrong else ""
    size = messages.bytes_text(group.size)
    # A summary is HTML, not Markdown.
    scope = for_markdown(group.scope, lengths.names) or "(no scope)"
    rows = []
    for row, is_under in group.rows:
        cells = [
            _cell(cell, column, lengths) for cell, column in zip(row.cells, columns)
        ]
        cells[0] = f"&ensp;\u21b3 {cells[0]}" if is_under else cells[0]
        rows.append(cells)
    table = _table([(column.title, column.is_numeric) for column in columns], rows)
    return (
        f"<details{' open' if is_open or wrong else ''}><summary>{scope} "
        f"({len(rows)}, {size}{problems})</summary>\n\n{table}\n\n</details>"
    )


def _cell(cell: Cell, column: Column, lengths: Lengths) -> str:
    if cell is None or cell == "":
        return ""
    if column.shown is Shown.BYTES:
        return messages.bytes_text(int(cell))
    if column.shown is Shown.NUMBER:
        return number_text(cell)
    if column.shown is Shown.NAME:
        return code_for_markdown(str(cell), lengths.names)
    return for_markdown(str(cell), lengths.texts)


def _run(digest: Digest, provenance: Provenance) -> str:
    rows = []
    if provenance.command:
        rows.append(("command", code_for_markdown(provenance.command)))
    for mark in provenance.fingerprints:
        rows.append((mark.role, code_for_markdown(mark.prefix)))
        said = (
            code_for_markdown(mark.sha256) if mark.file else for_markdown(mark.sha256)
        )
        where = (
            f" of {code_for_markdown(messages.short_path(mark.file))}"
            if mark.file
            else ""
        )
        rows.append(("", f"SHA-256{where}: {said}"))
    rows += [(for_markdown(name), for_markdown(value)) for name, value in digest.facts]
    versions = ", ".join(f"{name} {version}" for name, version in provenance.versions)
    rows += [
        ("versions", for_markdown(versions)),
        ("made", for_markdown(provenance.made)),
    ]
    return f"## What was run\n\n{_table([('', False), ('', False)], rows)}"


def _table(heads: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> str:
    """A table; each head with whether its column is one of numbers."""
    lines = [
        [title for title, _ in heads],
        ["--:" if is_numeric else "---" for _, is_numeric in heads],
        *rows,
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
