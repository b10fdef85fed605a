"""A device that answers as a test says, on real TCP: for timings and misbehaviour that need a script."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable

from packwire.vesc.commands import Command
from packwire.vesc.framing import Framer, encode_frame
from packwire.vesc.replies import BMS_GET_VALUES, FW_VERSION, GET_VALUES, FwVersion, Values

EXPRESS = b"\0" + FW_VERSION.encode(
    FwVersion(7, 0, "VESC Express T", "aa" * 12, 0, 0, 2, 1, 0, 0, 0, 0, "", 1)
)
CONTROLLER = b"\0" + FW_VERSION.encode(FwVersion(7, 1, "75_300_R2", "bb" * 12, 0, 0, 0, 0, 0, 0, 0, 0, "", 1))


def bms_reply(volts: float = 83.92) -> bytes:
    """Return a BMS_GET_VALUES payload of 20 cells."""
    zeros = BMS_GET_VALUES.decode(b"\x60" + bytes(60)).reply
    reply = zeros._replace(
        v_tot=volts, cell_num=20, v_cell=(4.196,) * 20, bal=(0,) * 20, can_id=10, status=""
    )
    return b"\x60" + BMS_GET_VALUES.encode(reply)


def values_reply(controller: int, amperes: float = 1.0) -> bytes:
    """Return a GET_VALUES payload."""
    values = Values(*[0] * 24)._replace(controller_id=controller, current_in=amperes, v_in=83.9)
    return b"\x04" + GET_VALUES.encode(values)


type Answer = Iterable[tuple[float, bytes]]
"""(delay in s, bytes) in turn."""
type Handler = Callable[[bytes], Answer | None]


class ScriptedDevice:
    """Serves any number of clients; `asked` lists the payloads that arrived."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.asked: list[bytes] = []
        self.raw = b""
        self.port = 0
        self.server: asyncio.Server
        self.writers: list[asyncio.StreamWriter] = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        framer = Framer()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(4096):
                self.raw += data
                for frame in framer.feed(data):
                    self.asked.append(frame.payload)
                    for delay, reply in self.handler(frame.payload) or ():
                        asyncio.get_running_loop().call_later(delay, self._write, writer, reply)
        writer.close()

    @staticmethod
    def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
        if not writer.is_closing():
            writer.write(data)

    def hang_up(self) -> None:
        """Close all connections."""
        for writer in self.writers:
            writer.close()


@contextlib.asynccontextmanager
async def scripted(handler: Handler) -> AsyncIterator[ScriptedDevice]:
    """Run a device on loopback that answers by `handler`."""
    device = ScriptedDevice(handler)
    server = await asyncio.start_server(device._serve, "127.0.0.1", 0)
    device.server = server
    device.port = server.sockets[0].getsockname()[1]
    async with server:
        yield device
        device.hang_up()


def framed(*payloads: bytes, delay: float = 0.0) -> Answer:
    """Return payloads as an answer."""
    return [(delay, encode_frame(payload)) for payload in payloads]


def usual(payload: bytes) -> Answer | None:
    """Answer as an Express with a BMS and a controller of id 84 does."""
    match payload[0]:
        case Command.FW_VERSION:
            return framed(EXPRESS)
        case Command.BMS_GET_VALUES:
            return framed(bms_reply())
        case Command.PING_CAN:
            return framed(bytes([Command.PING_CAN, 84]))
        case Command.FORWARD_CAN if payload[1] == 84:
            inner = payload[2]
            if inner == Command.FW_VERSION:
                return framed(CONTROLLER)
            if inner == Command.GET_VALUES:
                return framed(values_reply(84))
    return None
