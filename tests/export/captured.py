"""Frames as captures that tshark reads: over Bluetooth in pieces, over TCP, on CAN; and what it says of them."""

import json
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from packwire.models.protocol import ModelProtocol
from tests.capture.builder import Recorded, Session, pcap
from tests.capture.formats.bluetooth_files import EPOCH_US, btsnoop, btsnoop_record

_SOCKETCAN, _USB, _SECOND = 227, 220, 1_000_000_000
_CONNECTED = bytes.fromhex("043e1301004000000001aabbccddee180000004800 00".replace(" ", ""))


def bluetooth(frames: Sequence[bytes], piece: int = 20) -> bytes:
    """Return a btsnoop file in which a device notifies of these frames."""
    records = [btsnoop_record(_CONNECTED, EPOCH_US, 1)]
    for number, frame in enumerate(frames):
        for at in range(0, len(frame), piece):
            att = b"\x1b\x12\x00" + frame[at : at + piece]
            acl = struct.pack("<BHHHH", 2, 0x2040, len(att) + 4, len(att), 4) + att
            records.append(btsnoop_record(acl, EPOCH_US + 100_000 * number + 1000 * at + 1, 1))
    return btsnoop(records)


def stream(frames: Sequence[bytes]) -> bytes:
    """Return a pcap file of a connection in which a device says these frames."""
    session = Session().open()
    for frame in frames:
        session.send(1, frame)
    return session.pcap()


def can(frames: Sequence[bytes]) -> bytes:
    """Return a pcap file of a CAN bus; of each frame the first four bytes are the identifier."""
    packets = [
        Recorded(number * _SECOND, frame[:4] + struct.pack("B3x", len(frame) - 4) + frame[4:])
        for number, frame in enumerate(frames)
    ]
    return pcap(packets, link_type=_SOCKETCAN)


def captured(model: ModelProtocol, frames: Sequence[bytes]) -> bytes:
    """Return frames on a link of the model's."""
    if model.can:
        return can(frames)
    return bluetooth(frames) if model.gatt else stream(frames)


def tshark(capture: Path, script: Path, name: str, *more: str) -> list[dict[str, list[str]]]:
    """Return what a dissector says, frame by frame: the values by their filter, without the dissector's name."""
    command = ["tshark", "-r", str(capture), "-X", f"lua_script:{script}", "-Y", name, "-T", "json", *more]
    run = subprocess.run(
        [*command, "-J", name, "--no-duplicate-keys"], capture_output=True, text=True, check=True
    )
    assert "Lua" not in run.stderr, run.stderr
    found = []
    for packet in json.loads(run.stdout or "[]"):
        trees: Any = packet["_source"]["layers"][name]
        found += [_values(tree, name) for tree in (trees if isinstance(trees, list) else [trees])]
    return found


def _values(tree: dict[str, Any], name: str) -> dict[str, list[str]]:
    return {
        key.removeprefix(f"{name}."): value if isinstance(value, list) else [value]
        for key, value in tree.items()
    }


def usb(frame: bytes, piece: int = 16) -> bytes:
    """Return a pcap file of what a serial adapter on USB hands on, as Linux records it."""
    packets = []
    for number, at in enumerate(range(0, len(frame), piece)):
        data = frame[at : at + piece]
        size = len(data)
        header = struct.pack(
            "<QBBBBHBBqiiII8sIIII",
            1,
            ord("C"),
            3,
            0x81,
            5,
            1,
            0,
            0,
            1,
            number,
            0,
            size,
            size,
            bytes(8),
            0,
            0,
            0,
            0,
        )
        packets.append(Recorded(number * 1_000_000, header + data))
    return pcap(packets, link_type=_USB)
