"""Opens every page of the site in a headless Chromium and says what it saw, as JSON.

    python look_at_site.py CHROMIUM SITE > seen.json

Runs in an environment of its own, which has playwright and nothing of ours.
"""

import functools
import http.server
import json
import pathlib
import sys
import threading

from playwright.sync_api import sync_playwright

WIDTHS = (390, 1400)
TOO_WIDE = """() =>
  document.documentElement.scrollWidth - document.documentElement.clientWidth"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def main():
    chromium, site = sys.argv[1], pathlib.Path(sys.argv[2])
    handler = functools.partial(Quiet, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/"
    folder = f"{site.resolve().as_uri()}/"
    seen = {"foreign": [], "errors": [], "too wide": [], "pages": 0}

    def requested(request):
        if not request.url.startswith((base, folder, "data:", "blob:")):
            seen["foreign"].append(request.url)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.on("request", requested)
        page.on(
            "console", lambda m: m.type == "error" and seen["errors"].append(m.text)
        )
        page.on("pageerror", lambda error: seen["errors"].append(str(error)))
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for path in sorted(site.rglob("*.html")):
                page.goto(base + str(path.relative_to(site)))
                seen["pages"] += 1
                if page.evaluate(TOO_WIDE) > 0:
                    seen["too wide"].append([width, path.name])
        for key, start, typed in (
            ("found", base, "bad magic number"),
            ("found in a folder", folder, "bad magic number"),
            ("found by its title", folder, "Weights only load failed."),
        ):
            page.goto(f"{start}index.html")
            page.click(".md-search__input")
            page.keyboard.type(typed)  # the search listens to keys
            page.wait_for_selector(".md-search-result__link", timeout=30_000)
            links = page.query_selector_all(".md-search-result__link")
            seen[key] = [link.get_attribute("href") for link in links]
        browser.close()
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main()
