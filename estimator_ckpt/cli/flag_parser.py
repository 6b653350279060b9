"""absl's flags as a subcommand's arguments, whose errors are ours."""

from __future__ import annotations

from typing import Any

from absl import flags
from absl.flags import argparse_flags

from estimator_ckpt.cli.usage_errors import UsageError


class FlagParser(argparse_flags.ArgumentParser):  # type: ignore[misc,unused-ignore]
    """absl's parser, but a flag's bad value is a UsageError and no traceback."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parses as absl does.

        Raises:
          UsageError: a flag is unknown, or has a value that it does not take; or a
            flagfile cannot be read.
        """
        try:
            return super().parse_known_args(args, namespace)  # type: ignore[no-untyped-call,unused-ignore]
        except flags.Error as error:
            raise UsageError(str(error)) from None
        except UnicodeDecodeError as error:
            raise UsageError(f"--flagfile: it is no text: {error}") from None
