"""Generates a btsnoop log of a phone and a battery: writes and notifications, seeded, of any size."""

import struct
from pathlib import Path

import numpy as np

_HEADER = b"btsnoop\0" + struct.pack(">II", 1, 1002)
_EPOCH = 0x00DC_DDB3_0F2F_8000
_FIRST = 1_700_000_000_000_000
#: In each run of packets one is a write, the others are notifications; a notification has 20 bytes.
_RUN = 8
_WRITE, _NOTIFY = 7, 14
_RECORD = 24 + 12


def write_log(path: Path, packets: int, seed: int = 1) -> None:
    """Write a log in which every eighth packet is a write of 7 bytes, the others are notifications of 14."""
    runs = packets // _RUN
    write, notify = _RECORD + _WRITE, _RECORD + _NOTIFY
    table = np.zeros((runs, write + (_RUN - 1) * notify), dtype=np.uint8)
    random = np.random.default_rng(seed)
    table[:] = random.integers(0, 256, table.shape, dtype=np.uint8)
    times = _EPOCH + _FIRST + 1000 * np.arange(runs * _RUN).reshape(runs, _RUN)
    at = 0
    for index in range(_RUN):
        value, received = (_WRITE, 0) if index == 0 else (_NOTIFY, 1)
        head = struct.pack(">IIIIq", 12 + value, 12 + value, received, 0, 0)
        head += struct.pack("<BHHHHBH", 2, 0x2040 if received else 0x0040, value + 7, value + 3, 4,
                            0x1B if received else 0x52, 0x0011 if received else 0x0015)  # fmt: skip
        table[:, at : at + _RECORD] = np.frombuffer(head, dtype=np.uint8)
        table[:, at + 16 : at + 24] = times[:, index].astype(">i8").view(np.uint8).reshape(runs, 8)
        at += _RECORD + value
    with path.open("wb") as file:
        file.write(_HEADER)
        table.tofile(file)
