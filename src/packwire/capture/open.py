"""Opening a capture: one call, and what is in it is worked out when it is asked for."""

import sys
from functools import cached_property
from pathlib import Path

import numpy as np

from packwire.capture.formats import read_packets
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

    @property
    def messages(self) -> Messages:
        """Return the messages of all protocols that are known here, in the order of time."""
        return self.vesc.messages


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
