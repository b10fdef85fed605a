"""Clients of packs over TCP, right and wrong, for `doctor --my-client PORT?model=`."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Protocol

from packwire.doctor.client_test.pack import pack
from packwire.doctor.client_test.server import ClientTest
from packwire.doctor.client_test.verdict import ClientReport
from packwire.models.load import model
from packwire.models.protocol import ModelProtocol
from packwire.models.requests import Question
from packwire.protocol.base import Request, RequestKind
from packwire.sim.model import SimulatedModel
from packwire.wire.frame import StreamFramer
from packwire.wire.framing import Framing

#: What names each bug; empty: nothing is wrong.
BUGS: dict[str, tuple[str, ...]] = {
    "none": (),
    "pieces-not-joined": ("one-read",),
    "rest-dropped": ("joined",),
    "checksum-ignored": ("crc-ignored",),
    "any-message": ("any-reply",),
    "junk-chokes": ("junk-chokes",),
    "damage-chokes": ("damage-chokes",),
    "impatient": ("impatient",),
    "wrong-checksum": ("requests-broken",),
    "other-family": ("wrong-type-configured",),
}
#: How clients go about it: seconds to pause behind a reply, and whether they connect anew each round.
STYLES: dict[str, tuple[float, bool]] = {
    "at-once": (0.0, False),
    "pausing": (0.1, False),
    "reconnecting": (0.02, True),
}
TIMEOUT, SHORT = 0.35, 0.03
#: These find frames as packwire does; the others in a way of their own, of which one thing is wrong.
_OWN_FRAMER = ("none", "any-message", "impatient", "wrong-checksum", "other-family")


class Reader(Protocol):
    """Where a client's bytes come from; none are its end."""

    async def read(self, most: int, /) -> bytes:
        """Return what came."""


@dataclass
class PackClient:
    """One client: asks all that a reading asks, in turn."""

    protocol: ModelProtocol
    bug: str = "none"
    style: str = "at-once"
    buffer: bytes = b""
    _given_up: bool = False
    """Whether it heeds nothing more until its next request."""
    _framer: StreamFramer | None = None

    async def run(self, port: int) -> None:
        """Ask until the connection ends; connect again, as its user would start it again."""
        while True:
            with contextlib.suppress(OSError, EOFError):
                await self._connection(port)
            await asyncio.sleep(0.05)

    async def _connection(self, port: int) -> None:
        pause, anew = STYLES[self.style]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        self.buffer, self._framer = b"", self.protocol.framer()
        try:
            while True:
                for question in asked(self.protocol):
                    writer.write(self._request(question))
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(SHORT if self.bug == "impatient" else TIMEOUT):
                            await self._replies(reader, question)
                    await asyncio.sleep(pause)
                if anew:
                    return
        finally:
            writer.close()

    def _request(self, question: Question) -> bytes:
        frame = question.payload
        if self.bug == "other-family":
            other = model("daly" if self.protocol.family.name != "Daly" else "jbd")
            return asked(other)[0].payload
        if self.bug == "wrong-checksum":
            framing = self.protocol.framing_of(frame)
            assert framing is not None
            assert framing.check is not None
            right = framing.check.stored(frame)
            at = frame.rindex(right)
            return frame[:at] + bytes(byte ^ 0x11 for byte in right) + frame[at + len(right) :]
        return frame

    async def _replies(self, reader: Reader, question: Question) -> None:
        """Wait for all that answers."""
        missing, self._given_up = set(question.replies), False
        while missing:
            data = await reader.read(4096)
            if not data:
                raise EOFError
            for frame in self._frames(data):
                reply = self.protocol.reply_of(frame)
                right = reply is not None and self.protocol.answers(Request(question.payload), frame)
                if self.bug == "any-message":
                    return
                if right and reply is not None:
                    missing.discard(reply.name)

    def _frames(self, data: bytes) -> list[bytes]:
        """Find whole frames in what came."""
        if self._given_up:
            return []
        if self.bug in _OWN_FRAMER:
            assert self._framer is not None
            return [each.payload for each in (*self._framer.feed(data), *self._framer.rescue())]
        self.buffer = data if self.bug == "pieces-not-joined" else self.buffer + data
        found: list[bytes] = []
        while self.buffer:
            taken = self._first(self.buffer)
            if taken is None:
                return found
            frame, used = taken
            self.buffer = self.buffer[used:]
            if frame:
                found.append(frame)
                if self.bug == "rest-dropped":
                    self.buffer = b""
        return found

    def _first(self, data: bytes) -> tuple[bytes, int] | None:
        """Return the first frame and how many bytes it took; None: more has to come."""
        for at in range(len(data)):
            for framing in self.protocol.framings:
                if not framing.start or not data[at:].startswith(framing.start):
                    if framing.start.startswith(data[at:]):
                        return None
                    continue
                whole = self._whole(framing, data[at:])
                if whole is None:
                    return None
                frame, right = whole
                if right or self.bug == "checksum-ignored":
                    return frame, at + len(frame)
                if self.bug == "damage-chokes":
                    self._given_up = True
                    return b"", len(data)
            if self.bug == "junk-chokes":
                return b"", len(data)
        return b"", len(data)

    @staticmethod
    def _whole(framing: Framing, data: bytes) -> tuple[bytes, bool] | None:
        """Return the frame that bytes begin with, and whether it is right; None: more has to come."""
        if len(data) < framing.needs:
            return None
        size = next(framing.sizes_of(data[: framing.needs]), 1)
        frame = data[:size]
        return None if len(frame) < size else (frame, framing.form_of(frame) is not None)


def asked(protocol: ModelProtocol) -> list[Question]:
    """Return what a reading asks again and again."""
    return [
        each
        for each in protocol.questions
        if each.kind is RequestKind.READS
        and each.payload
        and each.replies
        and not each.optional
        and not each.once
    ]


async def examined(name: str, bug: str, style: str = "at-once", within: float = 60.0) -> ClientReport:
    """Let a client of a pack be examined until it is decided or the time is over."""
    protocol = model(name)
    device = SimulatedModel(protocol).device
    async with ClientTest(lambda _: None, pack(protocol, device.answers), patience=4.0) as test:
        client = asyncio.create_task(PackClient(protocol, bug, style).run(test.port))
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await test.run()
            return test.verdict
        finally:
            client.cancel()
            await asyncio.gather(client, return_exceptions=True)
