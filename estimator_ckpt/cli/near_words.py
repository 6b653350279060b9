"""What somebody may have meant who typed a command or a flag that there is not."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.cli.usage_errors import UsageError


def no_command(asked: str, commands: Collection[str]) -> UsageError:
    """The error of a command that there is not.

    Args:
      asked: what was typed.
      commands: those that there are.
    """
    # `convert-for` and `warmstart` are as near as they can be.
    near = messages.near(asked.lower().replace("-", "_"), commands)
    return UsageError(
        f"invalid choice: {asked!r}{near}; all commands: estimator-ckpt --help"
    )


def unknown(arguments: Sequence[str], text: str) -> str:
    """What to say of arguments that a command does not take.

    Args:
      arguments: them.
      text: the command's --help, which names its flags.
    """
    first = arguments[0].partition("=")[0].replace("-", "_").replace("__", "--", 1)
    flags = sorted(set(re.findall(r"--\w+", text)))
    near = messages.near(first, flags) if first.startswith("--") else ""
    return f"unrecognized arguments: {' '.join(arguments)}{near}"
