"""A CAN bus: units are frames, each its identifier in four bytes (as Linux has it) and its data.

Needs the extra `can` (python-can), which knows the adapters: SocketCAN on Linux, slcan on a serial port,
socketcand over the network, PCAN, Kvaser and others. Packs on CAN send by themselves; what is asked there (a
VESC) has a transport, which cuts the protocol's stream into frames.
"""

import asyncio
import logging
import re
import sys
from typing import Any, Final, override

from packwire.address import Address
from packwire.direction import Direction
from packwire.errors import (
    GoneError,
    MissingExtraError,
    NoAnswerError,
    PackwireError,
    Reason,
    UnreachableError,
    missing_extra,
    system_reason,
)
from packwire.event import EventKind
from packwire.link.base import Link, Receiver
from packwire.link.can_errors import BUS_OFF, errors_of
from packwire.protocol.base import CanTransport, Protocol

EXTENDED: Final = 1 << 31
"""Marks an identifier of 29 bits [Linux, linux/can.h]."""
#: Seconds between two looks of python-can's thread at whether it is to end.
_PATIENCE: Final = 0.05
_SOCKETCAND_PORT: Final = 29536
#: bit/s that VESCs have on CAN, unless they were set to another.
_BIT_RATE: Final = 500_000
#: python-can's words where the package that an interface needs is missing.
_LACKING: Final = re.compile(r"No module named '(?P<module>[\w.]+)'|(?P<package>[\w.-]+) not installed")


class CanLink(Link):
    """A bus; `channel` and `interface` are python-can's."""

    preposition = "on"

    def __init__(
        self, channel: str, interface: str, bit_rate: int, transport: CanTransport | None = None
    ) -> None:
        super().__init__()
        self._transport = transport
        self.name = f"CAN bus {channel}"
        self._channel = channel
        self._interface = interface or ("socketcan" if sys.platform == "linux" else "pcan")
        self._bit_rate = bit_rate
        self._can: Any = None
        self._bus: Any = None
        self._notifier: Any = None
        self._receiver: Receiver | None = None
        self._frames = 0
        self._errors = 0
        self._state = 0
        """The flags of all error frames so far."""

    @override
    async def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.tell(EventKind.CONNECTING)
        self._can = can = _python_can()
        try:
            self._bus = await asyncio.to_thread(self._opened, can)
        except UnreachableError as error:
            self.tell(EventKind.FAILED, error.reason, str(error))
            raise
        loop = asyncio.get_running_loop()
        self._notifier = can.Notifier(self._bus, [_Listener(self)], timeout=_PATIENCE, loop=loop)
        self.tell(EventKind.CONNECTED)

    def _opened(self, can: Any) -> Any:
        try:
            return can.Bus(**self._settings())
        except (can.CanError, OSError, ValueError, ImportError, NotImplementedError) as error:
            raise self._unreachable(error) from error
        except Exception as error:  # the adapters' own drivers raise what they like
            if type(error).__module__.startswith(("can", "serial", "usb")):
                raise self._unreachable(error) from error
            raise

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {"interface": self._interface, "channel": self._channel}
        if self._interface == "slcan":
            settings |= {"bitrate": self._bit_rate, "sleep_after_open": 0.05}
        elif self._interface == "socketcand":
            place, _, channel = self._channel.rpartition("/")
            host, _, port = place.partition(":")
            settings |= {
                "host": host,
                "port": int(port) if port.isdecimal() else _SOCKETCAND_PORT,
                "channel": channel,
            }
        elif self._interface not in {"socketcan", "virtual"}:
            settings["bitrate"] = self._bit_rate
        return settings

    def _unreachable(self, error: Exception) -> PackwireError:
        if isinstance(error, NotImplementedError) and (lacking := _LACKING.search(str(error))):
            module = lacking["module"] or lacking["package"]
            return MissingExtraError(
                f"{self.name} ({self._interface}) needs the Python module {module}, which is not installed:"
                f" python-can's page on {self._interface} says what brings it"
            )
        number = getattr(error, "error_code", None) or getattr(error, "errno", None)
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        cause = error.__cause__ or error
        reason = system_reason(OSError(number, "") if number else cause, Reason.NOT_THERE)
        if self._interface == "socketcan":
            advice = (
                f"is there such an interface (ip link), and is it up? "
                f"sudo ip link set {self._channel} up type can bitrate {self._bit_rate}"
            )
        else:
            advice = "does another program use it, and is &interface= the right one?"
        return UnreachableError(
            f"{self.name} ({self._interface}) cannot be opened: {words}; {advice}", reason=reason
        )

    def take(self, message: Any) -> None:
        """Take a frame from python-can."""
        if message.is_error_frame:
            self._errors += 1
            self._state |= message.arbitration_id & 0x1FFF_FFFF
            for each in errors_of(message.arbitration_id, bytes(message.data)):
                self.tell(EventKind.BUS, words=each.words, code=each.code)
            if message.arbitration_id & BUS_OFF:
                self.lost(OSError("bus off"))
            return
        if message.is_remote_frame or self._receiver is None:
            return
        self._frames += 1
        number = message.arbitration_id | EXTENDED * message.is_extended_id
        unit = number.to_bytes(4) + bytes(message.data)
        for observe in self.observers:
            observe(Direction.FROM_DEVICE, unit)
        data = unit if self._transport is None else self._transport.received(unit)
        if data:
            self._receiver.data_received(data)

    def lost(self, error: Exception) -> None:
        """Learn that the bus or its adapter is gone."""
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            self.tell(EventKind.LOST, words=str(error))
            receiver.link_closed(error)

    @override
    def write(self, data: bytes) -> None:
        """Send what the transport makes of it; without one nothing: packs on a CAN bus are only heard."""
        if self._transport is None or self._bus is None:
            return
        for unit in self._transport.sent(data):
            for observe in self.observers:
                observe(Direction.TO_DEVICE, unit)
            try:
                self._send(unit)
            except (self._can.CanError, OSError) as error:
                self.lost(error)
                return

    def _send(self, unit: bytes) -> None:
        number = int.from_bytes(unit[:4])
        self._bus.send(
            self._can.Message(
                arbitration_id=number & ~EXTENDED, data=unit[4:], is_extended_id=bool(number & EXTENDED)
            )
        )

    @override
    async def close(self) -> None:
        self._receiver = None
        notifier, bus, self._notifier, self._bus = self._notifier, self._bus, None, None
        if notifier is not None:
            await asyncio.to_thread(notifier.stop)
        if bus is not None:
            await asyncio.to_thread(bus.shutdown)

    @override
    async def explain_close(self, *, answered: bool, error: Exception | None) -> PackwireError:
        if self._state & BUS_OFF:
            return GoneError(
                f"{self.name} is off: the controller saw too many errors and left the bus; look at the bit "
                "rate, at both ends' resistors and at CAN-H and CAN-L, then: sudo ip link set "
                f"{self._channel} type can restart-ms 100"
            )
        detail = f" ({error})" if error else ""
        return GoneError(f"{self.name} broke{detail}; was the adapter unplugged?")

    @override
    async def explain_silence(self) -> PackwireError | None:
        if self._errors and not self._frames:
            return NoAnswerError(
                f"{self.name} gives only error frames ({self._errors}): is {self._bit_rate} its bit rate, "
                "and are CAN-H and CAN-L connected?"
            )
        if not self._frames:
            return NoAnswerError(
                f"{self.name} is open, and no frame comes at {self._bit_rate} bit/s: is the pack on, the bit "
                "rate right, and the cable in the port for CAN?"
            )
        return None


class _Listener:
    """What python-can calls, in the event loop."""

    def __init__(self, link: CanLink) -> None:
        self._link = link
        self._loop = asyncio.get_running_loop()

    def __call__(self, message: Any) -> None:
        self._link.take(message)

    def on_message_received(self, message: Any) -> None:
        self._link.take(message)

    def on_error(self, error: Exception) -> None:
        self._loop.call_soon_threadsafe(self._link.lost, error)  # it may come from a thread

    def stop(self) -> None:
        """Be told that nothing more comes."""


def _python_can() -> Any:
    try:
        import can  # noqa: PLC0415 - a third of a second that only CAN users should pay
    except ImportError:
        raise missing_extra("can", "a CAN bus") from None
    logging.getLogger("can").setLevel(logging.CRITICAL)  # what goes wrong is said here, in one line
    return can


def link_of(address: Address, protocol: Protocol) -> CanLink:
    """Return the link that an address leads over, not connected yet."""
    transport = protocol.can_transport(address.unit)
    rate = address.baud or (_BIT_RATE if transport else protocol.baud)
    return CanLink(address.target, address.interface, rate, transport)
