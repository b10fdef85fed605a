"""Frames of wired packs, from bytes to quantities: VE.Direct beside vedirect_m8, Modbus beside pymodbus.

Both read the same bytes and make the same numbers of them. The peers are asked in an environment of their
own, which `PACKWIRE_WIRED` names (its python, with vedirect-m8 and pymodbus); without it only our own time is
shown. Both take turns in short rounds; what counts is processor time, the median of the rounds.
"""

import math
import os
import statistics
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from benchmarks.figure import Figure
from packwire.models.heard import Heard
from packwire.models.load import model

_FRAMES, _TURNS = 1000, 15
#: What a monitor says once a second. [VE.Direct protocol 3.33]
_BLOCK = {
    "product": "SmartShunt 500A/50mV", "voltage": 13.312, "current": -2.87, "power": -38,
    "consumed_charge": -12.4, "soc": 76.1, "time_to_go": 5400, "firmware": "0419",
}  # fmt: skip
_CELLS: Mapping[str, Any] = {
    "cells": tuple(3.3 + number % 3 / 10 for number in range(16)),
    "probes": 4,
    "temperatures": (25.0, 24.0, 24.5, 25.5),
}
#: The peers' loops: `frame` and `count` are given; each value is made a number, as ours are.
_VEDIRECT = """
from vedirect_m8.vedirect import Vedirect
reader = Vedirect({"serial_port": "/dev/ttyUSB1"}, auto_start=False)
scales = {"V": .001, "I": .001, "P": 1, "CE": .001, "SOC": .1, "TTG": 60}
bytes_of = [bytes([each]) for each in frame]
def read():
    for byte in bytes_of:
        found = reader.input_read(byte)
    values = {key: int(found[key]) * scale for key, scale in scales.items()}
    return values | {"PID": found["PID"], "FW": found["FW"]}
"""
_PYMODBUS = """
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU
framer = FramerRTU(DecodePDU(False))
def signed(number):
    return number - 65536 if number > 32767 else number
def read():
    used, reply = framer.handleFrame(frame, 48, 0)
    numbers = reply.registers
    return (
        numbers[0],
        tuple(number / 10 for number in numbers[1:1 + numbers[0]]),
        tuple(signed(number) / 10 for number in numbers[18:18 + numbers[17]]),
    )
"""
_PEER = """
import sys, time
frame, count = bytes.fromhex(sys.argv[1]), int(sys.argv[2])
{read}
assert read()
begun = time.process_time()
for _ in range(count):
    read()
print((time.process_time() - begun) / count)
"""


def measure() -> list[Figure]:
    """Return what was measured."""
    return [
        *_figures("victron-vedirect", "values", _BLOCK, "vedirect_m8", _VEDIRECT),
        *_figures("renogy", "cells", _CELLS, "pymodbus", _PYMODBUS),
    ]


def _figures(name: str, reply: str, values: Mapping[str, Any], peer: str, loop: str) -> list[Figure]:
    frame = model(name).encode(reply, values)
    if name == "renogy":
        frame = _addressed(frame)
    python = os.environ.get("PACKWIRE_WIRED")
    turns = [(_ours(name, frame), _theirs(python, loop, frame)) for _ in range(_TURNS)]
    ours, theirs = (statistics.median(times) * 1e6 for times in zip(*turns, strict=True))
    figures = [Figure(f"{name}, a frame of {len(frame)} bytes to its quantities", ours, "us")]
    if python is None:
        return figures
    ratio = statistics.median(mine / other for mine, other in turns)
    return [
        *figures,
        Figure(f"the same by {peer}", theirs, "us"),
        Figure(f"against {peer}, median of the turns", ratio, "times"),
    ]


def _addressed(frame: bytes) -> bytes:
    return model("renogy").framings[0].seal(b"\x30" + frame[1:])


def _ours(name: str, frame: bytes) -> float:
    """Return seconds a frame; what is compiled once was compiled before."""
    protocol = model(name)
    framer, heard = protocol.framer(), Heard(protocol)

    def read() -> Any:
        for found in framer.feed(frame):
            heard.take(found.payload)
        return heard.values()

    assert read()
    begun = time.process_time()
    for _ in range(_FRAMES):
        read()
    return (time.process_time() - begun) / _FRAMES


def _theirs(python: str | None, loop: str, frame: bytes) -> float:
    if python is None:
        return math.nan
    command = [python, "-c", _PEER.replace("{read}", loop), frame.hex(), str(_FRAMES)]
    return float(subprocess.check_output(command, text=True))
