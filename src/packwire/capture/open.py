"""Opening a capture: one call, and what is in it is worked out when it is asked for.

A layer is imported when the first recording is met that has something for it: that is told by link types.
"""

import sys
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from packwire.capture.formats import read_packets
from packwire.capture.framed import Framed, put_together
from packwire.capture.framings import Framing
from packwire.capture.layers.merge import in_order_of_time
from packwire.capture.links import BLUETOOTH, LINKS, Layer, numbers
from packwire.capture.odd_times import without_odd_times
from packwire.capture.packets import Packets
from packwire.channel import Channel
from packwire.errors import BadFileError
from packwire.messages import Bytes, Messages

if TYPE_CHECKING:
    from packwire.capture.layers.att import AttTable
    from packwire.capture.layers.bluetooth import Bluetooth
    from packwire.capture.layers.can_bus import CanBus
    from packwire.capture.layers.spoken import Carrier, SpokenConnection, SpokenTraffic
    from packwire.capture.layers.tcp import Connection, Connections

#: What is piped in cannot be mapped and is held in memory, up to this much.
MAX_PIPED = 2 << 30


class Capture:
    """A recording: its packets, and what the layers above make of them.

    `name` is that of the file, or `standard input`. `connections`, `vesc` and `messages` are computed when
    they are first looked at. `masked` counts what was masked in it, by kind (nothing, as a file is opened).
    """

    def __init__(self, name: str, packets: Packets, masked: dict[str, int] | None = None) -> None:
        self.name = name
        self.packets = packets
        self.masked = masked or {}
        self._streams_left_out: dict[str, int] = {}

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

    @property
    def notes(self) -> tuple[str, ...]:
        """Return one line for each thing that is no damage but should be known: lines not read, ..."""
        return self.packets.notes

    @property
    def has_packets_of_ip(self) -> bool:
        """Tell whether any of its packets may be of TCP/IP."""
        return self._has(Layer.IP)

    def _has(self, *layers: Layer) -> bool:
        return not numbers(*layers).isdisjoint(self._link_types)

    @cached_property
    def _link_types(self) -> list[int]:
        return self.packets.link_types

    @cached_property
    def connections(self) -> "Connections":
        """Return the TCP connections."""
        from packwire.capture.layers.tcp import Connections  # noqa: PLC0415 - see above; so are the others

        return Connections(self.packets)

    @cached_property
    def vesc(self) -> "SpokenTraffic[Connection]":
        """Return the VESC traffic: connections with roles, frames, conversation."""
        from packwire.capture.layers.spoken import read_vesc  # noqa: PLC0415

        return read_vesc(self.connections)

    @cached_property
    def spoken(self) -> "tuple[SpokenConnection[Carrier], ...]":
        """Return the conversations: over TCP VESC's, or without any those of models; those of other links."""
        from packwire.capture.layers.lines import lines_of  # noqa: PLC0415
        from packwire.capture.layers.spoken_models import read_lines, read_models  # noqa: PLC0415

        over_tcp: tuple[SpokenConnection[Carrier], ...] = ()
        if self.has_packets_of_ip:
            over_tcp = self.vesc.connections or read_models(self.connections)
        return (*over_tcp, *read_lines(lines_of(self.packets, self.raw_messages, self.framed.by_way)))

    @cached_property
    def bluetooth(self) -> "Bluetooth":
        """Return the Bluetooth traffic: links with peers, ATT PDUs, what was lost."""
        from packwire.capture.layers.bluetooth import read_bluetooth  # noqa: PLC0415

        return read_bluetooth(self.packets)

    @property
    def att(self) -> "AttTable":
        """Return the ATT PDUs as columns."""
        return self.bluetooth.att

    @cached_property
    def can(self) -> "CanBus":
        """Return the CAN traffic: frames, and the longer messages that they make up."""
        from packwire.capture.layers.can_bus import read_can  # noqa: PLC0415

        return read_can(self.packets)

    @cached_property
    def raw_messages(self) -> Messages:
        """Return each ATT value, VESC payload, ... as it came, in the order of time."""
        can = [self.can.raw] if self._has(Layer.CAN) else []
        return in_order_of_time([*self._parts(), *can], self.packets.data)

    def _parts(self) -> list[Messages]:
        """Return the tables of all layers but CAN."""
        parts = []
        if self._has(*BLUETOOTH):
            from packwire.capture.layers.bluetooth import (  # noqa: PLC0415
                att_messages,
                composed_messages,
                rfcomm_messages,
            )

            found = self.bluetooth
            parts += [att_messages(found), composed_messages(found), rfcomm_messages(found, self.packets)]
        if self._has(Layer.READY):
            from packwire.capture.layers.ready import ready_messages  # noqa: PLC0415

            parts.append(ready_messages(self.packets))
        if self._has(Layer.IP):
            parts.append(self.vesc.messages)
            parts += [self._streams] if self._streams is not None else []
        return parts

    @cached_property
    def _streams(self) -> Messages | None:
        """Return what came in TCP connections of a known framing other than VESC's, and in datagrams."""
        from packwire.capture.layers.link import Counts  # noqa: PLC0415
        from packwire.capture.layers.streams import known_streams, stream_messages  # noqa: PLC0415
        from packwire.capture.layers.udp import known_flows  # noqa: PLC0415

        vesc = frozenset(each.connection.index for each in self.vesc.connections)
        left_out = Counts()
        over_tcp = known_streams(self.connections, vesc, left_out)
        found = stream_messages(chain(over_tcp, known_flows(self.packets, left_out)))
        self._streams_left_out = left_out.by_reason
        return found

    @property
    def messages(self) -> Messages:
        """Return application messages: frames put together where a channel's framing is known."""
        return self.framed.messages

    @cached_property
    def framed(self) -> Framed:
        """Return the application messages with the framing and checksum of each."""
        known = self.vesc.families if self._has(Layer.IP) else {}
        if not self._has(Layer.CAN) or not len(self.can.longer):
            return put_together(self.raw_messages, known)
        single = self.can.raw.select(~self.can.used)
        raw = in_order_of_time([*self._parts(), single, self.can.longer], self.packets.data)
        return put_together(raw, known)

    def framing_of(self, channel: int | Channel, direction: int) -> tuple[Framing, ...]:
        """Return the framings of one direction of a channel (itself or its number); empty: none is known."""
        if isinstance(channel, Channel):
            channel = self.messages.channels.index(channel)
        return self.framed.by_way.get((channel, int(direction)), ())

    @cached_property
    def kinds(self) -> dict[str, int]:
        """Return how much there is of each kind of data: `ATT PDUs`, `advertising packets`, ..."""
        counts: dict[str, int] = {}
        if self._has(*BLUETOOTH):
            counts |= self.bluetooth.counts
            counts |= {"ATT PDUs": len(self.att), "RFCOMM chunks": len(self.bluetooth.chunks)}
        if self._has(Layer.CAN):
            counts["CAN frames"] = len(self.can.raw)
        if self._has(Layer.IP):
            counts["TCP connections"] = len(self.connections)
        return {name: count for name, count in counts.items() if count}

    @cached_property
    def losses(self) -> tuple[str, ...]:
        """Return one line for each kind of data that could not be used: how many, and why."""
        left_out: dict[str, int] = {}
        if self._has(*BLUETOOTH):
            _ = self.raw_messages  # some are counted when the table is made
            left_out |= self.bluetooth.left_out
        if self._has(Layer.CAN):
            left_out |= self.can.left_out
        if self._has(Layer.IP):
            left_out |= self.vesc.left_out
            _ = self._streams
            left_out |= self._streams_left_out
        for number in self._link_types:
            if number not in LINKS or LINKS[number].layer in (Layer.WIFI, Layer.NOTHING):
                count = int(np.count_nonzero(self.packets.link_type == number))
                left_out[f"packets of link type {number}, which is not read here"] = count
        return tuple(f"{count} x {reason}" for reason, count in left_out.items())


def open_capture(path: str | Path, *, decimal: bool = False) -> Capture:
    """Open a capture of any format that is known, by its content; `-` is standard input.

    `decimal` means that lines of decimal numbers in a text are bytes.

    The file is mapped into memory, not read: it must not be shortened meanwhile. Raises BadFileError where it
    cannot be opened or nothing in it can be read.
    """
    name = file_name(path)
    data = file_content(path)
    try:
        return Capture(name, without_odd_times(read_packets(data, decimal=decimal)))
    except BadFileError as error:
        raise BadFileError(f"{name}: {error}") from None


def file_name(path: str | Path) -> str:
    """Return what a file is called for a user; `-` is standard input."""
    return "standard input" if str(path) == "-" else str(path)


def file_content(path: str | Path) -> Bytes:
    """Return the bytes of a file, mapped into memory, or of standard input (`-`). Raises BadFileError."""
    name = file_name(path)
    try:
        return _piped(sys.stdin.buffer.fileno()) if str(path) == "-" else _mapped(Path(path))
    except FileNotFoundError:
        raise BadFileError(f"{name}: there is no such file") from None
    except IsADirectoryError:
        raise BadFileError(f"{name}: this is a directory; give a capture file in it") from None
    except OSError as error:
        raise BadFileError(f"{name}: cannot be opened ({error.strerror or error})") from error
    except BadFileError as error:
        raise BadFileError(f"{name}: {error}") from None


def _mapped(path: Path) -> Bytes:
    """Map a file; read what cannot be mapped (a pipe, what is said to be empty, as all below /proc is)."""
    with path.open("rb") as file:
        if not path.is_file() or path.stat().st_size == 0:
            return _piped(file.fileno())
        # A plain array over the same mapping: slicing np.memmap itself costs several times as much.
        return np.asarray(np.memmap(file, dtype=np.uint8, mode="r"))


def _piped(descriptor: int) -> Bytes:
    with open(descriptor, "rb", closefd=False) as file:
        content = file.read(MAX_PIPED + 1)
    if len(content) > MAX_PIPED:
        raise BadFileError(f"more than {MAX_PIPED} bytes are piped in: save them to a file and give that")
    return np.frombuffer(content, dtype=np.uint8)
