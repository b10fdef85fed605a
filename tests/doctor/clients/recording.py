"""Recordings of these clients, made as a user makes them: through a tap, of a simulated VESC at a hub."""

import asyncio
import contextlib
import json
import random
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from packwire.capture.recorder import Recorder
from packwire.errors import PackwireError
from packwire.sim.hub import SimulatedHub
from packwire.sim.server import SimOptions, SimulatedVesc
from packwire.tap.ends import TcpUpstream
from packwire.tap.server import Tap
from packwire.vesc.framing import Framer, encode_frame
from tests.shared_data import ROOT

LOOPBACK = "127.0.0.1"
LOGIN = "TESTPACK:secret42"
XML = 92
_DESCRIPTION = bytes(range(256)) * 13


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a client is recorded: the device's faults and cells, and the network before it.

    `latency` are the least and the most seconds that a reply is held, `lost` is the share of replies that
    never come, `described`: GET_CUSTOM_CONFIG_XML is answered.
    """

    name: str
    hello: str = "00"
    poll: str = "60,225404"
    pause: float = 0.1
    timeout: float = 0.6
    seconds: float = 6.0
    faults: tuple[str, ...] = ()
    cells: int = 20
    latency: tuple[float, float] = (0.0, 0.0)
    lost: float = 0.0
    described: bool = False
    seed: int = 1


@dataclass(slots=True)
class Recorded:
    """A recording, and what the client itself says: how many it asked, took, and gave up.

    `taken_later` are those that it took behind the first that it gave up, `refused` those that it read and a
    right client would have taken.
    """

    path: Path
    asked: int = 0
    taken: int = 0
    taken_later: int = 0
    timeouts: int = 0
    refused: int = 0
    log: list[str] = field(default_factory=list)


class _Watcher:
    def opened(self, number: int, client: str) -> None: ...
    def passed(self, number: int, side: int, data: bytes, at: int) -> None: ...
    def failed(self, number: int, error: PackwireError) -> None: ...
    def closed(self, number: int, side: int | None, how: str) -> None: ...
    def tick(self, now: int) -> None: ...


class _Network:
    """Stands before the hub: holds replies, loses some, and answers for the description of a configuration."""

    def __init__(self, setting: Setting, hub: int) -> None:
        self._setting = setting
        self._hub = hub
        self._random = random.Random(setting.seed)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._hub)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._up(reader, far_writer, writer))
                group.create_task(self._down(far_reader, writer))
        except* OSError:
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            far_writer.close()

    async def _up(
        self, reader: asyncio.StreamReader, far: asyncio.StreamWriter, near: asyncio.StreamWriter
    ) -> None:
        framer = Framer()
        while data := await reader.read(65536):
            asked = [frame.payload for frame in framer.feed(data)] if self._setting.described else []
            described = [request for request in asked if request[0] == XML and len(request) >= 10]
            for request in described:
                await self._held(near, encode_frame(_described(request)))
            if len(asked) != len(described) or not described:
                far.write(data)
        far.close()

    async def _down(self, far: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        while data := await far.read(65536):
            if self._random.random() >= self._setting.lost:
                await self._held(near, data)
        near.close()

    async def _held(self, near: asyncio.StreamWriter, data: bytes) -> None:
        least, most = self._setting.latency
        if most:
            await asyncio.sleep(self._random.uniform(least, most))
        near.write(data)


def _described(request: bytes) -> bytes:
    size, offset = int.from_bytes(request[2:6]), int.from_bytes(request[6:10])
    piece = _DESCRIPTION[offset : offset + size]
    return request[:2] + len(_DESCRIPTION).to_bytes(4) + offset.to_bytes(4) + piece


@contextlib.asynccontextmanager
async def _place(setting: Setting) -> AsyncIterator[int]:
    """Yield the port at which clients find the hub."""
    async with SimulatedHub() as hub:
        options = SimOptions(
            port=None,
            hub=(LOOPBACK, hub.port),
            hub_id=LOGIN.partition(":")[0],
            hub_password=LOGIN.partition(":")[2],
            scenario="ride",
            cells=setting.cells,
            faults=setting.faults,
            seed=setting.seed,
            can_delay=0.006,
        )
        async with SimulatedVesc(options):
            await hub.device_connected("TESTPACK")
            async with _Network(setting, hub.port) as network:
                yield network.port


async def record(
    path: Path, architecture: str, bug: str, setting: Setting, script: Path | None = None
) -> Recorded:
    """Run a client against a simulated VESC through a tap; return its recording and what it says."""
    with path.open("wb", buffering=0) as file:
        recorder = Recorder(file)
        async with (
            _place(setting) as port,
            Tap(TcpUpstream(LOOPBACK, port), _Watcher(), recorder=recorder) as tap,
        ):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.doctor.clients", architecture, bug, LOOPBACK, str(tap.port)),
                *("--login", LOGIN, "--hello", setting.hello, "--poll", setting.poll),
                *("--pause", str(setting.pause), "--timeout", str(setting.timeout)),
                *("--seconds", str(setting.seconds)),
                *(("--script", str(script)) if script else ()),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=ROOT,
            )
            try:
                async with asyncio.timeout(setting.seconds + 20):
                    out, err = await process.communicate()
            except TimeoutError:
                process.kill()
                out, err = await process.communicate()
            await asyncio.sleep(0.1)
    lines = err.decode().splitlines()
    wrong = [line for line in lines if "timeout:" not in line]
    if wrong or not out:
        raise AssertionError(f"{architecture} {bug}: {wrong[-3:]}")
    path.with_suffix(".json").write_bytes(out)
    return Recorded(path, **json.loads(out), log=lines)


def recorded(path: Path) -> Recorded:
    """Return a recording that was made before."""
    return Recorded(path, **json.loads(path.with_suffix(".json").read_text()))
