"""What only a diff has on its HTML page: layers, histograms, elements that differ."""

from __future__ import annotations

from estimator_ckpt.checkpoint.changes.changed_elements import Example
from estimator_ckpt.checkpoint.changes.histograms import Histogram
from estimator_ckpt.checkpoint.changes.value_changes import LayerChange
from estimator_ckpt.reports import pictures
from estimator_ckpt.reports.digest import Digest
from estimator_ckpt.reports.escaping import Lengths, for_element, for_html


def layers(digest: Digest, lengths: Lengths) -> str:
    found = digest.layers
    if not found:
        return ""
    exponents = pictures.exponent_range(
        [x for y in found for x in (y.mean_abs, y.max_abs)]
    )
    rows = "".join(_layer(layer, exponents, lengths) for layer in found)
    low, high = (f"1e{exponent}" for exponent in exponents)
    return (
        "<section><h2>Difference by layer</h2>"
        f"<p>In the order of the layers, on a logarithmic scale from {low} to {high}: "
        '<span class="key mean"></span>&nbsp;mean and '
        '<span class="key reach"></span>&nbsp;largest absolute difference, without '
        f"optimizer state.{digest.bound_on_layers}</p>"
        '<div class="scroll" tabindex="0" role="region" '
        'aria-label="Difference by layer">'
        '<table class="layers"><thead><tr><th scope="col">layer</th>'
        '<th scope="col" class="picture"></th>'
        '<th scope="col" class="n">mean</th><th scope="col" class="n">max</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div></section>"
    )


def _layer(layer: LayerChange, exponents: tuple[int, int], lengths: Lengths) -> str:
    name = for_element(layer.name, lengths.names)
    bar = pictures.bar(layer.mean_abs, layer.max_abs, exponents)
    return (
        f'<tr><th scope="row"><code>{name}</code></th>'
        f'<td class="picture">{bar}</td>'
        f"{_number(layer.mean_abs)}{_number(layer.max_abs)}</tr>"
    )


def histograms(digest: Digest, lengths: Lengths) -> str:
    cards = "".join(_histogram(found, lengths) for found in digest.histograms)
    if not cards:
        return ""
    return (
        "<section><h2>The most changed tensors</h2>"
        "<p>By mean absolute difference, the largest first. Above, the values "
        '<span class="key area"></span>&nbsp;before and '
        '<span class="key outline"></span>&nbsp;after; below, after less before.</p>'
        f'<div class="cards">{cards}</div></section>'
    )


def _histogram(found: Histogram, lengths: Lengths) -> str:
    said = "".join(f"<p>{remark}</p>" for remark in found.remarks())
    return (
        f'<figure data-name="{for_html(found.name, lengths.names)}"><figcaption>'
        f"<code>{for_element(found.name, lengths.names)}</code>"
        f"<span>mean {found.mean_abs:.3g}</span><span>max {found.max_abs:.3g}</span>"
        f"</figcaption>{pictures.distribution(found.before, found.after)}"
        f"{_scale(found.low, found.high)}"
        f'<div class="change">{pictures.distribution(found.change)}</div>'
        f"{_scale(found.change_low, found.change_high)}{said}</figure>"
    )


def examples(digest: Digest, lengths: Lengths) -> str:
    if not digest.without_histogram:
        return ""
    cards = "".join(_example(example, lengths) for example in digest.examples)
    cards = cards and f'<div class="cards loose">{cards}</div>'
    heading = for_element(digest.heading_without_histogram)
    return (
        f"<section><h2>{heading}</h2><p>{for_element(digest.without_histogram)}</p>"
        f"{cards}</section>"
    )


def _example(example: Example, lengths: Lengths) -> str:
    name = for_element(example.name, lengths.names)
    pairs = "".join(
        f"<p>{f'<small>{place}</small> ' if example.num_elements > 1 else ''}"
        f"<code>{for_element(before)}</code> \u2192 "
        f"<code>{for_element(after)}</code></p>"
        for place, before, after in example.elements
    )
    return (
        f'<article><div class="of"><code>{name}</code>'
        f"<span>{example.dtype}</span><span>{example.counted}</span></div>"
        f"{pairs}</article>"
    )


def _scale(low: float, high: float) -> str:
    return f'<p class="scale"><span>{low:.3g}</span><span>{high:.3g}</span></p>'


def _number(number: float) -> str:
    return f"<td class=n>{number:.4g}"
