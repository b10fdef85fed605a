"""What of VESC traffic one has to know who only hears it: who is the device, which reply is whose, logins."""

from collections.abc import Callable, Hashable
from typing import override

from packwire.protocol.observing import PATIENCE, Caller, Columns, Introduced, Observer, Opening
from packwire.vesc.commands import Command
from packwire.vesc.framing import TRAILER
from packwire.vesc.hardware import hardware_label
from packwire.vesc.hublogin import MAX_LINE, Role, parse_login
from packwire.vesc.matching import acceptance, reply_command
from packwire.vesc.replies import FwVersion, decode_reply
from packwire.vesc.requests import CAN_BROADCAST, Unwrapped, unwrap
from packwire.vesc.secrets import mask_payload
from packwire.vesc.traits import answers, traits, unsolicited

#: Erasing flash and detecting a motor take their time, in seconds.
_SLOW_PATIENCE = 180.0

_CALLERS = {Role.CLIENT: Caller.CLIENT, Role.DEVICE: Caller.DEVICE, Role.PING: Caller.INQUIRER}


class VescObserver(Observer):
    """What is known of VESC."""

    openings = tuple(f"{role}:".encode() for role in Role)
    longest_opening = MAX_LINE + 2
    trailer = TRAILER
    everybody = CAN_BROADCAST
    search = Command.PING_CAN.name

    @property
    @override
    def columns(self) -> Columns:
        from packwire.vesc.columns import VescColumns  # noqa: PLC0415 - numpy

        return VescColumns()

    @override
    def addressed(self, request: bytes) -> Unwrapped:
        return unwrap(request)

    @override
    def number(self, message: bytes) -> int:
        return message[0] if message else Command.FORWARD_CAN

    @override
    def kind(self, request: bytes) -> Hashable | None:
        inner = unwrap(request).request
        return reply_command(inner) if inner else None

    @override
    def acceptance(self, request: bytes) -> Callable[[bytes], bool]:
        asked = unwrap(request)
        return acceptance(asked.request, asked.node)

    @override
    def patience(self, request: bytes) -> float:
        slow = (traits(unwrap(request).command).takes or 0.0) > PATIENCE
        return _SLOW_PATIENCE if slow else PATIENCE

    @override
    def asks(self, message: bytes) -> bool | None:
        command = message[0]
        if command == Command.FORWARD_CAN:
            return True
        if unsolicited(command):
            return False
        row = traits(command)
        if not row.shorter:
            return False if command == Command.PING_CAN and len(message) > 1 else None
        return len(message) <= 1 + row.arguments.longest

    @override
    def opening(self, begin: bytes) -> Opening | None:
        begins = begin[:16].upper()  # as hubs do
        role = next((role for role in Role if begins.startswith(f"{role}:".encode())), None)
        if role is None or b"\n" not in begin:
            return None
        size = begin.index(b"\n") + 1
        login = parse_login(begin[: size - 1])
        if login is None and role is Role.PING:
            return None  # other protocols begin like this too
        text = "" if login else _wrong_login(begin[: size - 1])
        size += begin[size : size + 1] == b"\0"
        return Opening(role, _CALLERS[role], login, text, size)

    @override
    def answer_to_opening(self, begin: bytes) -> Opening | None:
        for answer in (b"PONG", b"NULL"):
            if begin.startswith(answer):
                size = len(answer) + (begin[len(answer) :][:1] == b"\n")
                return Opening(None, None, None, answer.decode(), size)
        return None

    @override
    def introduced(self, request: bytes, reply: bytes) -> Introduced | None:
        if reply[0] != Command.FW_VERSION:
            return None
        decoded = decode_reply(mask_payload(reply, private=False))
        if decoded is None or not isinstance(decoded.reply, FwVersion):
            return None
        said = decoded.reply
        return Introduced(unwrap(request).node, said.hw_type, said.hw_name or "", said.version)

    @override
    def found(self, reply: bytes) -> tuple[int, ...] | None:
        return tuple(reply[1:]) if reply[0] == Command.PING_CAN else None

    @override
    def tells_of_nodes(self, reply: bytes) -> bool:
        return reply[0] in {Command.PING_CAN, Command.FW_VERSION}

    @override
    def ever_answers(self, hardware: int | None, number: int) -> bool:
        return answers(hardware, number)

    @override
    def hardware_label(self, hardware: int | None) -> str:
        return hardware_label(hardware)


def _wrong_login(line: bytes) -> str:
    parts = line.count(b":") + 1
    if parts != 3:
        return (
            f"a login line of {parts} parts instead of 3: a colon in the id or in the password can never work"
        )
    return "a login line whose id is too short"
