"""Show what each variable of a target would get from a checkpoint.

The target is a checkpoint (anything that exists), or package.module:function: a
model_fn, with --input_fn, or a function without arguments that returns a Keras model or
another object. Nothing is written but the file of --suggest.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.index import index_path
from estimator_ckpt.checkpoint import roles
from estimator_ckpt.cli import output, report_argument, shared_arguments
from estimator_ckpt.cli.usage_errors import UsageError
from estimator_ckpt.maps.plans import Plan
from estimator_ckpt.planning import plan, suggest


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", help="prefix, file of a checkpoint, or model dir")
    parser.add_argument("target", help="another, or package.module:function")
    shared_arguments.add_arguments(parser)
    shared_arguments.add_roles(parser)
    shared_arguments.add_reset(parser)
    parser.add_argument(
        "--carry",
        choices=list(roles.CARRY),
        help="as in a warm start; without it everything, as in a conversion",
    )
    parser.add_argument(
        "--resize", action="append", help="regex of variables to fit to their shape"
    )
    parser.add_argument("--cast", action="store_true", help="allow other dtypes")
    parser.add_argument("--input_fn", help="for a model_fn: package.module:function")
    parser.add_argument(
        "--param", action="append", default=[], help="for a model_fn: name=value"
    )
    parser.add_argument(
        "--mode",
        choices=("train", "eval", "infer"),
        default="train",
        help="for a model_fn",
    )
    parser.add_argument(
        "--suggest", metavar="FILE", help="write a map for what does not match, to edit"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    report_argument.add_argument(parser)


def run(arguments: Namespace) -> int:
    """Prints a plan; 1 if something is missing or does not fit."""
    report_argument.check(arguments)
    options: dict[str, Any] = {}
    target: Any = arguments.target
    if not _exists(target) and ":" in target:
        from estimator_ckpt.cli import user_functions

        if arguments.input_fn:
            target = user_functions.for_estimator(target, "target")
            options = {
                "params": user_functions.params(arguments.param),
                "mode": arguments.mode,
                "input_fn": user_functions.for_estimator(
                    arguments.input_fn, "input_fn"
                ),
            }
        elif user_functions.takes_nothing(user_functions.function(target, "target")):
            target = user_functions.trackable(target, "target")
        else:
            raise UsageError(
                f"{target}: a plan for a model_fn needs --input_fn, from which its "
                f"graph is built; a function that returns an object takes no arguments"
            )
    if arguments.suggest:
        _suggest(arguments, target, options)
    planned = plan(
        arguments.source,
        target,
        carry=arguments.carry,
        resize=arguments.resize,
        cast=arguments.cast,
        **shared_arguments.options(arguments),
        **options,
    )
    show(planned, arguments.json)
    report_argument.write(arguments, planned)
    return 1 if planned.problems else 0


def _suggest(arguments: Namespace, target: Any, options: dict[str, Any]) -> None:
    """Writes the proposed map; what is there already is not replaced."""
    path = arguments.suggest
    if not path.endswith((".yaml", ".yml")):
        raise UsageError(
            f"--suggest: {path!r} must end in .yaml, for --assignment_map to read it"
        )
    if files.exists(path):
        raise UsageError(f"--suggest: {path} exists already; name another file")
    proposed = suggest(
        arguments.source,
        target,
        assignment_map=shared_arguments.options(arguments)["assignment_map"],
        names=arguments.names,
        optimizer_state=arguments.optimizer_state,
        model_state=arguments.model_state,
        **options,
    )
    text = proposed.to_yaml(arguments.source, arguments.target)
    files.put(path, text.encode())
    renamed = sum(len(rule.pairs) for rule in proposed.rules)
    print(
        f"{path}: renames {renamed} of {len(proposed.pairs)} variables found; "
        f"undecided: {len(proposed.undecided)}. The plan shown is without it",
        file=sys.stderr,
    )


def show(planned: Plan, as_json: bool = False) -> None:
    """Prints a plan as a table, or as JSON."""
    if as_json:
        output.print_json(planned.to_json())
        return
    rows = [
        (verdict, source, target, output.bytes_text(size), because)
        for verdict, source, target, size, because in planned.rows()
    ]
    columns = ["verdict", "source", "target", "size", "because"]
    output.print_table(columns, rows, right=["size"])
    for sentence in planned.unused:
        output.say(sentence)
    output.say(planned.summary())


def _exists(target: str) -> bool:
    return files.exists(target) or files.exists(index_path(target))
