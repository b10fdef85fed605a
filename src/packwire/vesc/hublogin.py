"""The login at a VESC TCP hub: one line of exactly three tokens [vesc_tool tcphub.cpp].

A client sends `VESCTOOL:<id>:<password>` and a newline, a device `VESC:<id>:<password>`, a newline and a
NUL. Neither is answered; a wrong password or an unknown id closes the socket without a word. `PING:<id>:0`
is answered `PONG` or `NULL`. The hub upper-cases ids and removes blanks.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

#: The hub waits this long for the line [waitForLine(socket, 5000)], in seconds.
LOGIN_TIMEOUT = 5.0
MIN_ID_LENGTH = 3
#: Far more than any id and password; a line beyond this is no login.
MAX_LINE = 512

#: A login may stand behind anything, in a frame too: no hub takes it then, but its password, the group, is
#: one all the same. Hubs mind neither case nor blanks.
LOGIN_PASSWORD = re.compile(rb"V *E *S *C *(?:T *O *O *L *)?:[^:\n]*:([^\n]+)", re.IGNORECASE)


class Role(StrEnum):
    """The first token: who is calling."""

    CLIENT = "VESCTOOL"
    DEVICE = "VESC"
    PING = "PING"


@dataclass(frozen=True, slots=True)
class Login:
    """One login line. The password never shows in `repr` or in an error."""

    role: Role
    device_id: str
    password: str = field(default="", repr=False)

    def line(self) -> bytes:
        """Return the bytes to send, alone in their segment."""
        end = b"\n\0" if self.role is Role.DEVICE else b"\n"
        return f"{self.role}:{self.device_id}:{self.password}".encode() + end


def id_problem(device_id: str) -> str | None:
    """Say why a hub can never know this id, or None."""
    if ":" in device_id:
        return "a colon in a hub id can never work: the login line is split at colons"
    if len(device_id.replace(" ", "")) < MIN_ID_LENGTH:
        return f"a hub id has at least {MIN_ID_LENGTH} characters"
    return _control_problem("id", device_id)


def password_problem(password: str) -> str | None:
    """Say why a hub can never accept this password (without repeating it), or None."""
    if ":" in password:
        return "a colon in a hub password can never work: the login line is split at colons"
    return _control_problem("password", password)


def _control_problem(what: str, text: str) -> str | None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        return f"bytes that are no UTF-8 in a hub {what} can never work: hubs read UTF-8"
    if any(ord(character) < 0x20 for character in text):
        return f"a control character in a hub {what} can never work"
    return None


def normal_id(device_id: str) -> str:
    """Return an id as the hub sees it: upper case, without blanks."""
    return device_id.upper().replace(" ", "")


def parse_login(line: bytes) -> Login | None:
    """Read a login line (without its newline) as the hub does; None where the hub would close."""
    if len(line) > MAX_LINE:
        return None
    tokens = line.decode("utf-8", "replace").rstrip("\r").split(":")
    if len(tokens) != 3:
        return None
    role, device_id = tokens[0].upper().replace(" ", ""), normal_id(tokens[1])
    if role not in Role or len(device_id) < MIN_ID_LENGTH:
        return None
    return Login(Role(role), device_id, tokens[2])
