"""Opens reports in a headless Chromium and says what it saw, as JSON.

    python look_at_reports.py CHROMIUM FILE.html... > seen.json

Runs in an environment of its own, which has playwright and nothing of ours.
"""

import json
import pathlib
import sys

from playwright.sync_api import sync_playwright

WIDTHS = (390, 1400)

#: Pairs of texts that cover each other, of those that can be seen.
OVERLAPS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.textContent.trim() || parent.closest("script, style, [hidden]")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const r of range.getClientRects()) {
      let [left, top, right, bottom] = [r.left, r.top, r.right, r.bottom];
      for (let e = parent; e; e = e.parentElement) {
        if (getComputedStyle(e).overflowX === "visible") continue;
        const box = e.getBoundingClientRect();
        [left, top] = [Math.max(left, box.left), Math.max(top, box.top)];
        [right, bottom] = [Math.min(right, box.right), Math.min(bottom, box.bottom)];
      }
      if (right - left > 1 && bottom - top > 1)
        found.push({ left, top, right, bottom, text: node.textContent.trim() });
    }
  }
  found.sort((a, b) => a.top - b.top);
  const pairs = [];
  found.forEach((a, i) => {
    for (const b of found.slice(i + 1)) {
      if (b.top >= a.bottom) break;
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - b.top;
      // Lines of one paragraph touch: the boxes of fonts are higher than letters.
      if (across > 1 && down > 4) pairs.push([a.text, b.text]);
    }
  });
  return { texts: found.length, pairs };
}"""

#: The names in the table's first column that can be seen, by scope.
NAMES = """() => {
  const isSeen = (element) => element.getClientRects().length > 0;
  const scopes = [...document.querySelectorAll("table.all tbody")].filter(isSeen);
  return scopes.map((body) => [
    body.querySelector(".scope th").textContent.replace(/ [\\d,]+ \u00b7.*/, ""),
    [...body.querySelectorAll("tr:not(.scope)")].filter(isSeen)
      .map((row) => row.cells[0].textContent)]);
}"""


def tab_to(page, text):
    """Presses Tab until the element with this text has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == text:
            return True
    return False


def by_keyboard(page):
    """Sorts by size, folds the first scope, searches: with the keyboard alone."""
    seen = {"first": page.evaluate(NAMES)}
    seen["reached"] = [tab_to(page, "size")]
    head = "document.activeElement.closest('th').getAttribute('aria-sort')"
    for name in ("down", "up", "again"):
        page.keyboard.press("Enter")
        seen[name] = page.evaluate(NAMES)
        seen[f"{name}_said"] = page.evaluate(head)
    scope = page.evaluate("document.querySelector('.scope button').textContent")
    seen["reached"].append(tab_to(page, scope))
    page.keyboard.press("Space")
    seen["folded"] = page.evaluate(NAMES)
    page.keyboard.press("Space")
    seen["unfolded"] = page.evaluate(NAMES)
    page.focus("input[type=search]")
    page.keyboard.type("KERNEL")
    seen["found"] = page.evaluate(NAMES)
    seen["found_said"] = page.evaluate(
        "document.querySelector('[role=status]').textContent"
    )
    return seen


def look(browser, path, width, scheme):
    page = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    said, requests = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    seen = {
        "file": path.name,
        "width": width,
        "scheme": scheme,
        "ground": page.evaluate("getComputedStyle(document.body).backgroundColor"),
        "overlaps": page.evaluate(OVERLAPS),
        "scroll_width": page.evaluate("document.documentElement.scrollWidth"),
        "rows": page.locator("table.all tbody tr:not(.scope)").count(),
    }
    page.screenshot(path=path.with_suffix(f".{width}.{scheme}.png"), full_page=True)
    if seen["rows"]:
        seen["keyboard"] = by_keyboard(page)
        seen["overlaps_open"] = page.evaluate(OVERLAPS)
    page.emulate_media(media="print")
    seen["overlaps_printed"] = page.evaluate(OVERLAPS)
    seen["said"], seen["requests"] = said, requests[1:]
    page.close()
    return seen


def main(chromium, *paths):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        seen = [
            look(browser, pathlib.Path(path).resolve(), width, scheme)
            for path in paths
            for width, scheme in zip(WIDTHS, ("dark", "light"))
        ]
        browser.close()
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
