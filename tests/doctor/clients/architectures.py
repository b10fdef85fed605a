"""The ways in which a client can be built. Each runs a plan, and ends when the plan does."""

import asyncio
import contextlib
import os
import queue
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator

from tests.doctor.clients.line import Line, Plan
from tests.doctor.clients.receiving import Receiver
from tests.doctor.clients.vesc_tool import vesc_tool


def _requests(plan: Plan) -> Iterator[bytes]:
    """Yield what is asked, until the plan is done."""
    for payload in plan.hello:
        if plan.goes_on:
            yield payload
    while plan.goes_on:
        for payload in plan.poll:
            if plan.goes_on:
                yield payload


def blocking(plan: Plan, *, size: int = 4096, any_reply: bool = False) -> None:
    """Ask, wait for the reply, pause, ask again."""
    with Line(plan) as line:
        for payload in _requests(plan):
            line.send(payload)
            line.reply(payload, size, any_reply=any_reply)
            time.sleep(plan.pause)


def at_once(plan: Plan) -> None:
    """Ask again as soon as the reply is there."""
    plan.pause = 0.0
    blocking(plan)


def resync(plan: Plan) -> None:
    """Read one byte at a time."""
    blocking(plan, size=1)


def behind(plan: Plan) -> None:
    """Take whatever comes first for the reply, and the rest for the next ones."""
    blocking(plan, any_reply=True)


def hasty(plan: Plan) -> None:
    """Go on with another request at once when a reply is there, and pause a round."""
    pause, plan.pause = plan.pause, 0.0
    with Line(plan) as line:
        for payload in plan.hello:
            line.send(payload)
            line.reply(payload)
        while plan.goes_on:
            for payload in plan.poll:
                line.send(payload)
                line.reply(payload)
            time.sleep(pause)


def backing_off(plan: Plan) -> None:
    """Wait longer after each timeout."""
    with Line(plan) as line:
        misses = 0
        for payload in _requests(plan):
            line.send(payload)
            misses = 0 if line.reply(payload) else misses + 1
            time.sleep(plan.pause * 2 ** min(misses, 4))


def reconnecting(plan: Plan) -> None:
    """Make a connection for each round."""
    while plan.goes_on:
        with Line(plan) as line:
            for payload in (*plan.hello, *plan.poll):
                line.send(payload)
                line.reply(payload)
        time.sleep(plan.pause)


def gives_up(plan: Plan) -> None:
    """Close at a timeout and connect again."""
    while plan.goes_on:
        with Line(plan) as line:
            for payload in _requests(plan):
                line.send(payload)
                if line.reply(payload) is None:
                    break
                time.sleep(plan.pause)
        time.sleep(0.2)


def pipelining(plan: Plan) -> None:
    """Send all requests of a round at once, then wait for all replies."""
    with Line(plan) as line:
        for payload in plan.hello:
            line.send(payload)
            line.reply(payload)
        while plan.goes_on:
            for payload in plan.poll:
                line.send(payload)
            until = time.monotonic() + plan.patience
            missing = [plan.wanted(payload) for payload in plan.poll]
            while missing and (left := until - time.monotonic()) > 0:
                for found in line.read(left):
                    if found[0] in missing:
                        missing.remove(found[0])
                        plan.took()
            if missing:
                line.receiver.timed_out()
                plan.gave_up(bytes(missing))
            time.sleep(plan.pause)


def fixed_pace(plan: Plan) -> None:
    """Ask by the clock, and read beside it."""
    with Line(plan) as line:
        reading = threading.Thread(target=_take_all, args=(line, plan), daemon=True)
        reading.start()
        due = time.monotonic()
        for payload in _requests(plan):
            line.send(payload)
            due += max(plan.pause, 0.05)
            time.sleep(max(due - time.monotonic(), 0))


def _take_all(line: Line, plan: Plan) -> None:
    with contextlib.suppress(OSError):
        while True:
            for _ in line.read(1.0):
                plan.took()


def threads(plan: Plan) -> None:
    """Read in one thread, ask in another."""
    with Line(plan) as line:
        replies: queue.Queue[bytes] = queue.Queue()
        reading = threading.Thread(target=_put_all, args=(line, replies), daemon=True)
        reading.start()
        for payload in _requests(plan):
            line.send(payload)
            until = time.monotonic() + plan.patience
            try:
                while replies.get(timeout=max(until - time.monotonic(), 0.001))[0] != plan.wanted(payload):
                    pass
                plan.took()
            except queue.Empty:
                line.receiver.timed_out()
                plan.gave_up(payload)
            if not reading.is_alive():
                return
            time.sleep(plan.pause)


def _put_all(line: Line, replies: "queue.Queue[bytes]") -> None:
    with contextlib.suppress(OSError):
        while True:
            for payload in line.read(1.0):
                replies.put(payload)


def select_loop(plan: Plan) -> None:
    """Read and write without blocking, in one loop with timers."""
    with Line(plan) as line, selectors.DefaultSelector() as selector:
        line.socket.setblocking(False)
        selector.register(line.socket, selectors.EVENT_READ)
        receiver, deaf = line.receiver, plan.habits.rules.deaf
        for payload in _requests(plan):
            line.socket.sendall(plan.frame(payload))
            until = time.monotonic() + plan.patience
            taken = False
            while not taken and (left := until - time.monotonic()) > 0:
                if deaf:
                    time.sleep(left)
                elif selector.select(left):
                    data = line.socket.recv(4096)
                    if not data:
                        return
                    taken = any(found[0] == plan.wanted(payload) for found in receiver.feed(data))
            if taken:
                plan.took()
            else:
                receiver.timed_out()
                plan.gave_up(payload)
            time.sleep(plan.pause)


def with_asyncio(plan: Plan) -> None:
    """Ask and wait in coroutines."""
    asyncio.run(_talk(plan))


async def _talk(plan: Plan) -> None:
    reader, writer = await asyncio.open_connection(plan.host, plan.port)
    receiver = plan.receiver()
    try:
        if plan.greeting():
            writer.write(plan.greeting())
            await asyncio.sleep(plan.settle)
        for payload in _requests(plan):
            writer.write(plan.frame(payload))
            try:
                async with asyncio.timeout(plan.patience):
                    await _reply(plan, reader, receiver, payload)
                plan.took()
            except TimeoutError:
                receiver.timed_out()
                plan.gave_up(payload)
            await asyncio.sleep(plan.pause)
    finally:
        writer.close()


async def _reply(plan: Plan, reader: asyncio.StreamReader, receiver: Receiver, payload: bytes) -> None:
    if plan.habits.rules.deaf:
        await asyncio.sleep(3600)
    while True:
        data = await reader.read(4096)
        if not data:
            raise ConnectionResetError
        if any(found[0] == plan.wanted(payload) for found in receiver.feed(data)):
            return


#: What the reading process tells of a reply that it did not take; no command has this number.
_REFUSED = 255


def two_processes(plan: Plan) -> None:
    """Read in one process and ask in another; commands of replies go through a pipe."""
    with Line(plan) as line:
        heard, tell = os.pipe()
        child = os.fork()
        if not child:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.close(heard)
            _tell_all(line, tell)
            os._exit(0)
        os.close(tell)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(heard, selectors.EVENT_READ)
                for payload in _requests(plan):
                    line.send(payload)
                    if not _told(plan, selector, heard, payload):
                        plan.gave_up(payload)
                    time.sleep(plan.pause)
        finally:
            os.close(heard)
            with contextlib.suppress(OSError):
                line.socket.shutdown(socket.SHUT_RDWR)
            os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)


def _tell_all(line: Line, tell: int) -> None:
    last = time.monotonic()
    with contextlib.suppress(OSError):
        while True:
            before = line.receiver.refused
            found = line.read(0.25)
            refused = max(line.receiver.refused - before, 0)
            if found or refused:
                os.write(tell, bytes(payload[0] for payload in found) + bytes((_REFUSED,)) * refused)
            if found:
                last = time.monotonic()
            elif time.monotonic() - last > line.plan.patience:
                line.receiver.timed_out()


def _told(plan: Plan, selector: selectors.BaseSelector, heard: int, payload: bytes) -> bool:
    until = time.monotonic() + plan.patience
    while (left := until - time.monotonic()) > 0:
        if selector.select(left):
            commands = os.read(heard, 4096)
            if not commands:
                raise ConnectionResetError
            plan.refused += commands.count(_REFUSED)
            if plan.wanted(payload) in commands:
                plan.took()
                return True
    return False


def by_script(plan: Plan) -> None:
    """Send what the script says, when it says so, and read nothing."""
    with Line(plan) as line:
        for payload, pause in plan.script:
            line.send(payload)
            time.sleep(pause)


ARCHITECTURES: dict[str, Callable[[Plan], None]] = {
    "blocking": blocking,
    "at-once": at_once,
    "hasty": hasty,
    "threads": threads,
    "asyncio": with_asyncio,
    "select": select_loop,
    "resync": resync,
    "behind": behind,
    "fixed-pace": fixed_pace,
    "pipelining": pipelining,
    "reconnecting": reconnecting,
    "gives-up": gives_up,
    "backing-off": backing_off,
    "two-processes": two_processes,
    "vesc-tool": vesc_tool,
}
