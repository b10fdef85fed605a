"""Where a message was said: a value, whose text is made where it is shown."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, override


class Transport(StrEnum):
    """What carries messages, as the text of a channel begins; OTHER is a log that does not say."""

    ATT = "att"
    CAN = "can"
    RFCOMM = "rfcomm"
    TCP = "tcp"
    UDP = "udp"
    OTHER = ""


#: The handle of an attribute that the recording does not tell.
UNKNOWN_HANDLE: Final = -1
#: The UUID of the descriptor that switches notifications on [Assigned Numbers, 3.7].
_SUBSCRIPTION = "2902"
#: The owner of the attributes that a phone serves.
THE_APP: Final = "the app"


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a recording or a link.

    handle    an attribute's handle, an RFCOMM channel, the identifier of a CAN frame; None: there is none
    name      that of the characteristic (mostly its UUID), of a CAN frame or of VESC's buffers; of OTHER all
    kind      `write`, `notify`, `indicate`, `read`; of CAN frames `request` (it has no data) or `iso-tp`
    owner     whose attribute it is, where it is not the one device's: `the app`, or a device
    address   of the device, where there are several; of TCP and UDP both ends, as `device <-> client`
    extended  whether a CAN identifier has 29 bits
    """

    transport: Transport
    handle: int | None = None
    name: str = ""
    kind: str = ""
    owner: str = ""
    address: str = ""
    extended: bool = False

    @override
    def __str__(self) -> str:
        owner = f"of {self.owner}" if self.owner else ""
        parts = (self.transport.value, self._handle, self.name, self.kind, owner, self.address)
        return " ".join(part for part in parts if part)

    def __lt__(self, other: "Channel") -> bool:
        return str(self) < str(other)

    @property
    def _handle(self) -> str:
        if self.handle is None:
            return ""
        if self.handle == UNKNOWN_HANDLE:
            return "0x????"
        if self.transport is Transport.CAN:
            return f"0x{self.handle:0{8 if self.extended else 3}x}"
        return str(self.handle) if self.transport is Transport.RFCOMM else f"0x{self.handle:04x}"

    @property
    def is_network(self) -> bool:
        """Tell whether it is a connection over a network, which has other ports each time."""
        return self.transport in (Transport.TCP, Transport.UDP)

    @property
    def device(self) -> str:
        """Return what tells its device from others of the recording; empty where there is only one."""
        return self.address or (self.owner if self.owner != THE_APP else "")

    @property
    def has_handle(self) -> bool:
        """Tell whether it is that of an attribute whose handle is shown: a recording of packets, no log."""
        return self.transport is Transport.ATT and self.handle is not None

    @property
    def lasting(self) -> "Channel":
        """Return what stays of it from recording to recording."""
        return Channel(self.transport) if self.is_network else self

    @property
    def subscribes(self) -> bool:
        """Tell whether writes here only switch notifications on, and ask for nothing."""
        return _SUBSCRIPTION in self.name.split(" ")

    @classmethod
    def parse(cls, text: str) -> "Channel":
        """Return the channel that a log or a table of messages names; `str` gives the same text again."""
        found = cls._parse(text)
        return found if str(found) == text else Channel(Transport.OTHER, name=text)

    @classmethod
    def _parse(cls, text: str) -> "Channel":
        first, _, rest = text.partition(" ")
        if first in (Transport.TCP, Transport.UDP):
            return Channel(Transport(first), address=rest)
        transport = Transport(first) if first in _TRANSPORTS and rest else Transport.OTHER
        rest = rest if transport else text
        address = kind = ""
        if found := _ADDRESS.search(rest):
            rest, address = rest[: found.start()], found[1]
        if transport is Transport.OTHER:
            return Channel(transport, name=rest, address=address)
        rest, _, owner = rest.partition(" of ")
        words = rest.split(" ")
        if words[-1] in _KINDS:
            kind = words.pop()
        handle, extended = None, False
        if words and (found := _HANDLES[transport].fullmatch(words[0])):
            handle = UNKNOWN_HANDLE if "?" in words[0] else int(words[0], 0)
            extended = transport is Transport.CAN and len(words[0]) == _EXTENDED_SIZE
            del words[0]
        return Channel(transport, handle, " ".join(words), kind, owner, address, extended)


_TRANSPORTS = frozenset(each.value for each in Transport if each.value)
_KINDS = frozenset(("write", "notify", "indicate", "read", "request", "iso-tp"))
_ADDRESS = re.compile(r" ((?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|connection 0x[0-9a-f]{4})$")
_HANDLES = {
    Transport.ATT: re.compile(r"0x(?:[0-9a-f]{4}|\?{4})"),
    Transport.CAN: re.compile(r"0x(?:[0-9a-f]{3}|[0-9a-f]{8})"),
    Transport.RFCOMM: re.compile(r"[0-9]{1,3}"),
}
#: `0x` and eight digits.
_EXTENDED_SIZE = 10
