"""A serial port or USB: a VESC at 115200 baud, or packs on a line. Needs the extra `serial`."""

import asyncio
import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, override

from packwire.address import Address
from packwire.errors import Reason, UnreachableError, missing_extra, system_reason
from packwire.link.base import Link, StreamLink
from packwire.link.shared import SharedLine, SharedLink
from packwire.protocol.base import Protocol


class SerialLink(StreamLink):
    """A serial port; `path` is `/dev/ttyACM0`, `COM3`, or an URL that serialx knows."""

    preposition = "on"

    def __init__(self, path: str, baud: int) -> None:
        super().__init__()
        self.path = path
        self.baud = baud
        self.name = f"serial port {path}"

    @override
    async def connect(self) -> None:
        await serial_connection(lambda: self, self.path, self.baud)


async def serial_connection(protocol: Callable[[], asyncio.Protocol], path: str, baud: int) -> Any:
    """Open a serial port; return its transport. Raises UnreachableError, MissingExtraError."""
    serialx = _serialx()
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await serialx.create_serial_connection(loop, protocol, path, baud)
    except (OSError, serialx.SerialException) as error:
        raise _unreachable(path, error) from error
    return transport


@dataclass(frozen=True, slots=True)
class SerialPort:
    """A serial port of this machine, as the system describes it."""

    path: str
    description: str


def list_ports() -> list[SerialPort]:
    """Return the serial ports of this machine. Raises MissingExtraError without serialx."""
    ports = _serialx().list_serial_ports()
    return [SerialPort(str(port.device), _describe(port)) for port in ports]


def _describe(port: Any) -> str:
    words = (getattr(port, name, None) for name in ("manufacturer", "product", "serial_number"))
    return " ".join(str(word) for word in words if word)


def _serialx() -> Any:
    try:
        import serialx  # noqa: PLC0415 - a fifth of a second that only serial users should pay
    except ImportError:
        raise missing_extra("serial", "a serial port") from None
    return serialx


def _unreachable(path: str, error: Exception) -> UnreachableError:
    if isinstance(error, FileNotFoundError):
        return UnreachableError(
            f"there is no serial port {path}; packwire scan lists those there are", reason=Reason.NOT_THERE
        )
    if isinstance(error, PermissionError):
        return UnreachableError(
            f"{path} may not be opened by this user; on Linux join the group that owns it (dialout or uucp) "
            "and log in again",
            reason=Reason.NOT_ALLOWED,
        )
    if isinstance(error, OSError) and error.errno == errno.ENOTTY:
        return UnreachableError(
            f"{path} is no serial port; packwire scan lists those there are", reason=Reason.NOT_THERE
        )
    return UnreachableError(
        f"{path} cannot be opened: {error}; does another program use it?",
        reason=system_reason(error, Reason.BUSY),
    )


def bare_link_of(address: Address, protocol: Protocol) -> Link:
    """Return the port alone: nothing is shared, and an echo is heard."""
    return SerialLink(address.target, address.baud or protocol.baud)


def link_of(address: Address, protocol: Protocol) -> Link:
    """Return the link that an address leads over, not connected yet."""
    path, baud = address.target, address.baud or protocol.baud
    if not protocol.on_a_line:
        return bare_link_of(address, protocol)

    def make() -> SerialLink:
        link = SerialLink(path, baud)
        link.remove_echo()
        return link

    return SharedLink(SharedLine(("serial", path), baud, f"{baud} baud"), make, listens=address.listens)
