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
from estimator_ckpt.checkpoint.paths import prefixes
from estimator_ckpt.cli import output, progress_bar, report_argument, shared_arguments
from estimator_ckpt.cli.usage_errors import UsageError
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.plans import Plan
from estimator_ckpt.planning.any_target import planned, suggested
from estimator_ckpt.planning.plan_sides import GraphInputs, ReadBy

#: Of --help; old_job is a model dir.
EXAMPLES = (
    "plan old_job old_job/model.ckpt-200 --carry=model --report=plan.html",
    "plan old_job model_fns.digits_keras:trackable --suggest=map.yaml",
)


def add_arguments(parser: ArgumentParser) -> None:
    shared_arguments.add_source(parser)
    parser.add_argument("target", help="another, or package.module:function")
    shared_arguments.add_filters(parser)
    shared_arguments.add_map(parser)
    shared_arguments.add_names(parser)
    shared_arguments.add_roles(parser)
    shared_arguments.add_carry(
        parser, None, "as in a warm start; without it everything, as in a conversion"
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
    shared_arguments.add_json(parser)
    report_argument.add_argument(parser)


def run(arguments: Namespace) -> int:
    """Prints a plan; 1 if something is missing or does not fit."""
    report_argument.check(arguments)
    with progress_bar.progress("loading", in_bytes=False):
        target, graph_inputs = _target(arguments)
    if arguments.suggest:
        _suggest(arguments, target, graph_inputs)
    choice = shared_arguments.choice(arguments)
    with progress_bar.progress("planning", in_bytes=False):
        made = planned(arguments.source, target, choice, arguments.names, graph_inputs)
    code = show(made, arguments.json)
    report_argument.write(arguments, made)
    return code


def _target(arguments: Namespace) -> tuple[Any, GraphInputs]:
    """What the plan is for: a path, a model_fn and its inputs, or an object."""
    target = arguments.target
    if _exists(target) or ":" not in target:
        return target, GraphInputs()
    from estimator_ckpt.cli import user_functions

    if arguments.input_fn:
        model_fn = user_functions.for_estimator(target, "target")
        params = user_functions.params(arguments.param)
        input_fn = user_functions.for_estimator(arguments.input_fn, "input_fn")
        return model_fn, GraphInputs(input_fn, params, arguments.mode)
    if user_functions.takes_nothing(user_functions.function(target, "target")):
        return user_functions.trackable(target, "target"), GraphInputs()
    raise UsageError(
        f"{target}: a plan for a model_fn needs --input_fn, from which its graph is "
        f"built; a function that returns an object takes no arguments"
    )


def _suggest(arguments: Namespace, target: Any, graph_inputs: GraphInputs) -> None:
    """Writes the proposed map; what is there already is not replaced."""
    path = arguments.suggest
    if not path.endswith((".yaml", ".yml")):
        raise UsageError(
            f"--suggest: {path!r} must end in .yaml, for --assignment_map to read it"
        )
    if files.exists(path):
        raise UsageError(f"--suggest: {path} exists already; name another file")
    with progress_bar.progress("planning", in_bytes=False):
        proposed = suggested(
            arguments.source,
            target,
            AssignmentMap.of(shared_arguments.assignment_map(arguments)),
            ReadBy(arguments.names, shared_arguments.overruling(arguments)),
            graph_inputs,
        )
    text = proposed.to_yaml(arguments.source, arguments.target)
    files.put(path, text.encode())
    renamed = sum(len(rule.pairs) for rule in proposed.rules)
    print(
        f"{path}: renames {renamed} of {len(proposed.pairs)} variables found; "
        f"undecided: {len(proposed.undecided)}. The plan shown is without it",
        file=sys.stderr,
    )


def show(plan: Plan, as_json: bool = False) -> int:
    """Prints a plan as a table, or as JSON; 1 if something is missing or misfits."""
    code = 1 if plan.problems else 0
    if as_json:
        output.print_json(plan.to_json())
        return code
    columns = plan.columns()
    columns["size"] = list(map(output.bytes_text, columns["size"]))
    output.print_columns(columns, right=["size"])
    for sentence in plan.unused:
        output.say(sentence)
    output.say(plan.summary())
    return code


def _exists(target: str) -> bool:
    return files.exists(target) or prefixes.at(target) is not None
