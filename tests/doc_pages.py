"""Runs a page of the docs as its reader would, from top to bottom, in one process.

A block with a `title="FILE"` is written to that file; `python` blocks run one after
another in one module; each line of a `sh` block is a command of `estimator-ckpt`. A
comment `# exits with N` behind a command says that it does not end with 0.

    python -m tests.doc_pages PAGE
"""

from __future__ import annotations

import logging
import pathlib
import re
import shlex
import sys

FENCE = re.compile(
    r'^```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<body>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)
EXITS = re.compile(r"# exits with (\d)$")


def blocks(path):
    """The fenced blocks of a page: (language, title or None, body) each."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    return [match.group("language", "title", "body") for match in FENCE.finditer(text)]


def commands(body):
    """The commands of a `sh` block: (arguments, expected exit code) each."""
    for line in body.replace("\\\n", " ").splitlines():
        program, *arguments = shlex.split(line, comments=True) or [None]
        if program is not None:
            assert program == "estimator-ckpt", line
            expected = EXITS.search(line)
            yield arguments, int(expected[1]) if expected else 0


def run(path):
    """Runs a page in the working directory."""
    from estimator_ckpt.cli import main

    namespace = {"__name__": "__main__"}
    for language, title, body in blocks(path):
        if title:
            pathlib.Path(title).write_text(body, encoding="utf-8")
        elif language == "python":
            exec(compile(body, str(path), "exec"), namespace)
        elif language == "sh":
            for arguments, expected in commands(body):
                code = main.run(arguments)
                assert code == expected, f"{shlex.join(arguments)}: {code}"


if __name__ == "__main__":
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    run(sys.argv[1])
