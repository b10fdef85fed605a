"""Clients as people write them: right ones, and ones with a single fault each. Real asyncio TCP clients.

All ask BMS_GET_VALUES, wait `TIMEOUT` for the reply, and ask again `PAUSE` after it; with a fault they miss it.
"""

import asyncio
import contextlib
from binascii import crc_hqx
from collections.abc import Callable

from packwire.vesc.framing import encode_frame

TIMEOUT = 0.3
PAUSE = 0.0
ASK = encode_frame(b"\x60")
ASK_VERSION = encode_frame(b"\x00")
LOGIN = b"VESCTOOL:MYPACK:secret42\n"

type Extract = Callable[[bytearray], bytes | None]
"""Takes the next payload out of a buffer; None: more bytes are needed."""


def extract(
    buffer: bytearray,
    *,
    length: Callable[[bytearray], tuple[int, int] | None] | None = None,
    crc: Callable[[bytes, bytes], int] = lambda header, payload: crc_hqx(payload, 0),
    check: bool = True,
) -> bytes | None:
    """Look for a frame, one byte further where there is none. `length` gives (header size, length)."""
    while buffer:
        found = (length or right_length)(buffer)
        if found is None:
            if buffer[0] in (2, 3, 4) and len(buffer) < 4:
                return None
            del buffer[0]
            continue
        header, size = found
        end = header + size + 3
        if size <= 0 or size > 40_000:
            del buffer[0]
            continue
        if len(buffer) < end:
            return None
        payload = bytes(buffer[header : header + size])
        said = int.from_bytes(buffer[end - 3 : end - 1])
        if buffer[end - 1] != 3 or (check and said != crc(bytes(buffer[:header]), payload)):
            del buffer[0]
            continue
        del buffer[:end]
        return payload
    return None


def right_length(buffer):
    if buffer[0] not in (2, 3) or len(buffer) < buffer[0]:
        return None
    size = int.from_bytes(buffer[1 : buffer[0]])
    return (buffer[0], size) if buffer[0] == 2 or size > 255 else None


def fifteen_bits(buffer):
    """The story's own: a one-byte length above 127 is read as 15 bits."""
    if buffer[0] == 2 and len(buffer) > 2 and buffer[1] & 0x80:
        return 3, (buffer[1] & 0x7F) << 8 | buffer[2]
    return right_length(buffer)


def signed_byte(buffer):
    if buffer[0] == 2 and len(buffer) > 1 and buffer[1] & 0x80:
        return 2, buffer[1] - 256
    return right_length(buffer)


class Client:
    """Asks, waits for the reply, asks again: the right way. What the faults change are the methods."""

    login = LOGIN
    requests: tuple[bytes, ...] = (ASK,)
    pause = PAUSE
    timeout = TIMEOUT
    clear_on_timeout = True

    def __init__(self, port: int) -> None:
        self.port = port
        self.replies = 0
        self.timeouts = 0
        self.buffer = bytearray()

    async def run(self) -> None:
        """Go on until cancelled; connect again where the other end closes."""
        while True:
            self.buffer.clear()
            with contextlib.suppress(ConnectionError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    writer.write(self.login)
                    await self.talk(reader, writer)
                finally:
                    writer.close()
            await asyncio.sleep(0.01)

    async def talk(self, reader, writer):
        while True:
            for request in self.requests:
                writer.write(request)
                try:
                    async with asyncio.timeout(self.timeout):
                        await self.reply(reader, request[2])
                    self.replies += 1
                except TimeoutError:
                    self.timeouts += 1
                    if self.clear_on_timeout:
                        self.buffer.clear()
                    if await self.timed_out(writer):
                        return
                await asyncio.sleep(self.pause)

    async def timed_out(self, writer) -> bool:
        return False

    async def read(self, reader) -> None:
        data = await reader.read(4096)
        if not data:
            raise ConnectionResetError
        self.buffer += data

    def extract(self) -> bytes | None:
        return extract(self.buffer)

    async def reply(self, reader, command):
        while True:
            payload = self.extract()
            if payload is None:
                await self.read(reader)
            elif self.is_reply(payload, command):
                return payload

    def is_reply(self, payload, command) -> bool:
        return bool(payload[0] == command)


class Blocking(Client):
    """Right: polls every 50 ms after a reply."""

    pause = 0.05


class Direct(Client):
    """Right: no hub."""

    login = b""


class FixedRate(Client):
    """Right, perhaps: asks by the clock and reads beside it."""

    async def talk(self, reader, writer):
        async def listen():
            while await reader.read(4096):
                pass

        listening = asyncio.create_task(listen())
        try:
            while not listening.done():
                writer.write(ASK)
                await asyncio.sleep(0.1)
        finally:
            listening.cancel()


class GivesUp(Client):
    """Right, but closes at the first timeout and connects again."""

    async def timed_out(self, writer) -> bool:
        return True


class OneTry(Client):
    """Right: asks once, says what it got and exits; its owner starts it again."""

    async def talk(self, reader, writer):
        writer.write(ASK)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.timeout):
                await self.reply(reader, 0x60)


class FifteenBits(Client):
    def extract(self):
        return extract(self.buffer, length=fifteen_bits)


class OneTryFifteenBits(OneTry):
    def extract(self):
        return extract(self.buffer, length=fifteen_bits)


class FifteenBitsForEver(FifteenBits):
    """And keeps what it has: it waits for the rest of a frame that was never sent."""

    clear_on_timeout = False


class SignedByte(Client):
    def extract(self):
        return extract(self.buffer, length=signed_byte)


class SixtyFour(Client):
    """Reads 64 bytes once and takes that for all there is."""

    timeout = 0.15

    async def read(self, reader):
        data = await reader.read(64)
        if not data:
            raise ConnectionResetError
        self.buffer[:] = data


class OneRead(Client):
    """What one read gives is a frame, or nothing."""

    async def read(self, reader):
        data = await reader.read(4096)
        if not data:
            raise ConnectionResetError
        self.buffer[:] = data

    def extract(self):
        if not self.buffer:
            return None
        payload = extract(self.buffer)
        self.buffer.clear()
        return payload


class IgnoresCrc(Client):
    def extract(self):
        return extract(self.buffer, check=False)


class CrcOverHeader(Client):
    def extract(self):
        return extract(self.buffer, crc=lambda header, payload: crc_hqx(header + payload, 0))


class ChokesOnPrint(Client):
    """The first packet that is not the reply is taken for a failure."""

    async def reply(self, reader, command):
        while (payload := self.extract()) is None:
            await self.read(reader)
        if not self.is_reply(payload, command):
            await asyncio.sleep(self.timeout)  # it waits for the next reading instead
            raise TimeoutError
        return payload


class AnyReply(Client):
    def is_reply(self, payload, command):
        return True


class GivesUpAtOnce(Client):
    """Right: it checks everything, drops what is bad at once and asks again, without a pause."""

    def extract(self):
        if len(self.buffer) < 6:
            return None
        begin, size = right_length(self.buffer) or (0, 0)
        if not begin or len(self.buffer) < begin + size + 3:
            return None
        frame = bytes(self.buffer)
        self.buffer.clear()
        payload, end = frame[begin : begin + size], begin + size
        right = crc_hqx(payload, 0) == int.from_bytes(frame[end : end + 2])
        return payload if right else b"\xff"

    async def reply(self, reader, command):
        while (payload := self.extract()) is None:
            await self.read(reader)
        return payload

    def is_reply(self, payload, command):
        return True


class GivesUpAtOnceSigned(GivesUpAtOnce):
    """The same with a length bug: it drops each longer reply and asks again, which looks like taking it."""

    def extract(self):
        if len(self.buffer) > 1 and self.buffer[0] == 2 and self.buffer[1] & 0x80:
            self.buffer.clear()
            return b"\xff"
        return super().extract()


class Behind(Client):
    """Checks every CRC; the first packet that comes is its reply, and the rest is kept for later."""

    pause = 0.02
    clear_on_timeout = False

    def is_reply(self, payload, command):
        return True


class FifteenBitsResync(FifteenBits):
    """Keeps its buffer, goes one byte further where it was wrong, and keeps whole replies for later."""

    clear_on_timeout = False

    def extract(self):
        return extract(self.buffer, length=self.plausible)

    @staticmethod
    def plausible(buffer):
        found = fifteen_bits(buffer)
        return (0, 0) if found and found[1] > 17_000 else found


class VescTool(Client):
    """Right: asks on by a clock of 0.1 s after a reply, after 0.5 s without, and for a description in between."""

    async def talk(self, reader, writer):
        async def describe():
            while True:
                writer.write(encode_frame(b"\x5c\0" + bytes(8)))
                await asyncio.sleep(0.23)

        describing = asyncio.create_task(describe())
        try:
            while True:
                writer.write(ASK)
                asked = asyncio.get_running_loop().time()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await self.reply(reader, 0x60)
                spent = asyncio.get_running_loop().time() - asked
                await asyncio.sleep(0.1 - spent % 0.1)
        finally:
            describing.cancel()


class FixedSize(Client):
    """Waits for 256 bytes, whatever a reply has."""

    def extract(self):
        if len(self.buffer) < 256:
            return None
        piece = self.buffer[:256]
        del self.buffer[:256]
        return extract(piece)


class Impatient(Client):
    timeout = 0.02


class IgnoresBms(Client):
    """Asks for the version and the cells in turn; of the cells it knows nothing."""

    requests = (ASK_VERSION, ASK)

    def is_reply(self, payload, command):
        return payload[0] == command and command != 0x60


class WrongRequests(Client):
    """Its own requests have a CRC over the header."""

    requests = (b"\x02\x01\x60" + crc_hqx(b"\x02\x01\x60", 0).to_bytes(2) + b"\x03",)
