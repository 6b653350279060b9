"""What goes wrong with a command line, as opposed to with a checkpoint."""


class UsageError(Exception):
    """A command's arguments are wrong or do not fit together; one line says how."""
