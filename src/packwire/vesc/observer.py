"""What of VESC traffic one has to know who only hears it: who is the device, which reply is whose, logins."""

from collections.abc import Callable, Hashable, Mapping
from typing import override

from packwire.protocol.observing import PATIENCE, Caller, Columns, Introduced, Observer, Opening, PackSaid
from packwire.vesc.commands import Command
from packwire.vesc.family import FAMILY
from packwire.vesc.framing import TRAILER
from packwire.vesc.hardware import hardware_label
from packwire.vesc.hublogin import MAX_LINE, Role, parse_login
from packwire.vesc.matching import acceptance, reply_command
from packwire.vesc.replies import BmsValues, FwVersion, decode_reply
from packwire.vesc.requests import CAN_BROADCAST, Unwrapped, unwrap
from packwire.vesc.secrets import mask_payload
from packwire.vesc.traits import answers, traits, unsolicited
from packwire.wire.family import Family

#: Erasing flash and detecting a motor take their time, in seconds.
_SLOW_PATIENCE = 180.0

#: A piece of a configuration's description: command, number, size or length of the whole, offset.
_PIECE = 10

#: Replies that say something of the nodes that there are.
_TELLING = frozenset((Command.PING_CAN.value, Command.FW_VERSION.value))

_CALLERS = {Role.CLIENT: Caller.CLIENT, Role.DEVICE: Caller.DEVICE, Role.PING: Caller.INQUIRER}


class VescObserver(Observer):
    """What is known of VESC."""

    openings = tuple(f"{role}:".encode() for role in Role)
    longest_opening = MAX_LINE + 2
    trailer = TRAILER
    everybody = CAN_BROADCAST
    search = Command.PING_CAN.value
    pack_values = Command.BMS_GET_VALUES.value
    wedging = Command.FORWARD_CAN.value

    @property
    @override
    def family(self) -> Family:
        return FAMILY

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
        return reply[0] in _TELLING

    @override
    def asks_for_values(self, request: bytes) -> bool:
        return unwrap(request).command == self.pack_values

    @override
    def names(self) -> Mapping[str, int]:
        return {name: each.value for each in Command for name in (each.name, f"COMM_{each.name}")}

    @override
    def pack(self, reply: bytes) -> PackSaid | None:
        decoded = decode_reply(reply)
        if decoded is None or not isinstance(decoded.reply, BmsValues):
            return None
        return PackSaid(decoded.reply.cell_num or 0, decoded.reply.v_tot, decoded.reply.absent)

    @override
    def piece(self, request: bytes) -> tuple[int, int] | None:
        if request[0] != Command.GET_CUSTOM_CONFIG_XML or len(request) < _PIECE:
            return None
        return int.from_bytes(request[2:6]), int.from_bytes(request[6:10])

    @override
    def whole(self, reply: bytes) -> int | None:
        is_piece = reply[0] == Command.GET_CUSTOM_CONFIG_XML and len(reply) >= _PIECE
        return int.from_bytes(reply[2:6]) if is_piece else None

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
