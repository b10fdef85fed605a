"""`packwire hub password`: write one id's hashed password into a hub's credentials file."""

import getpass
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.cli.exit_codes import ExitCode
from packwire.cli.terminal import make_console, printable
from packwire.errors import BadOptionError


def password(
    device_id: str,
    /,
    *,
    credentials: Path = Path("hub.credentials"),
    remove: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Set the password of a device (and its clients) in a hub's credentials file; it is kept hashed.

    It is asked for, or read from standard input; it is never an argument. A running hub takes it with SIGHUP.

    Parameters
    ----------
    device_id
        The id that the VESC logs in with.
    credentials
        The credentials file; it is begun where there is none.
    remove
        Take the id out of the file.
    """
    from packwire.hub.credentials import checked_id, hash_of, store_credential  # noqa: PLC0415

    name = checked_id(device_id)
    if remove:
        if not store_credential(credentials, name, None):
            raise BadOptionError(f"{credentials} has no id {name}")
        make_console().print(printable(f"{name} is removed from {credentials}."))
        return ExitCode.OK
    known = store_credential(credentials, name, hash_of(_ask(name)))
    make_console().print(
        printable(f"The password of {name} is {'changed' if known else 'set'} in {credentials}.")
    )
    return ExitCode.OK


def _ask(name: str) -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        line = sys.stdin.readline() if sys.stdin else ""
        return line.rstrip("\r\n")
    try:
        first = getpass.getpass(f"Password of {name}: ")
        if getpass.getpass("Once more: ") != first:
            raise BadOptionError("the two are different; nothing was changed")
    except EOFError:
        raise BadOptionError("no password was typed") from None
    return first
