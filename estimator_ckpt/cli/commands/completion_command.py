"""Print the script that makes a shell complete commands, flags, choices and files.

In ~/.bashrc, or in ~/.zshrc after compinit:
    eval "$(estimator-ckpt completion bash)"
    eval "$(estimator-ckpt completion zsh)"
Or in a file, which starts faster: where bash-completion looks, or as _estimator-ckpt in
a directory of zsh's $fpath.
"""

from __future__ import annotations

from argparse import Action, ArgumentParser, Namespace

from estimator_ckpt.cli.usage_errors import UsageError

#: Of --help.
EXAMPLES = (
    "completion bash",
    "completion zsh",
)
#: Arguments that are no files.
_NO_FILES = frozenset(
    {"help", "version", "root", "step", "include", "exclude", "reset", "resize"}
    | {"optimizer_state", "model_state", "trackable", "iterations", "input_shape"}
    | {"input_fn", "param", "last"}
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"))


def run(arguments: Namespace) -> int:
    """Prints the script."""
    try:
        import shtab  # a tool of a kilobyte that no other command needs
    except ImportError:
        raise UsageError("completion needs shtab: pip install shtab") from None
    from estimator_ckpt.cli import main

    parser, commands = main.every_parser()
    for command in commands.values():
        for action in command._actions:  # argparse has no other list of them
            if _is_file(action):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(parser, shell=arguments.shell))
    return 0


def _is_file(action: Action) -> bool:
    """Whether what follows is a path: of a checkpoint, a map, a report, a flagfile."""
    return action.nargs != 0 and not action.choices and action.dest not in _NO_FILES
