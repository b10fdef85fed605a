"""Clients with a fault to order, run against the simulator and recorded as a capture would record them.

The bytes are the simulator's own, over real TCP. The times are not: each step takes as long as is written here,
so that a recording is the same on a busy machine.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from packwire.capture import open_capture
from packwire.doctor.compare.choose import choose
from packwire.doctor.compare.log_file import ClientLog
from packwire.doctor.compare.verdict import Comparison, compare
from packwire.sim.hub import SimulatedHub
from packwire.vesc.framing import Framer, encode_frame
from tests.capture.builder import Session, pcap
from tests.sim.raw import PATIENCE, QUIET, eventually

LOGIN = b"VESCTOOL:TESTPACK:secret42\n"
TIMEOUT = 2.0
LATENCY = 0.008
FW_VERSION, BMS, VALUES = b"\0", b"\x60", b"\x04"


def via(can_id: int, request: bytes) -> bytes:
    return bytes((34, can_id)) + request


type Encode = Callable[[bytes], bytes]
type Takes = Callable[[bytes], bool]


class Client:
    """One connection; `takes` says of a reply's frame whether this client's framer would take it."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        record: Session,
        encode: Encode = encode_frame,
        takes: Takes = lambda _: True,
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.record = record
        self.encode = encode
        self.takes = takes

    def send(self, data: bytes) -> None:
        self.writer.write(data)
        self.record.send(0, data)

    async def ask(self, payload: bytes, *, answered: bool = True, pause: float = 0.0) -> None:
        """Ask; go on `pause` seconds after the reply, or after the timeout where it is not taken."""
        asked = self.record.time
        self.send(self.encode(payload))
        frames = await self._frames(answered)
        taken = bool(frames) and any(self.takes(encode_frame(frame)) for frame in frames)
        if taken:
            self.record.wait(pause)
        else:
            self.record.time = asked + round(TIMEOUT * 1e9)

    async def _frames(self, answered: bool) -> list[bytes]:
        framer = Framer()
        frames: list[bytes] = []
        self.record.wait(LATENCY)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE if answered else QUIET):
                while not frames:
                    data = await self.reader.read(65536)
                    if not data:
                        break
                    self.record.send(1, data)
                    frames = [frame.payload for frame in framer.feed(data)]
        assert frames or not answered, "the device was expected to answer"
        return frames


@contextlib.asynccontextmanager
async def client(
    port: int,
    records: list[Session],
    *,
    hub: SimulatedHub | None = None,
    login: bytes = LOGIN,
    encode: Encode = encode_frame,
    takes: Takes = lambda _: True,
    close: int | None = 0,
) -> AsyncIterator[Client]:
    """Connect, log in at a hub with `login`, and add the session to `records`; side `close` ends it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    record = Session(ports=(50000 + len(records), 65101 if hub else 65102), step=100_000).open()
    records.append(record)
    one = Client(reader, writer, record, encode, takes)
    if hub is not None and login:
        before = hub.pairings["TESTPACK"].client
        one.send(login)
        await eventually(lambda: reader.at_eof() or hub.pairings["TESTPACK"].client is not before)
        record.wait(1.0)
    try:
        yield one
        if close is not None:
            record.close(close)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def usual(port: int, *, hub: SimulatedHub | None = None, polls: int = 5) -> list[Session]:
    """Record a client without a fault: who is there, then the battery at 10 Hz."""
    records: list[Session] = []
    async with client(port, records, hub=hub) as one:
        await one.ask(FW_VERSION)
        await one.ask(via(84, FW_VERSION))
        await one.ask(via(84, VALUES))
        for _ in range(polls):
            await one.ask(BMS, pause=0.1)
    return records


def written(path: Path, records: Iterable[Session]) -> Path:
    """Write sessions to a capture file."""
    packets = sorted((packet for each in records for packet in each.packets), key=lambda packet: packet.time)
    path.write_bytes(pcap(packets))
    return path


def compared(
    folder: Path,
    reference: Iterable[Session],
    mine: Iterable[Session],
    log: ClientLog | None = None,
    numbers: tuple[int | None, int | None] = (None, None),
) -> Comparison:
    """Write both and compare them."""
    captures = (
        open_capture(written(folder / "reference.pcap", reference)),
        open_capture(written(folder / "mine.pcap", mine)),
    )
    chosen = choose(captures, numbers)
    return compare(chosen[0].session, chosen[1].session, log)
