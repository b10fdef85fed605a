"""Logins at a hub, in words."""

from packwire.cli.terminal import printable
from packwire.protocol.observing import Caller, LoginLine
from packwire.protocol.words import MASKED

#: What somebody is at a hub, before the id that is meant.
_WHO = {Caller.CLIENT: "as a client of", Caller.DEVICE: "as the device", Caller.INQUIRER: "asking for"}


def login_text(login: LoginLine, caller: Caller, *, keep_secrets: bool) -> str:
    """Say in a line who logs in as what, with the password where a user wants it."""
    text = f"{login.role}: at the hub, {_WHO[caller]} {printable(login.device_id)}"
    if caller is Caller.INQUIRER:
        return text
    return f"{text}, password {printable(login.password) if keep_secrets else MASKED}"
