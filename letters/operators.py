"""Who decides at the command line, as the audit and the members' pages name them."""

import getpass


def operator() -> str:
    """Return "operator" with the name under which they are signed in to the machine, where it has one."""
    try:
        return f"operator {getpass.getuser()}"
    except (OSError, KeyError):  # a container whose user has no name
        return "operator"
