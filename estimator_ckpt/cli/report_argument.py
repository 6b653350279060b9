"""`--report=FILE`: what a command found, as a page, beside what it prints."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from estimator_ckpt.bundle.printing import printable

if TYPE_CHECKING:
    from estimator_ckpt.reports.digest import Digest
    from estimator_ckpt.reports.report_file import Result


def add_argument(parser: ArgumentParser, *, overwrites: bool = False) -> None:
    """Adds the argument.

    Args:
      parser: the command's.
      overwrites: whether the command has an --overwrite of its own.
    """
    parser.add_argument(
        "--report",
        metavar="FILE",
        help="write what was found as one page, too: FILE.html or FILE.md",
    )
    if not overwrites:
        parser.add_argument(
            "--overwrite", action="store_true", help="replace a report that is there"
        )


def check(arguments: Namespace) -> None:
    """Looks at the argument before the work, so that none is in vain.

    Raises:
      ReportError: the file's name is none for a report, or its directory is missing.
      DestinationExistsError: it is there, and not to be replaced.
    """
    if arguments.report is not None:
        from estimator_ckpt.reports import report_file  # not every command needs it

        report_file.require_usable(arguments.report, arguments.overwrite)


def write(arguments: Namespace, found: Result | Digest) -> None:
    """Writes the report, if one is asked for, and says so on stderr.

    Args:
      arguments: the command's.
      found: the result, or its facts.

    Raises:
      As `check`.
    """
    if arguments.report is None:
        return
    import shlex

    from estimator_ckpt.reports import report_file
    from estimator_ckpt.reports.digest import Digest

    path = report_file.put(
        found if isinstance(found, Digest) else report_file.digest_of(found),
        arguments.report,
        overwrite=arguments.overwrite,
        command=shlex.join(["estimator-ckpt", *arguments.given]),
    )
    print(f"report: {printable(path)}", file=sys.stderr)
