"""Reading a capture that is still being written: pcap, pcapng and btsnoop, from a file or from a pipe.

>>> for packets in follow_packets("session.pcap"):      # doctest: +SKIP
...     print(len(packets), "new packets")
"""

import os
import select
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from packwire.capture.formats import btsnoop, pcap, pcapng, read_packets
from packwire.capture.links import largest_packet
from packwire.capture.packets import Packets
from packwire.errors import BadFileError

#: How much is read at once, which bounds the packets of one step.
_CHUNK = 4 << 20
#: What the file headers take at most; by then the format is known.
_ENOUGH = 24
_LARGEST_BLOCK = 128 << 20
_LARGEST_PREFIX = 1 << 20


class _Format(Protocol):
    """Knows where the complete records of one format end."""

    @property
    def prefix(self) -> bytes:
        """Return what has to stand before the records so that the format's reader understands them."""

    def complete(self, buffer: bytearray) -> tuple[int, str]:
        """Return how many bytes complete records take, and what is wrong with the one behind them, if so."""

    def pass_over(self, records: bytes) -> None:
        """Take note of complete records that are about to be forgotten."""


class _Records:
    """A file header, then records that each begin with a header that holds their length."""

    def __init__(self, prefix: bytes, header: str, largest: int) -> None:
        self.prefix = prefix
        self._header = struct.Struct(header)
        self._largest = largest

    def complete(self, buffer: bytearray) -> tuple[int, str]:
        at = 0
        while at + self._header.size <= len(buffer):
            (size,) = self._header.unpack_from(buffer, at)
            if size > self._largest:
                return at, f"a packet claims {size} bytes, more than any packet has"
            if at + self._header.size + size > len(buffer):
                break
            at += self._header.size + size
        return at, ""

    def pass_over(self, records: bytes) -> None:
        """Forget them: no record matters to another."""


class _Blocks:
    """pcapng: packets are understood by the header of their section and its interfaces."""

    def __init__(self) -> None:
        self.prefix = b""
        self._order = "<"

    def complete(self, buffer: bytearray) -> tuple[int, str]:
        at, order = 0, self._order
        while at + 12 <= len(buffer):
            order = pcapng.section_order(buffer, at) or order
            _, length = struct.unpack_from(order + "II", buffer, at)
            if not 12 <= length <= _LARGEST_BLOCK:
                return at, f"a block claims {length} bytes"
            after = at + length + (-length & 3)
            if after > len(buffer):
                break
            at = after
        return at, ""

    def pass_over(self, records: bytes) -> None:
        at = 0
        kept = [self.prefix]
        while at + 12 <= len(records):
            order = pcapng.section_order(records, at)
            if order:
                kept, self._order = [], order
            kind, length = struct.unpack_from(self._order + "II", records, at)
            after = at + length + (-length & 3)
            if order or kind == pcapng.INTERFACE:
                kept.append(records[at:after])
            at = after
        self.prefix = b"".join(kept)
        if len(self.prefix) > _LARGEST_PREFIX:  # they are read again with every packet
            raise BadFileError(f"descriptions of interfaces take more than {_LARGEST_PREFIX >> 20} MiB")


def follow_packets(
    path: str | Path, *, poll: float = 0.25, stop: Callable[[], bool] = lambda: False, pauses: bool = False
) -> Iterator[Packets]:
    """Yield the new complete packets of a capture as they appear; `-` is standard input.

    Each `Packets` is a table of its own: rows, numbers and offsets begin anew, and `data` holds its bytes
    alone. With `pauses` an empty one comes whenever nothing has arrived for `poll` seconds. A file is looked
    at every `poll` seconds until `stop()` is true or the user interrupts; a pipe also ends where its writer
    closes it. What is incomplete is kept until the rest comes. Raises BadFileError
    where the format cannot be followed, where the file is damaged (all before it has been yielded), or where
    it got shorter.
    """
    name = "standard input" if str(path) == "-" else str(path)
    try:
        piped = str(path) == "-"
        with open(sys.stdin.fileno() if piped else path, "rb", 0, closefd=not piped) as file:
            for packets in _packets(_chunks(file.fileno(), poll, stop)):
                if pauses or len(packets) or packets.damage:
                    yield packets
    except KeyboardInterrupt:
        return
    except FileNotFoundError:
        raise BadFileError(f"{name}: there is no such file") from None
    except OSError as error:
        raise BadFileError(f"{name}: cannot be followed ({error.strerror or error})") from error
    except BadFileError as error:
        raise BadFileError(f"{name}: {error}") from None


def _chunks(descriptor: int, poll: float, stop: Callable[[], bool]) -> Iterator[bytes]:
    """Yield what is new, as soon as there is any, until there cannot be more; nothing after each pause."""
    grows = os.path.isfile(descriptor)  # noqa: PTH113 - of an open file
    at = 0
    while not stop():
        if not grows and not _comes(descriptor, poll):
            yield b""
            continue
        piece = os.read(descriptor, _CHUNK)
        at += len(piece)
        if piece:
            yield piece
        elif not grows:
            return
        elif os.fstat(descriptor).st_size < at:
            raise BadFileError(f"the file got shorter than {at} bytes while it was followed: start again")
        else:
            yield b""
            time.sleep(poll)


def _comes(descriptor: int, seconds: float) -> bool:
    """Wait for something to read from a pipe; where that is not possible (Windows), say that it is there."""
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    except (OSError, ValueError):
        return True


def _packets(chunks: Iterator[bytes]) -> Iterator[Packets]:
    buffer = bytearray()
    known: _Format | None = None
    passed = 0
    for chunk in chunks:
        buffer += chunk
        if known is None:
            if len(buffer) < _ENOUGH:
                continue
            known = _format(bytes(buffer[:_ENOUGH]))
            del buffer[: len(known.prefix)]
            passed = len(known.prefix)
        size, broken = known.complete(buffer)
        if size:
            records = bytes(buffer[:size])
            packets = read_packets(np.frombuffer(known.prefix + records, dtype=np.uint8))
            known.pass_over(records)
            del buffer[:size]
            passed += size
            yield packets
        elif not chunk and known.prefix:
            yield read_packets(np.frombuffer(known.prefix, dtype=np.uint8))
        if broken:
            raise BadFileError(f"{broken} (offset {passed}): what follows cannot be read")
    if known is None:
        raise BadFileError(f"ends after {len(buffer)} bytes, before any packet: nothing was recorded")


def _format(head: bytes) -> _Format:
    if pcap.matches(head):
        order = "<" if head[0] in {0xD4, 0x4D} else ">"
        (link_type,) = struct.unpack_from(order + "I", head, 20)
        return _Records(head[:24], order + "8xI4x", largest_packet(link_type & 0xFFFF))
    if btsnoop.matches(head):
        return _Records(head[:16], ">4xI16x", btsnoop.MAX_PACKET)
    if pcapng.matches(head):
        return _Blocks()
    raise BadFileError(
        "only pcap, pcapng and btsnoop can be followed while they grow: open it once it is done"
    )
