"""What answers what in the framings that are known, by family."""

from collections.abc import Callable

from packwire.vesc.requests import unwrap

type Answers = Callable[[bytes, bytes], bool]
"""Says of a request and a message from the device, both whole frames, whether one may answer the other."""

_MODBUS_ERROR = 0x80


def _modbus(request: bytes, reply: bytes) -> bool:
    """Compare address and function, and what a reply says of the request [Modbus protocol V1.1b3, 6]."""
    own_address = request[0] == reply[0] or (request[0], reply[0]) == (0x81, 0x51)  # Daly's board and app
    function = request[1]
    if not own_address or reply[1] & ~_MODBUS_ERROR != function:
        return False
    if reply[1] & _MODBUS_ERROR:
        return True
    if function in (3, 4):
        return len(reply) == 2 * int.from_bytes(request[4:6]) + 5
    if function in (1, 2):
        return reply[2] == (int.from_bytes(request[4:6]) + 7) // 8
    return request[2:4] == reply[2:4]


def _daly(request: bytes, reply: bytes) -> bool:
    if request[0] == reply[0] == 0xA5:
        return request[2] == reply[2]
    return 0xA5 not in (request[0], reply[0]) and _modbus(request, reply)


#: JK's commands for which frames follow: those of all kinds, and the device itself. Each is confirmed, too.
_JK_FRAMES = {0x96: (1, 2, 3), 0x97: (3,)}
_JK_CONFIRMED = b"\xaa\x55\x90\xeb\xc8"


def _jk(request: bytes, reply: bytes) -> bool:
    if reply.startswith(_JK_CONFIRMED):
        return True
    return reply.startswith(b"\x55\xaa") and reply[4] in _JK_FRAMES.get(request[4], ())


def _ant(request: bytes, reply: bytes) -> bool:
    """Compare the address; a reply's function is 0x10 more than that of the request, after a write 0x20."""
    return reply[2] - request[2] in (0x10, 0x20) and request[3:5] == reply[3:5]


#: An old ANT board's answer to a write without (or with a wrong) password.
_ANT_REFUSED = 0xF5


def _ant_old(request: bytes, reply: bytes) -> bool:
    if reply[0] == 0xAA:
        return request[0] == 0xDB
    return request[0] == reply[0] and (
        request[2] == reply[2] or (reply[0] == 0xA5 and reply[2] == _ANT_REFUSED)
    )


def _vesc(request: bytes, reply: bytes) -> bool:
    """Compare the commands; a request for another node is wrapped, its reply is not."""
    return unwrap(request).request[:1] == reply[:1] != b""


ANSWERS: dict[str, Answers] = {
    "JBD": lambda request, reply: request[2] == reply[1],
    "JK": _jk,
    "ANT": _ant,
    "ANT (old)": _ant_old,
    "Seplos": lambda request, reply: (request[2], request[4]) == (reply[2], reply[3]),
    # The reply names no command: address and device class are all that it repeats.
    "PACE ASCII": lambda request, reply: request[1:7] == reply[1:7],
    "Basen": lambda request, reply: request[:3] == reply[:3],
    "Daly": _daly,
    "Modbus RTU": _modbus,
    "VESC": _vesc,
}
