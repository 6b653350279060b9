"""Writes a report: the one place that knows which result gives which page."""

from __future__ import annotations

import os
from typing import Union

from estimator_ckpt.bundle import argument_types, files
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.local_files.output_file import already_there
from estimator_ckpt.checkpoint.differences import Diff
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.verify import Verification
from estimator_ckpt.maps.plans import Plan
from estimator_ckpt.reports import (
    checkpoint_digest,
    diff_digest,
    html_page,
    markdown_page,
    plan_digest,
    provenance,
    verification_digest,
)
from estimator_ckpt.reports.digest import Digest

_RENDERERS = {".html": html_page.render, ".md": markdown_page.render}

Result = Union[Plan, Diff, Verification, Checkpoint]


class ReportError(CheckpointError, ValueError):
    """A report cannot be written, or not under that name."""


@argument_types.checked
def write_report(
    result: Result, path: files.PathLike, *, overwrite: bool = False
) -> str:
    """Writes a result as one page: for a review, for a lead, for the record.

    The page says in three sentences what was found, what was run (versions,
    fingerprints of the checkpoints), how the bytes divide, and each variable's row; of
    a diff also the difference of each layer, and histograms. An `.html` file needs no
    other and fetches nothing. Of more than 5,000 rows it has what is wrong and what is
    largest, and says so.

    Args:
      result: what `plan`, `plan_for`, `diff` or `verify` returned, or an open
        checkpoint.
      path: the file, ending in `.html` or `.md`.
      overwrite: whether to replace a file that is there.

    Returns:
      The path.

    Raises:
      ReportError: the path ends in neither, or its directory is not there.
      DestinationExistsError: the file is there, and overwrite is False.
      TypeError: `result` is none of these.
    """
    return put(digest_of(result), path, overwrite=overwrite)


def digest_of(result: Result) -> Digest:
    """The facts of a result.

    Raises:
      TypeError: there is no report of such a thing.
    """
    if isinstance(result, Plan):
        return plan_digest.of(result)
    if isinstance(result, Diff):
        return diff_digest.of(result)
    if isinstance(result, Verification):
        return verification_digest.of(result)
    if isinstance(result, Checkpoint):
        return checkpoint_digest.of(result)
    raise TypeError(
        f"a report is of what plan, plan_for, diff or verify returns, or of an open "
        f"checkpoint, not of a {type(result).__name__}"
    )


def require_usable(path: files.PathLike, overwrite: bool) -> str:
    """Checks, before any work is done, that a report can be written to a path.

    Raises:
      As `write_report`.
    """
    text = files.local(path)
    if os.path.splitext(text)[1].lower() not in _RENDERERS:
        raise ReportError(f"{text}: a report's name ends in .html or .md (--report)")
    directory = files.dirname(text)
    if directory and not files.is_dir(directory):
        raise ReportError(f"{text}: there is no directory {directory} for the report")
    if not os.access(directory or os.curdir, os.W_OK):
        raise ReportError(
            f"{text}: no file can be made in {directory or 'this directory'}; name "
            f"another for the report"
        )
    if files.is_dir(text):
        raise ReportError(f"{text}: is a directory; name a file for the report")
    if not overwrite and os.path.lexists(text):
        raise already_there(text)
    return text


def put(
    digest: Digest, path: files.PathLike, *, overwrite: bool = False, command: str = ""
) -> str:
    """Renders facts and writes them, whole or not at all.

    Args:
      digest: the facts.
      path: as for `write_report`.
      overwrite: as for `write_report`.
      command: the command line that found them.

    Raises:
      As `write_report`.
    """
    text = require_usable(path, overwrite)
    render = _RENDERERS[os.path.splitext(text)[1].lower()]
    page = render(digest, provenance.gather(digest.checkpoints, command)).encode()
    output = files.Output(text, len(page))
    try:
        output.write(page)
        output.commit(replace=overwrite)
    except BaseException:
        output.discard()
        raise
    return text
