"""Opening a capture: one call, and what is in it is worked out when it is asked for."""

import sys
from functools import cached_property
from pathlib import Path

import numpy as np

from packwire.capture.formats import read_packets
from packwire.capture.framed import Framed, put_together
from packwire.capture.framings import Framing
from packwire.capture.layers.att import AttTable
from packwire.capture.layers.bluetooth import Bluetooth, att_messages, read_bluetooth, rfcomm_messages
from packwire.capture.layers.can_bus import CanBus, read_can
from packwire.capture.layers.merge import in_order_of_time
from packwire.capture.layers.ready import ready_messages
from packwire.capture.layers.tcp import Connections
from packwire.capture.layers.vesc import VescTraffic, read_vesc
from packwire.capture.packets import Packets
from packwire.errors import BadFileError
from packwire.messages import Bytes, Messages

#: What is piped in cannot be mapped and is held in memory, up to this much.
MAX_PIPED = 2 << 30


class Capture:
    """A recording: its packets, and what the layers above make of them.

    `name` is that of the file, or `standard input`. `connections`, `vesc` and `messages` are computed when
    they are first looked at.
    """

    def __init__(self, name: str, packets: Packets) -> None:
        self.name = name
        self.packets = packets

    def __repr__(self) -> str:
        return f"Capture({self.name!r}: {self.format}, {len(self.packets)} packets)"

    @property
    def format(self) -> str:
        """Return what kind of file this is: `pcap`, `pcapng`, ..."""
        return self.packets.format

    @property
    def damage(self) -> tuple[str, ...]:
        """Return one line for each thing that is wrong with the file, and what was kept."""
        return self.packets.damage

    @cached_property
    def connections(self) -> Connections:
        """Return the TCP connections."""
        return Connections(self.packets)

    @cached_property
    def vesc(self) -> VescTraffic:
        """Return the VESC traffic: connections with roles, frames, conversation."""
        return read_vesc(self.connections)

    @cached_property
    def bluetooth(self) -> Bluetooth:
        """Return the Bluetooth traffic: links with peers, ATT PDUs, what was lost."""
        return read_bluetooth(self.packets)

    @property
    def att(self) -> AttTable:
        """Return the ATT PDUs as columns."""
        return self.bluetooth.att

    @cached_property
    def raw_messages(self) -> Messages:
        """Return each ATT value, VESC payload, ... as it came, in the order of time."""
        return in_order_of_time([*self._parts(), self.can.raw], self.packets.data)

    def _parts(self) -> list[Messages]:
        """Return the tables of all layers but CAN."""
        return [
            att_messages(self.bluetooth),
            rfcomm_messages(self.bluetooth, self.packets),
            ready_messages(self.packets),
            self.vesc.messages,
        ]

    @cached_property
    def can(self) -> CanBus:
        """Return the CAN traffic: frames, and the longer messages that they make up."""
        return read_can(self.packets)

    @property
    def messages(self) -> Messages:
        """Return application messages: frames put together where a channel's framing is known."""
        return self.framed.messages

    @cached_property
    def framed(self) -> Framed:
        """Return the application messages with the framing and checksum of each."""
        if not len(self.can.longer):
            return put_together(self.raw_messages)
        single = self.can.raw.select(~self.can.used)
        return put_together(in_order_of_time([*self._parts(), single, self.can.longer], self.packets.data))

    def framing_of(self, channel: int | str, direction: int) -> tuple[Framing, ...]:
        """Return the framings of one direction of a channel (its text or number); empty: none is known."""
        if isinstance(channel, str):
            channel = self.messages.channels.index(channel)
        return self.framed.by_way.get((channel, int(direction)), ())

    @cached_property
    def kinds(self) -> dict[str, int]:
        """Return how much there is of each kind of data: `ATT PDUs`, `advertising packets`, ..."""
        counts = dict(self.bluetooth.counts)
        more = {
            "ATT PDUs": len(self.att),
            "RFCOMM chunks": len(self.bluetooth.chunks),
            "CAN frames": len(self.can.raw),
            "TCP connections": len(self.connections),
        }
        return counts | {name: count for name, count in more.items() if count}

    @cached_property
    def losses(self) -> tuple[str, ...]:
        """Return one line for each kind of data that could not be used: how many, and why."""
        left_out = self.bluetooth.left_out | self.can.left_out
        return tuple(f"{count} x {reason}" for reason, count in left_out.items())


def open_capture(path: str | Path) -> Capture:
    """Open a capture of any format that is known, by its content; `-` is standard input.

    The file is mapped into memory, not read: it must not be shortened meanwhile. Raises BadFileError where it
    cannot be opened or nothing in it can be read.
    """
    name = "standard input" if str(path) == "-" else str(path)
    try:
        data = _piped(sys.stdin.buffer.fileno()) if str(path) == "-" else _mapped(Path(path))
        return Capture(name, read_packets(data))
    except FileNotFoundError:
        raise BadFileError(f"{name}: there is no such file") from None
    except IsADirectoryError:
        raise BadFileError(f"{name}: this is a directory; give a capture file in it") from None
    except OSError as error:
        raise BadFileError(f"{name}: cannot be opened ({error.strerror or error})") from error
    except BadFileError as error:
        raise BadFileError(f"{name}: {error}") from None


def _mapped(path: Path) -> Bytes:
    """Map a file; read what cannot be mapped (a pipe, an empty file)."""
    with path.open("rb") as file:
        if not path.is_file():
            return _piped(file.fileno())
        if path.stat().st_size == 0:
            return np.zeros(0, dtype=np.uint8)
        # A plain array over the same mapping: slicing np.memmap itself costs several times as much.
        return np.asarray(np.memmap(file, dtype=np.uint8, mode="r"))


def _piped(descriptor: int) -> Bytes:
    with open(descriptor, "rb", closefd=False) as file:
        content = file.read(MAX_PIPED + 1)
    if len(content) > MAX_PIPED:
        raise BadFileError(f"more than {MAX_PIPED} bytes are piped in: save them to a file and give that")
    return np.frombuffer(content, dtype=np.uint8)
