"""Check every tensor of a checkpoint against its checksum."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from estimator_ckpt.checkpoint.verify import verify
from estimator_ckpt.cli import output, progress_bar, report_argument, shared_arguments

#: Of --help; old_job is a model dir.
EXAMPLES = (
    "verify old_job",
    "verify old_job/model.ckpt-200 --report=verified.md",
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("path", help=shared_arguments.CHECKPOINT)
    shared_arguments.add_json(parser)
    report_argument.add_argument(parser)


def run(arguments: Namespace) -> int:
    """Prints what is damaged; returns 1 if anything is."""
    report_argument.check(arguments)
    with progress_bar.progress("verifying") as progress:
        found = verify(arguments.path, progress=progress)
    if arguments.json:
        problems = [problem._asdict() for problem in found.problems]
        output.print_json({**found._asdict(), "problems": problems, "ok": found.ok})
    else:
        for problem in found.problems:
            output.say(problem.message)
        what = f"{found.num_tensors} tensors, {output.bytes_text(found.num_bytes)}"
        verdict = "whole" if found.ok else f"{len(found.problems)} damaged"
        output.say(f"{found.prefix}: {what}: {verdict}")
    report_argument.write(arguments, found)
    return 0 if found.ok else 1
