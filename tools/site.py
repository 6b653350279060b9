"""Hooks of mkdocs: what the site has beside the files of docs/.

- the README as its front page, and the other pages of the repository's root;
- docs/tutorial.ipynb as a page, with its outputs and plots;
- a section of the reference for each public name of the package;
- an entry of the search for each row of the index of errors, which leads to its page;
- the source files that pages link to, so that no link leads out of the site.

The pure functions at the top know nothing of mkdocs; `tests/test_site.py` holds them.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import posixpath
import re
import sys
from pathlib import Path

#: Whose warnings `mkdocs build --strict` counts.
LOG = logging.getLogger("mkdocs.site")
ROOT = Path(__file__).resolve().parent.parent
#: Pages of the site that are not in docs/: {page: file of the repository}.
PAGES = {
    "index.md": "README.md",
    **{name: name for name in ("BUILD.md", "CONTRIBUTING.md", "CHANGELOG.md")},
    "benchmarks/RESULTS.md": "benchmarks/RESULTS.md",
}
NOTEBOOK = "tutorial.ipynb"
MARKER = re.compile(r"<!-- A section for each public name .*? -->", re.DOTALL)
LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[)#])")
#: Readers search for an error before anything else: {beginning of a page: factor}.
SEARCH_BOOSTS = {
    "errors.md": 3,
    "situations/": 2,
    "CONTRIBUTING.md": 0.3,
    "BUILD.md": 0.3,
}
#: A row of the index of errors: its message, and the first page that it leads to.
ERROR_ROW = re.compile(
    r"^\| `(.+?)` \| (?:[^|\[]+ \| )?\[.*?\]\((\S+?)\.md\)", re.MULTILINE
)
#: Link texts that are file names: on the site they are pages.
FILE_NAME = re.compile(r"\[(?:docs/)?([\w/-]+)\.(?:md|ipynb)\](?=\()")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
#: What `flags` offers.
FLAGS = ("define_flags", "decorate", "run_config")
#: What the calls return.
RESULTS = (
    "estimator_ckpt.checkpoint.opening.Checkpoint",
    "estimator_ckpt.checkpoint.variable.Variable",
    "estimator_ckpt.checkpoint.variable.StoredVariable",
    "estimator_ckpt.maps.plans.Plan",
    "estimator_ckpt.maps.plans.Item",
    "estimator_ckpt.maps.plans.Verdict",
    "estimator_ckpt.maps.suggest.suggestion.Suggestion",
    "estimator_ckpt.checkpoint.diff.Diff",
    "estimator_ckpt.checkpoint.diff.Difference",
    "estimator_ckpt.checkpoint.changes.value_changes.LayerChange",
    "estimator_ckpt.checkpoint.changes.histograms.Histogram",
    "estimator_ckpt.checkpoint.changes.changed_elements.Example",
    "estimator_ckpt.checkpoint.verify.Verification",
    "estimator_ckpt.keras.object_plans.ObjectPlan",
)
#: What a page may not do: load a script, a style or a picture from elsewhere.
FETCHED = re.compile(
    r"<(?:script|img|iframe)\b[^>]*\bsrc=[\"']?(?:https?:)?//"
    r"|<link\b[^>]*\brel=[\"']?(?:stylesheet|preconnect|preload)[^>]*"
    r"\bhref=[\"']?(?:https?:)?//"
)


def site_path(path: str) -> str:
    """Where a file of the repository is in the site: `docs/plans.md` -> `plans.md`."""
    if path == f"docs/{NOTEBOOK}":
        return "tutorial.md"
    for page, file in PAGES.items():
        if path == file:
            return page
    if path.startswith("docs/"):
        return path[len("docs/") :]
    return f"source/{path}"


def repository_path(page: str) -> str:
    """Which file of the repository a page of the site is made from."""
    return PAGES.get(page, f"docs/{page}")


def with_site_links(text: str, page: str) -> str:
    """Links between files of the repository become links between pages of the site."""
    file = repository_path(page)

    def replaced(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(file), match[1]))
        return posixpath.relpath(site_path(target), posixpath.dirname(page) or ".")

    def prose(piece: str) -> str:
        return LINK.sub(replaced, FILE_NAME.sub(r"[\1]", piece))

    pieces, at = [], 0
    for fence in FENCE.finditer(text):  # code stays as it is
        pieces += [prose(text[at : fence.start()]), fence[0]]
        at = fence.end()
    return "".join([*pieces, prose(text[at:])])


def linked_files(text: str, page: str) -> set[str]:
    """The files of the repository outside of docs/ that a page links to."""
    linked = set()
    for target in LINK.findall(FENCE.sub("", text)):
        file = posixpath.normpath(
            posixpath.join(posixpath.dirname(repository_path(page)), target)
        )
        if site_path(file).startswith("source/"):
            linked.add(file)
    return linked


def notebook_page(notebook: dict) -> tuple[str, dict[str, bytes]]:
    """A notebook as Markdown, and its plots as files.

    Args:
      notebook: its JSON.

    Returns:
      The text of the page, and {file name: PNG}.
    """
    parts, plots = [], {}
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        language = "sh" if source.startswith("%%bash") else "python"
        parts.append(fenced(language, source.removeprefix("%%bash\n")))
        for output in cell["outputs"]:
            data = output.get("data", {})
            if output["output_type"] == "stream":
                parts.append(fenced("text", "".join(output["text"])))
            elif "image/png" in data:
                name = f"tutorial-{len(plots) + 1}.png"
                plots[name] = base64.b64decode("".join(data["image/png"]))
                parts.append(f"![What the cell above draws]({name})")
            elif "text/plain" in data:
                parts.append(fenced("text", "".join(data["text/plain"])))
    return "\n\n".join(parts) + "\n", plots


def entries_of_errors(text: str) -> list[dict]:
    """What the search has of each row of the index of errors, as mkdocs writes it.

    Its title is the message, since titles count most: the words of a table are lost in
    its section. There is no such anchor: the page opens at its top, which quotes the
    message.
    """
    return [
        {
            "location": f"{page}.html#message-{number}",
            "title": html.escape(message, quote=False),
            "text": "",
            "boost": 2,
        }
        for number, (message, page) in enumerate(ERROR_ROW.findall(text), 1)
    ]


def fenced(language: str, text: str) -> str:
    """A block of code, whatever is in it."""
    longest = max(map(len, re.findall(r"`{3,}", text)), default=2)
    ticks = "`" * (longest + 1)
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def reference(text: str) -> str:
    """The reference with a section for each public name, in alphabetical order."""
    sys.path.insert(0, str(ROOT))
    import estimator_ckpt

    sections = [
        f"::: {estimator_ckpt._DEFINED_IN[name]}.{name}"
        for name in estimator_ckpt.__all__
        if name in estimator_ckpt._DEFINED_IN
    ]
    for name, module in estimator_ckpt._MODULES.items():
        made = ", ".join(FLAGS) if name == "flags" else ""
        sections.append(f"::: {module}\n    options: {{members: [{made}]}}")
    sections += [f"::: {result}" for result in RESULTS]
    return MARKER.sub("", text) + "\n" + "\n\n".join(sections) + "\n"


# ---- what mkdocs calls ----


def on_files(files, config):
    from mkdocs.structure.files import File

    texts = {}
    for page, path in PAGES.items():
        texts[page] = (ROOT / path).read_text(encoding="utf-8")
    notebook = json.loads((ROOT / "docs" / NOTEBOOK).read_text(encoding="utf-8"))
    texts["tutorial.md"], plots = notebook_page(notebook)
    for page, text in texts.items():
        files.append(File.generated(config, page, content=text))
    for name, plot in plots.items():
        files.append(File.generated(config, name, content=plot))
    linked = {}
    for file in files.documentation_pages():
        for path in linked_files(file.content_string, file.src_uri):
            linked.setdefault(path, file.src_uri)
    for path, page in sorted(linked.items()):
        if not (ROOT / path).is_file():
            file = repository_path(page)
            LOG.warning(
                "%s links to %s, which is no file of the repository", file, path
            )
            continue
        files.append(
            File.generated(config, site_path(path), abs_src_path=str(ROOT / path))
        )
    return files


def on_page_markdown(markdown, page, config, files):
    for start, boost in SEARCH_BOOSTS.items():
        if page.file.src_uri.startswith(start):
            page.meta["search"] = {"boost": boost}
    if page.file.src_uri == "reference.md":
        markdown = reference(markdown)
    return with_site_links(markdown, page.file.src_uri)


def on_post_build(config):
    from mkdocs.exceptions import PluginError

    index = Path(config.site_dir, "search", "search_index.json")
    entries = json.loads(index.read_text(encoding="utf-8"))
    errors = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    entries["docs"] += entries_of_errors(errors)
    index.write_text(json.dumps(entries), encoding="utf-8")
    for path in Path(config.site_dir).rglob("*.html"):
        found = FETCHED.search(path.read_text(encoding="utf-8"))
        if found:
            raise PluginError(f"{path}: fetches from elsewhere: {found[0]}")
