"""Where a device is: the address that every command takes.

    vesc://host[:65102][/can/84]                 a VESC on the network
    veschub://ID[:PASSWORD]@host[:65101][/can/84] a VESC behind a TCP hub
    serial:/dev/ttyACM0[?baud=115200][/can/84]    a VESC on a serial port or USB
    sim:vesc                                      a simulated VESC, started for the occasion

A password may stand in the address; it is never printed again: `str()` leaves it out.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from packwire.errors import BadAddressError

VESC_PORT = 65102
HUB_PORT = 65101
SERIAL_BAUD = 115_200


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A VESC's own TCP port."""

    host: str
    port: int = VESC_PORT
    can_id: int | None = None

    def __str__(self) -> str:
        return f"vesc://{_netloc(self.host, self.port, VESC_PORT)}{_can_suffix(self.can_id)}"


@dataclass(frozen=True, slots=True)
class HubAddress:
    """A VESC that a TCP hub knows by id and password; None where the password has not been said."""

    device_id: str
    host: str
    port: int = HUB_PORT
    can_id: int | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        place = _netloc(self.host, self.port, HUB_PORT)
        return (
            f"veschub://{quote(self.device_id, errors='surrogateescape')}@{place}{_can_suffix(self.can_id)}"
        )


@dataclass(frozen=True, slots=True)
class SerialAddress:
    """A VESC on a serial port."""

    path: str
    baud: int = SERIAL_BAUD
    can_id: int | None = None

    def __str__(self) -> str:
        baud = "" if self.baud == SERIAL_BAUD else f"?baud={self.baud}"
        return f"serial:{self.path}{_can_suffix(self.can_id)}{baud}"


@dataclass(frozen=True, slots=True)
class SimAddress:
    """A simulator that the command line starts."""

    name: str
    can_id: int | None = None

    def __str__(self) -> str:
        return f"sim:{self.name}{_can_suffix(self.can_id)}"


type Address = TcpAddress | HubAddress | SerialAddress | SimAddress

_FORMS = "vesc://host, veschub://ID@host, serial:/dev/ttyACM0 or sim:vesc"
_CAN_SUFFIX = re.compile(r"/can/([^/?]*)$")
_SIMULATORS = ("vesc",)
#: A name with a dot, or an IPv4 address: what somebody types who means a host.
_HOST = re.compile(r"localhost|[\w-]+(\.[\w-]+)+")


def parse_address(text: str) -> Address:
    """Read an address; raise BadAddressError with what is wrong and what an address looks like."""
    scheme, colon, rest = text.partition(":")
    parser = _PARSERS.get(scheme.lower()) if colon else None
    if parser is None:
        raise BadAddressError(_unknown_scheme(text))
    return parser(rest)


def with_can_id(address: Address, can_id: int | None) -> Address:
    """Return the same address for another node on its CAN bus; raise BadAddressError for a bad id."""
    return replace(address, can_id=None if can_id is None else _checked_can_id(str(can_id)))


def _unknown_scheme(text: str) -> str:
    shown = text.rpartition("@")[2]  # what stands before an @ may be a password
    host, colon, port = shown.partition(":")
    if _HOST.fullmatch(host) and (not colon or port.isdecimal()):
        return f"{shown!r} is no address: did you mean vesc://{shown}? Addresses are {_FORMS}"
    if text.startswith(("/dev/", "COM")):
        return f"{text!r} is no address: did you mean serial:{text}?"
    return f"{host!r} is no address: addresses are {_FORMS}"  # what stands behind a : may be one, too


def _parse_tcp(rest: str) -> TcpAddress:
    host, port, user, can_id = _split(rest, "vesc")
    if user:
        raise BadAddressError("vesc:// takes no id or password; through a hub it is veschub://ID@host")
    return TcpAddress(host, port or VESC_PORT, can_id)


def _parse_hub(rest: str) -> HubAddress:
    if "@" not in rest:
        raise BadAddressError("a hub address names the device and the hub: veschub://ID@host")
    host, port, user, can_id = _split(rest, "veschub")
    device_id, colon, password = user.partition(":")
    if not device_id:
        raise BadAddressError("a hub address names the device: veschub://ID@host")
    return HubAddress(
        unquote(device_id), host, port or HUB_PORT, can_id, unquote(password) if colon else None
    )


def _split(rest: str, scheme: str) -> tuple[str, int | None, str, int | None]:
    """Return host, port, what stands before the @, and the CAN id."""
    if not rest.startswith("//"):
        raise BadAddressError(f"an address of this kind begins with {scheme}://")
    user, _, place = rest[2:].rpartition("@")
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadAddressError(
            f"an address is {scheme}://host or {scheme}://host:port, with a port of 1 to 65535 and brackets "
            "around an IPv6 address"
        ) from None
    if not host:
        raise BadAddressError(f"{scheme}://{place} names no host")
    if port == 0:
        raise BadAddressError(f"{scheme}://{place}: a port is 1 to 65535")
    path = parts.path.rstrip("/")
    match = _CAN_SUFFIX.fullmatch(path)
    if path and not match:
        raise BadAddressError(
            f"{path!r} in {scheme}://{place} means nothing: the path of an address is /can/ID"
        )
    if parts.query or parts.fragment:
        raise BadAddressError(f"{scheme}://{place}: nothing may follow the CAN id")
    return host, port, user, _checked_can_id(match[1]) if match else None


def _parse_serial(rest: str) -> SerialAddress:
    path, _, query = rest.partition("?")
    path = path.removeprefix("//")
    match = _CAN_SUFFIX.search(path)
    if match:
        path = path[: match.start()]
    if not path:
        raise BadAddressError("a serial address names the port: serial:/dev/ttyACM0")
    options = dict(parse_qsl(query))
    baud = options.pop("baud", str(SERIAL_BAUD))
    if options:
        raise BadAddressError(f"serial:{path} knows no option {', '.join(options)}; there is baud")
    if not baud.isdecimal() or not 1 <= int(baud[:9]) <= 20_000_000:
        raise BadAddressError(f"serial:{path}: {baud!r} is no baud rate")
    return SerialAddress(path, int(baud), _checked_can_id(match[1]) if match else None)


def _parse_sim(rest: str) -> SimAddress:
    match = _CAN_SUFFIX.search(rest)
    name = rest[: match.start()] if match else rest
    if name not in _SIMULATORS:
        raise BadAddressError(f"there is no simulator {name!r}; there is sim:{', sim:'.join(_SIMULATORS)}")
    return SimAddress(name, _checked_can_id(match[1]) if match else None)


def _checked_can_id(text: str) -> int:
    if not text.isdecimal() or len(text) > 3 or int(text) > 255:
        raise BadAddressError(f"{text!r} is no CAN id: ids are 0 to 254")
    if int(text) == 255:
        raise BadAddressError(
            "CAN id 255 is broadcast: every device answers at once, and whoever answers, its reply has no "
            "name; name one id (packwire read without /can shows who is there)"
        )
    return int(text)


def _netloc(host: str, port: int, usual: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port == usual else f"{shown}:{port}"


def _can_suffix(can_id: int | None) -> str:
    return "" if can_id is None else f"/can/{can_id}"


_PARSERS: dict[str, Callable[[str], Address]] = {
    "vesc": _parse_tcp,
    "veschub": _parse_hub,
    "serial": _parse_serial,
    "sim": _parse_sim,
}
