"""The pictures of a report, as SVG without text: labels are the page's own.

So a picture can be as wide as its place, and no label of it can cover another.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from estimator_ckpt.reports.digest import Share

_WIDTH, _HEIGHT = 320, 72


def shares(found: Sequence[Share]) -> str:
    """A bar divided by bytes; by number, where nothing has any bytes."""
    by_size = any(share.size for share in found)
    sizes = [share.size if by_size else share.count for share in found]
    total = sum(sizes)
    if not total:
        return ""
    parts: list[tuple[float, str]] = []
    at = 0.0
    for share, size in zip(found, sizes):
        width = 1000 * size / total
        if size:
            rect = (
                f'<rect class="t-{share.tone.value}" x="{min(at, 998):.2f}" y="0" '
                f'width="{max(width, 2):.2f}" height="10"/>'
            )
            parts.append((width, rect))
        at += width
    # The smallest last: what is too small to be seen is drawn larger, over the others.
    drawn = "".join(rect for _, rect in sorted(parts, key=lambda p: -p[0]))
    return (
        '<svg class="shares" viewBox="0 0 1000 10" preserveAspectRatio="none" '
        f'aria-hidden="true" focusable="false">{drawn}</svg>'
    )


def exponent_range(numbers: Sequence[float]) -> tuple[int, int]:
    """The powers of ten that hold all positive finite numbers, for a scale."""
    found = [x for x in numbers if x > 0 and math.isfinite(x)]
    if not found:
        return -1, 0
    low, high = math.floor(math.log10(min(found))), math.ceil(math.log10(max(found)))
    return low, max(high, low + 1)


def bar(mean: float, largest: float, exponents: tuple[int, int]) -> str:
    """A layer's bar on a logarithmic scale: to its mean, and a line to its largest."""
    reach, end = (place(x, exponents) for x in (mean, largest))
    return (
        f'<svg class=bar aria-hidden=true><rect class=reach y=5 width="{end:.1f}%" '
        f'height=2 /><rect class=mean y=1 width="{reach:.1f}%" height=10 /></svg>'
    )


def distribution(before: Sequence[int], after: Sequence[int] = ()) -> str:
    """A histogram as an area; of a second one, the outline above it."""
    most = max([*before, *after, 1])
    parts = [f'<path class="area" d="M0,{_HEIGHT}{_steps(before, most)}V{_HEIGHT}Z"/>']
    if after:
        outline = _steps(after, most).removeprefix("V")
        parts.append(f'<path class="outline" d="M0,{outline}"/>')
    return (
        f'<svg class="histogram" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f"{''.join(parts)}</svg>"
    )


def _steps(counts: Sequence[int], most: int) -> str:
    """Up or down to each count, then to the right, over all that are equal at once."""
    width = _WIDTH / len(counts)
    steps, done = [], 0
    for count, equal in itertools.groupby(counts):
        done += len(list(equal))
        y = _HEIGHT - (_HEIGHT - 2) * count / most
        steps.append(f"V{y:.4g}H{done * width:.4g}")
    return "".join(steps)


def place(number: float, exponents: tuple[int, int]) -> float:
    """Where a number is on the scale, in percent; above 0, if the number is."""
    low, high = exponents
    if not number > 0:
        return 0.0
    if math.isinf(number):
        return 100.0
    return min(max(100 * (math.log10(number) - low) / (high - low), 1.0), 100.0)
