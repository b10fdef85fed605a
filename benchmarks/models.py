"""Models beside aiobmsble: a JK status frame, and recordings with values."""

import asyncio
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.figure import Figure
from packwire.models.heard import Heard
from packwire.models.load import model
from packwire.models.protocol import ModelProtocol

PACKETS = 500_000
_MTU = 128
_ROUNDS, _REPEATS = 1500, 15
_KNOWN = {"device info.software": 19.0}
#: What aiobmsble reads of a status frame.
_THEIRS = frozenset({
    "voltage", "current", "problem_code", "balance_current", "balancing", "soc", "charge_remaining",
    "capacity_design", "cycles", "soh", "charge_enabled", "discharge_enabled", "heater_on", "heater_current",
    "cell_count", "cell_voltage_spread", "charge_phase", "temperature_mosfet", "temperatures",
    "cell_voltages",
})  # fmt: skip


def measure() -> list[Figure]:
    """Return what was measured."""
    frame = status_frame()
    turns = [(_engine(frame), _aiobmsble(frame)) for _ in range(_REPEATS)]
    ours, theirs = (statistics.median(times) for times in zip(*turns, strict=True))
    plain, decoded = _messages()
    return [
        Figure("a JK status frame, engine, the same 20 quantities", ours * 1e6, "us"),
        Figure("a JK status frame, aiobmsble", theirs * 1e6, "us"),
        Figure(
            "engine against aiobmsble, median of the turns",
            statistics.median(mine / peer for mine, peer in turns),
            "times",
            at_most=1.0,
        ),
        Figure(
            "messages --decode against messages, 500 000 ATT packets", decoded / plain, "times", at_most=1.3
        ),
    ]


def status_frame() -> bytes:
    """Return a status of 16 cells, as a board of software 19 sends it."""
    cells = tuple(3.3 + number / 1000 for number in range(16))
    values = {"cells": cells, "cell_count": 16, "resistances": (0.05,) * 16, "voltage": 53.2, "sensors": 255}
    return model("jk02").encode("status", values | {"current": -3.2, "soc": 76}, _KNOWN)


def _with_their_quantities() -> ModelProtocol:
    """Return the model without what aiobmsble does not read (wire resistances, alarms by name, ...)."""
    content = deepcopy(dict(model("jk02").content))
    for layout in content["replies"]["status"]["layouts"]:
        layout["fields"] = [
            each for each in layout.get("fields", ()) if each.get("quantity", "") in {"", *_THEIRS}
        ]
    return ModelProtocol(content)


def _pieces(frame: bytes) -> list[bytes]:
    return [frame[at : at + _MTU] for at in range(0, len(frame), _MTU)]


def _engine(frame: bytes) -> float:
    """Return seconds a frame, from notifications to quantities."""
    jk = _with_their_quantities()
    heard, framer, pieces = Heard(jk, _KNOWN), jk.framer(), _pieces(frame)
    begun = time.process_time()
    for _ in range(_ROUNDS):
        for piece in pieces:
            for found in framer.feed(piece):
                heard.take(found.payload)
        heard.values()
    return (time.process_time() - begun) / _ROUNDS


def _aiobmsble(frame: bytes) -> float:
    """Return seconds a frame of aiobmsble, from notifications to its sample."""
    import aiobmsble.basebms  # noqa: PLC0415 - an extra
    from aiobmsble.bms.jikong_bms import BMS  # noqa: PLC0415
    from bleak.backends.device import BLEDevice  # noqa: PLC0415

    aiobmsble.basebms.BleakClient = _NoClient
    bms: Any = BMS(BLEDevice("00:00:00:00:00:00", "x", None))
    bms._sw_version, bms._prot_offset, bms._valid_reply = 19, 0, 2  # noqa: SLF001 - no connection to ask
    pieces = [bytearray(piece) for piece in _pieces(frame)]

    async def read() -> float:
        begun = time.process_time()
        for _ in range(_ROUNDS):
            for piece in pieces:
                bms._notification_handler(None, piece)  # noqa: SLF001
            await bms._async_update()  # noqa: SLF001
        return (time.process_time() - begun) / _ROUNDS

    return asyncio.run(read())


class _NoClient:
    """In place of a connection."""

    is_connected = True

    def __init__(self, *_: object, **__: object) -> None:
        pass


def _messages() -> tuple[float, float]:
    """Return the seconds of `messages` without and with values, of a JBD session without repetition."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jbd.btsnoop"
        path.write_bytes(_session())
        return _timed([str(path)]), _timed([str(path), "--decode"])


def _timed(words: list[str]) -> float:
    def run() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run(
            [sys.executable, "-m", "packwire", "messages", *words], stdout=subprocess.DEVNULL, check=True
        )
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before

    return _least(run, 2)


def _least(measured: Callable[[], float], rounds: int) -> float:
    return min(measured() for _ in range(rounds))


def _session() -> bytes:
    """Return a btsnoop log: status and cells are asked in turn, each reply in notifications of 20 bytes."""
    jbd, random = model("jbd"), Random(1)
    log = bytearray(b"btsnoop\0" + struct.pack(">II", 1, 1002))
    count = 0

    def put(value: bytes, *, received: bool) -> None:
        nonlocal count
        count += 1
        att = struct.pack("<BH", 0x1B if received else 0x52, 0x11 if received else 0x15) + value
        head = struct.pack("<BHHHH", 2, 0x2040 if received else 0x0040, len(att) + 4, len(att), 4)
        packet = head + att
        moment = 0x00DC_DDB3_0F2F_8000 + 1_700_000_000_000_000 + 20_000 * count
        log.extend(struct.pack(">IIIIq", len(packet), len(packet), int(received), 0, moment) + packet)

    while count < PACKETS:
        cells = tuple(3.3 + random.random() / 20 for _ in range(16))
        basic: dict[str, Any] = {
            "voltage": sum(cells),
            "current": random.uniform(-20, 20),
            "soc": random.randrange(100),
        }
        basic |= {"temperatures": (25.0, 24.0), "remaining_charge": 100 * random.random(), "cell_count": 16}
        basic |= {"nominal_capacity": 280, "cycles": 3, "production_date": 0, "balancing": 0}
        basic |= {"protection": (), "problem_code": 0, "software_version": 2.1, "mosfets": 3, "units": 0}
        for name, values in (("basic info", basic), ("cell voltages", {"cells": cells})):
            put(jbd.asked_by_name[name].payload, received=False)
            reply = jbd.encode(name, values)
            for at in range(0, len(reply), 20):
                put(reply[at : at + 20], received=True)
    return bytes(log)
