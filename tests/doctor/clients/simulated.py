"""The client programs on a simulated clock: an examination of minutes takes a fraction of a second.

Each client runs in threads of its own that hand over at every sleep and read; the clock moves on to what comes
next when all of them wait. A busy computer is simulated too: it wakes a client late, by chance.

    python -m tests.doctor.clients.simulated [--seeds N] [--architecture NAME ..] [--bug NAME ..]
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import queue
import random
import selectors
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, override
from unittest.mock import patch

from packwire.doctor.client_test.reactions import ClientObservation
from packwire.doctor.client_test.server import ClientTest
from packwire.doctor.client_test.session import ClientConnection
from packwire.doctor.vesc.client_test.played import VESC
from tests.doctor.clients import architectures, habits, line, vesc_tool
from tests.doctor.clients.__main__ import EVERY
from tests.doctor.clients.bench_client_test import Case, everything, table
from tests.doctor.clients.bugs import BUGS
from tests.doctor.clients.line import Plan

#: These wait in ways that are not simulated: in a selector of their own, or in another process.
OF_REAL_TIME = frozenset({"asyncio", "select", "two-processes"})
#: How late a computer wakes a client, in s: usually, and at most where it is busy.
_USUAL, _BUSY = 0.001, 0.12
#: A program that ended is started again after so many seconds, and needs so many to begin.
_RESTART, _START = 0.2, 0.3


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for threads that run; where none does, lets the time pass."""

    world: "World"

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.world.running:
            return super().select(None)
        if timeout is None:
            raise RuntimeError("all wait, and nothing will come")
        self.world.now += timeout
        return []


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, world: "World") -> None:
        selector = _JumpingSelector()
        selector.world = self.world = world
        super().__init__(selector)

    @override
    def time(self) -> float:
        return self.world.now


@dataclass
class World:
    """One clock, one server, one program at a time. `busy` is how often a client is woken late."""

    seed: int = 0
    busy: float = 0.0
    now: float = 1000.0
    running: int = 0
    """How many of the client's threads run; changed in the loop only."""
    errors: list[Exception] = field(default_factory=list)
    loop: _Loop = field(init=False)
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.loop = _Loop(self)
        self.loop.set_exception_handler(self._failed)

    def _failed(self, _: object, context: dict[str, Any]) -> None:
        self.errors.append(context.get("exception") or RuntimeError(context["message"]))

    def late(self) -> float:
        """Return by how much a client is woken late, in s."""
        late = self.chance.expovariate(1 / _USUAL)
        return late + (self.chance.uniform(0.0, _BUSY) if self.chance.random() < self.busy else 0.0)

    def call(self, what: Callable[..., object], *given: object) -> None:
        """Do something in the loop."""
        self.loop.call_soon_threadsafe(what, *given)

    def add(self, number: int) -> None:
        """Count the threads that run."""
        self.running += number


_here = threading.local()


class Ended(SystemExit):
    """The program is over: so are its threads."""


@dataclass
class Program:
    """A client that runs: its threads, and its sockets, which end with it."""

    world: World
    test: ClientTest
    sockets: list["Socket"] = field(default_factory=list)
    waiting: list[Callable[[], None]] = field(default_factory=list)
    over: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def wait(self, seconds: float | None, box: "Box | None" = None) -> None:
        """Let a thread wait for some time, or until something is in the box."""
        event, world = threading.Event(), self.world

        def wake() -> None:
            if wake in self.waiting:
                self.waiting.remove(wake)
                world.add(1)
                event.set()

        def park() -> None:
            world.add(-1)
            self.waiting.append(wake)
            if self.over:
                wake()
            elif box is not None and box.full:
                world.loop.call_later(world.late(), wake)
            else:
                if box is not None:
                    box.waiting = wake
                if seconds is not None:
                    world.loop.call_later(max(seconds, 0.0) + world.late(), wake)

        world.call(park)
        event.wait()
        if self.over:
            raise Ended

    def run(self, what: Callable[..., object], *given: Any) -> None:
        """Run something in a thread of the program."""

        def body() -> None:
            _here.program = self
            with contextlib.suppress(OSError, Ended):
                what(*given)
            self.world.call(self.world.add, -1)

        self.world.call(self.world.add, 1)
        threading.Thread(target=body, daemon=True).start()

    def end(self) -> None:
        """End it: in the loop."""
        self.over = True
        for each in self.sockets:
            each.transport.peer_closed()
        for wake in list(self.waiting):
            wake()
        self.ended.set()


class Box:
    """Something that a thread can wait for."""

    waiting: Callable[[], None] | None = None

    @property
    def full(self) -> bool:
        """Tell whether there is something."""
        raise NotImplementedError

    def filled(self, world: World) -> None:
        """Wake who waits: in the loop."""
        if self.waiting:
            world.loop.call_later(world.late(), self.waiting)
            self.waiting = None


class Socket(Box):
    """The client's end."""

    def __init__(self, program: Program) -> None:
        self.program, self.data, self.over = program, bytearray(), False
        self.timeout: float | None = None
        self.transport = _Transport(self)
        program.sockets.append(self)
        program.world.call(self.transport.connect)

    @property
    @override
    def full(self) -> bool:
        return bool(self.data) or self.over

    def setsockopt(self, *_: object) -> None:
        """Do nothing."""

    def settimeout(self, seconds: float | None) -> None:
        """Set how long a read waits."""
        self.timeout = seconds

    def sendall(self, data: bytes) -> None:
        """Send."""
        if self.over:
            raise ConnectionResetError
        self.program.world.call(self.transport.deliver, data)

    def recv(self, size: int) -> bytes:
        """Read."""
        if not self.data:
            self.program.wait(self.timeout, self)
        if not self.data and not self.over:
            raise TimeoutError
        data = bytes(self.data[:size])
        del self.data[:size]
        return data

    def close(self) -> None:
        """Close."""
        self.program.world.call(self.transport.peer_closed)


class _Transport(asyncio.Transport):
    """The server's end."""

    def __init__(self, peer: Socket) -> None:
        super().__init__()
        self.peer = peer
        self.protocol: ClientConnection | None = None

    def connect(self) -> None:
        self.protocol = ClientConnection(self.peer.program.test)
        self.protocol.connection_made(self)

    def deliver(self, data: bytes) -> None:
        if self.protocol:
            self.protocol.data_received(data)

    def peer_closed(self) -> None:
        protocol, self.protocol = self.protocol, None
        if protocol:
            protocol.connection_lost(None)

    @override
    def write(self, data: Any) -> None:
        if self.protocol:
            self.peer.data += data
            self.peer.filled(self.peer.program.world)

    @override
    def abort(self) -> None:
        self.peer.over = True
        self.peer.filled(self.peer.program.world)
        self.peer.program.world.loop.call_soon(self.peer_closed)

    @override
    def close(self) -> None:
        self.abort()


class _Queue(Box):
    def __init__(self) -> None:
        self.items: list[bytes] = []

    @property
    @override
    def full(self) -> bool:
        return bool(self.items)

    def put(self, item: bytes) -> None:
        self.items.append(item)
        program = _here.program
        program.world.call(self.filled, program.world)

    def get(self, timeout: float) -> bytes:
        if not self.items:
            _here.program.wait(timeout, self)
        if not self.items:
            raise queue.Empty
        return self.items.pop(0)


class _Time:
    """What the clients know as `time`."""

    time = staticmethod(time.time)

    @staticmethod
    def monotonic() -> float:
        return _here.program.world.now if hasattr(_here, "program") else time.monotonic()

    @staticmethod
    def sleep(seconds: float) -> None:
        _here.program.wait(seconds)


class _Sockets:
    IPPROTO_TCP, TCP_NODELAY = socket.IPPROTO_TCP, socket.TCP_NODELAY

    @staticmethod
    def create_connection(*_: object) -> Socket:
        return Socket(_here.program)


class _Thread:
    def __init__(self, *, target: Callable[..., object], args: tuple[object, ...], daemon: bool) -> None:
        assert daemon
        self.target, self.args, self.program = target, args, _here.program

    def start(self) -> None:
        self.program.run(self.target, *self.args)

    def is_alive(self) -> bool:
        return not any(each.over for each in self.program.sockets)


class _Threading:
    Thread = _Thread


class _Queues:
    Queue = _Queue
    Empty = queue.Empty


@contextlib.contextmanager
def _simulated() -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for module in (architectures, habits, line, vesc_tool):
            for name, fake in (
                ("time", _Time),
                ("socket", _Sockets),
                ("threading", _Threading),
                ("queue", _Queues),
            ):
                if hasattr(module, name):
                    stack.enter_context(patch.object(module, name, fake))
        stack.enter_context(patch.object(Plan, "gave_up", _gave_up))
        yield


def _gave_up(plan: Plan, _: bytes) -> None:
    plan.timeouts += 1


def examine(
    architecture: str,
    bug: str,
    *,
    seed: int = 0,
    busy: float = 0.0,
    within: float = 360.0,
    watch: Callable[[ClientObservation, bool | None], None] | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Case:
    """Examine a client of this kind, on a simulated clock."""
    world = World(seed, busy)

    async def run() -> Case:
        test = ClientTest(told, VESC, patience=6.0, watch=watch)
        program = Program(world, test)

        def main() -> None:
            plan = Plan(
                "", 0, BUGS[bug], "TESTPACK:secret42", timeout=0.6, seconds=600.0, seed=seed, began=world.now
            )
            try:
                EVERY[architecture](plan)
            finally:
                world.call(_here.program.end)

        async def again_and_again() -> None:
            nonlocal program
            while True:
                await asyncio.sleep(_START)
                program = Program(world, test)
                program.run(main)
                await program.ended.wait()
                await asyncio.sleep(_RESTART)

        running = asyncio.create_task(again_and_again())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await test.run()
        case = Case(architecture, bug, "60", test.verdict)
        running.cancel()
        await test.__aexit__()
        program.end()
        while world.running:
            await asyncio.sleep(0.01)
        return case

    with _simulated():
        try:
            case = world.loop.run_until_complete(run())
            if world.errors:
                raise ExceptionGroup(f"in an examination of {architecture}, {bug}", world.errors)
            return case
        finally:
            world.loop.close()


def _one(given: tuple[str, str, int, float]) -> tuple[Case, int]:
    architecture, bug, seed, busy = given
    return examine(architecture, bug, seed=seed, busy=busy), seed


def main() -> None:
    """Run all of them with many seeds."""
    known = [each for each in EVERY if each not in OF_REAL_TIME]
    parser = argparse.ArgumentParser(prog="python -m tests.doctor.clients.simulated", description=__doc__)
    parser.add_argument("--architecture", nargs="*", choices=known, default=known)
    parser.add_argument("--bug", nargs="*", choices=BUGS, default=list(BUGS))
    parser.add_argument("--seeds", type=int, default=1, metavar="N")
    parser.add_argument("--busy", type=float, default=0.0, help="how often a client is woken late, 0 to 1")
    parser.add_argument("--verbose", action="store_true", help="say each outcome that is not as it should be")
    given = parser.parse_args()
    chosen = [
        (*each, seed, given.busy)
        for seed in range(given.seeds)
        for each in everything(given.architecture, given.bug)
    ]
    cases: list[Case] = []
    said: Counter[str] = Counter()
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for case, _ in pool.imap_unordered(_one, chosen):
            cases.append(case)
            if case.outcome not in {"healthy", "named", "beside"} or case.false_certain:
                keys = ", ".join(f"{each.key} ({each.confidence})" for each in case.verdict.findings)
                said[f"{case.outcome:<10} {case.architecture:<14} {case.bug:<22} {keys}"] += 1
    if given.verbose:
        for words, count in sorted(said.items()):
            sys.stdout.write(f"{count:>4} {words}\n")
    sys.stdout.write(table(cases) + "\n")


if __name__ == "__main__":
    main()
