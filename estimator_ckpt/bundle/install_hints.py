"""How to install what is missing, as this Python's packages are installed."""

from __future__ import annotations

import os
import sys


def install(requirement: str, *, upgrade: bool = False) -> str:
    """The command that installs a package where this one is.

    The environments of pipx have commands of their own: a shell's `pip` is another's.

    Args:
      requirement: the package, with a version or extras if they matter.
      upgrade: whether a version that is there already will not do.
    """
    quoted = f"'{requirement}'" if set(requirement) & set("[]*<>") else requirement
    # PIPX_HOME may be anywhere; what pipx notes of an environment is in it.
    is_of_pipx = f"{os.sep}pipx{os.sep}venvs{os.sep}" in sys.prefix or os.path.exists(
        os.path.join(sys.prefix, "pipx_metadata.json")
    )
    environment = os.path.basename(sys.prefix)
    if upgrade:
        pip = f"pipx runpip {environment}" if is_of_pipx else "pip"
        return f"{pip} install --upgrade {quoted}"
    return f"{f'pipx inject {environment}' if is_of_pipx else 'pip install'} {quoted}"
