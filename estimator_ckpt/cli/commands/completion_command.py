"""Print the script that makes a shell complete commands, flags, choices and files.

In ~/.bashrc, or in ~/.zshrc after compinit:
    eval "$(estimator-ckpt completion bash)"
    eval "$(estimator-ckpt completion zsh)"
In ~/.config/fish/config.fish:
    estimator-ckpt completion fish | source
In ~/.tcshrc, after estimator-ckpt completion tcsh > ~/.estimator-ckpt.tcsh:
    source ~/.estimator-ckpt.tcsh
Or in a file, which starts faster: where bash-completion looks, as _estimator-ckpt in a
directory of zsh's $fpath, or as ~/.config/fish/completions/estimator-ckpt.fish.
"""

from __future__ import annotations

import re
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Optional

from estimator_ckpt.bundle import install_hints
from estimator_ckpt.cli.usage_errors import UsageError

#: Of --help.
EXAMPLES = (
    "completion bash",
    "completion zsh",
)
SHELLS = ("bash", "zsh", "fish", "tcsh")
#: Arguments that are no files.
_NO_FILES = frozenset(
    {"help", "version", "root", "step", "include", "exclude", "reset", "resize"}
    | {"optimizer_state", "model_state", "trackable", "iterations", "input_shape"}
    | {"input_fn", "param", "last", "undefok"}
)
#: Of the training job's flags those that are files.
_JOB_FILES = frozenset(
    {"model_dir", "flagfile", "warm_start_from"}
    | {"assignment_map", "warm_start_assignment_map"}
)

#: Bash hands over `--to=t` as the three words --to, = and t (or as one, as
#: COMP_WORDBREAKS says); what shtab writes knows --to and t.
_BASH = """
_estimator_ckpt() {
  local given=("${COMP_WORDS[@]}") last=$COMP_CWORD before="" i word
  COMP_WORDS=()
  for (( i = 0; i <= last; i++ )); do
    word="${given[i]}"
    if [[ $i -gt 0 && "$word" == "=" && "${given[i-1]}" == --* ]]; then
      (( i == last )) && COMP_WORDS+=("")
    elif [[ "$word" == --*=* ]]; then
      COMP_WORDS+=("${word%%=*}" "${word#*=}")
      (( i == last )) && before="${word%%=*}="
    else
      COMP_WORDS+=("$word")
    fi
  done
  COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
  _shtab_estimator_ckpt
  COMPREPLY=("${COMPREPLY[@]/#/$before}")
}

complete -o bashdefault -F _estimator_ckpt estimator-ckpt
"""
#: A flag with a value, as zsh's _arguments has it; = lets it be written `--to=tf2`.
_ZSH_FLAG = re.compile(r'^(  "\*?--[\w-]+)(?=\[.*\]:)', re.MULTILINE)

#: A flag with a file, as shtab has it for fish, whose own way knows `--report=a.md`.
_FISH_FILE = re.compile(
    r'^(complete .* -l \w+) -xka "\(__fish_complete_path [^"]*"', re.M
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS)


def run(arguments: Namespace) -> int:
    """Prints the script."""
    try:
        import shtab  # a tool of a kilobyte that no other command needs
    except ImportError:
        raise UsageError(
            f"completion needs shtab: {install_hints.install('shtab')}"
        ) from None
    from estimator_ckpt.cli import main

    if arguments.shell not in shtab.SUPPORTED_SHELLS:
        raise UsageError(
            f"this shtab knows no {arguments.shell}: "
            f"{install_hints.install('shtab', upgrade=True)}"
        )
    parser, commands = main.every_parser()
    # absl reads it before argparse does.
    commands["train"].add_argument("--flagfile", help="a file of flags, one a line")
    for command in commands.values():
        for action in command._actions:  # argparse has no other list of them
            action.choices = action.choices or _flag_values(action)
            if _is_file(action):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    print(_with_equals_signs(shtab.complete(parser, shell=arguments.shell), arguments))
    return 0


def _with_equals_signs(script: str, arguments: Namespace) -> str:
    """Completes values after `--flag=`, too, which is how the examples write them."""
    if arguments.shell == "bash":
        return script[: script.rindex("complete -o ")] + _BASH.strip()
    if arguments.shell == "zsh":
        return _ZSH_FLAG.sub(r"\1=", script)
    if arguments.shell == "fish":
        return _FISH_FILE.sub(r"\1 -rF", script)
    return script


def _flag_values(action: Action) -> Optional[Sequence[str]]:
    """What an absl flag may be, if that is one of a few; argparse is not told."""
    flag = getattr(action, "_flag_instance", None)
    return getattr(getattr(flag, "parser", None), "enum_values", None)


def _is_file(action: Action) -> bool:
    """Whether what follows is a path: of a checkpoint, a map, a report, a flagfile."""
    if action.nargs == 0 or action.choices:
        return False
    flag = getattr(action, "_flag_instance", None)
    return action.dest not in _NO_FILES if flag is None else flag.name in _JOB_FILES
