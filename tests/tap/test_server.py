"""The tap: a wire that changes nothing, and a recording of all that passed."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from packwire.address import Address
from packwire.capture import open_capture
from packwire.capture.recorder import Recorder
from packwire.capture.redact.contents import masked_stream
from packwire.errors import UnreachableError
from packwire.sim.server import SimOptions, SimulatedVesc
from packwire.tap.ends import SerialUpstream, TcpUpstream
from packwire.tap.server import AT_ONCE, Tap
from packwire.vesc.framing import encode_frame
from tests.share.replay import End, RecordedEnd, every_session, replay
from tests.shared_data import needs_tshark
from tests.sim.raw import eventually

LOOPBACK = "127.0.0.1"


class Watching:
    """A watcher that remembers; `event` is set whenever something was seen."""

    def __init__(self):
        self.seen = []
        self.bytes = [0, 0]
        self.changed = asyncio.Event()

    def _see(self, *what):
        self.seen.append(what)
        self.changed.set()

    def opened(self, number, client):
        self._see("opened", number)

    def passed(self, number, side, data, at):
        self.bytes[side] += len(data)
        self.changed.set()

    def failed(self, number, error):
        self._see("failed", number, str(error))

    def closed(self, number, side, how):
        self._see("closed", number, side)

    def tick(self, now):
        pass

    async def until(self, condition):
        async with asyncio.timeout(90):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@contextlib.asynccontextmanager
async def tapped(port, *, recorder=None, watcher=None):
    async with Tap(TcpUpstream(LOOPBACK, port), watcher or Watching(), recorder=recorder) as tap:
        yield tap


def streams(path: Path) -> list[tuple[bytes, bytes]]:
    found = [each.streams for each in open_capture(path).connections]
    return [(first.joined(), second.joined()) for first, second in found]


@every_session
@pytest.mark.parametrize("keep_secrets", [True, False], ids=["in clear", "masked"])
async def test_every_recorded_session_passes_unchanged_and_is_recorded(session, tmp_path, keep_secrets):
    path = tmp_path / "session.pcapng"
    with path.open("wb", 0) as file:
        recorder = Recorder(file, keep_secrets=keep_secrets)
        async with RecordedEnd() as far, tapped(far.port, recorder=recorder) as tap:
            assert await replay(session, tap.port, far) == session.streams
    assert streams(path) == [session.streams if keep_secrets else masked(session)]


def masked(session):
    """Mask a session with the tool for finished recordings; of a login line the password alone."""
    from collections import Counter

    client, device = session.streams
    line = client[: session.login_size]
    if line:
        role, hub_id, password = line.rstrip(b"\n").split(b":")
        line = b"%b:%b:%b\n" % (role, hub_id, b"*" * len(password))
    rest = masked_stream(client[session.login_size :], Counter(), strict=True)
    return line + rest, masked_stream(device, Counter(), strict=True)


@needs_tshark
@every_session
async def test_tshark_finds_the_same_streams_in_the_recording(session, tmp_path):
    path = tmp_path / "session.pcapng"
    with path.open("wb", 0) as file:
        recorder = Recorder(file, keep_secrets=True)
        async with RecordedEnd() as far, tapped(far.port, recorder=recorder) as tap:
            await replay(session, tap.port, far)
    shown = subprocess.run(
        ["tshark", "-r", path, "-q", "-z", "follow,tcp,raw,0"], capture_output=True, text=True, check=True
    ).stdout
    lines = [line for line in shown.splitlines() if line.strip("\t0123456789abcdef") == "" and line.strip()]
    client = b"".join(bytes.fromhex(line) for line in lines if not line.startswith("\t"))
    device = b"".join(bytes.fromhex(line) for line in lines if line.startswith("\t"))
    first = session.pieces[0].side  # tshark indents whoever did not speak first
    assert (client, device) == (session.streams if first == 0 else session.streams[::-1])


def is_open(end: End) -> bool:
    return end.closed is None


async def test_half_closes_are_passed_on_in_both_directions():
    async with RecordedEnd() as far, tapped(far.port) as tap:
        for near_first in (True, False):
            near = await End.dial(tap.port)
            other = await far.dialled()
            ends = (near, other) if near_first else (other, near)
            ends[0].writer.write_eof()
            await ends[1].until_closed()
            assert ends[1].closed == "end"
            await ends[1].send(b"still here")
            assert await ends[0].until(10) == b"still here"
            assert is_open(ends[0])
            await ends[1].close()
            await ends[0].until_closed()
            assert ends[0].closed == "end"
            await ends[0].close()


@pytest.mark.parametrize("near_first", [True, False], ids=["client", "device"])
async def test_a_reset_is_passed_on(near_first):
    watcher = Watching()
    async with RecordedEnd() as far, tapped(far.port, watcher=watcher) as tap:
        near = await End.dial(tap.port)
        other = await far.dialled()
        breaks, sees = (near, other) if near_first else (other, near)
        await breaks.send(b"x")
        await sees.until(1)
        linger = (1).to_bytes(4, sys.byteorder) + (0).to_bytes(4, sys.byteorder)
        breaks.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        await breaks.close(reset=True)
        await sees.until_closed()
        assert sees.closed == "reset"
        await watcher.until(lambda: watcher.seen[-1] == ("closed", 1, 0 if near_first else 1))
        await sees.close()


async def test_a_slow_side_pauses_the_other_one():
    """A device that is not read from stops the client: the tap takes a bounded amount and loses nothing."""
    sent = asyncio.Event()
    taken = bytearray()
    go_on = asyncio.Event()

    async def slow(reader, writer):
        await go_on.wait()
        while data := await reader.read(1 << 16):
            taken.extend(data)
        writer.close()

    server = await asyncio.start_server(slow, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    watcher = Watching()
    total = 64 << 20
    async with tapped(port, watcher=watcher) as tap:
        _, writer = await asyncio.open_connection(LOOPBACK, tap.port)

        async def send():
            block = os.urandom(1 << 16)
            for _ in range(total >> 16):
                writer.write(block)
                await writer.drain()
            writer.write_eof()
            sent.set()

        task = asyncio.create_task(send())
        await eventually(lambda: tap._relays and not next(iter(tap._relays)).ways[0].is_reading())
        assert watcher.bytes[0] < total // 2
        assert not sent.is_set()
        go_on.set()
        await task
        await watcher.until(lambda: watcher.bytes[0] == total)
        await watcher.until(lambda: any(each[0] == "closed" for each in watcher.seen))
        assert len(taken) == total
        writer.close()
    server.close()
    await server.wait_closed()


async def test_several_clients_are_several_connections(tmp_path):
    path = tmp_path / "session.pcapng"
    with path.open("wb", 0) as file:
        async with RecordedEnd() as far, tapped(far.port, recorder=Recorder(file)) as tap:
            ends = []
            for number in range(5):
                near = await End.dial(tap.port)
                other = await far.dialled()
                ends.append((near, other, encode_frame(b"\x60" + bytes((number,)) * 20)))
            for near, other, frame in ends:
                await near.send(frame)
                await other.until(len(frame))
                await other.send(frame)
                await near.until(len(frame))
            for near, other, frame in ends:
                assert bytes(near.got) == bytes(other.got) == frame
                await near.close()
    assert streams(path) == [(frame, frame) for _, _, frame in ends]


async def test_where_nobody_is_upstream_the_client_is_closed_and_the_reason_told():
    with socket.create_server((LOOPBACK, 0)) as free:
        port = free.getsockname()[1]
    watcher = Watching()
    async with tapped(port, watcher=watcher) as tap:
        near = await End.dial(tap.port)
        await near.until_closed()
        await near.close()
    assert watcher.seen[0] == ("opened", 1)
    assert watcher.seen[1][:2] == ("failed", 1)
    assert f"{LOOPBACK}:{port} refused the connection" in watcher.seen[1][2]


async def test_one_who_floods_takes_turns_with_the_others():
    order = []

    class Order(Watching):
        def passed(self, number, side, data, at):
            order.append((number, side, len(data)))
            super().passed(number, side, data, at)

    watcher = Order()
    async with RecordedEnd() as far, tapped(far.port, watcher=watcher) as tap:
        flooding, quiet = await End.dial(tap.port), await End.dial(tap.port)
        ends = [await far.dialled(), await far.dialled()]
        flood = encode_frame(b"\x00") * 100_000
        sending = asyncio.ensure_future(flooding.send(flood))
        await watcher.until(lambda: watcher.bytes[0] > 20_000)
        await quiet.send(encode_frame(b"\x04"))
        await watcher.until(lambda: any(size == 6 for _, _, size in order))
        assert watcher.bytes[0] < len(flood) // 2  # long before the flood was over
        sending.cancel()
        for end in (flooding, quiet, *ends):
            await end.close()
    assert max(size for _, _, size in order) <= AT_ONCE


async def test_what_passes_does_not_wait_for_what_is_shown():
    shown = []

    class Slow(Watching):
        def passed(self, number, side, data, at):
            if number == 1:
                time.sleep(0.002)  # as a flood of false headers is slow to look at
            shown.append((number, len(data)))
            super().passed(number, side, data, at)

    watcher = Slow()
    async with RecordedEnd() as far, tapped(far.port, watcher=watcher) as tap:
        flooding, quiet = await End.dial(tap.port), await End.dial(tap.port)
        ends = [await far.dialled(), await far.dialled()]
        sending = asyncio.ensure_future(flooding.send(bytes(4_000_000)))
        await watcher.until(lambda: watcher.bytes[0] > 20_000)
        for asked in range(20):
            before = len(shown)
            await quiet.send(b"ask")
            while sum(end.got.count(b"ask") for end in ends) <= asked:
                await asyncio.sleep(0.001)
            assert len(shown) - before < 20  # of the thousand pieces of the flood
        sending.cancel()
        for end in (flooding, quiet, *ends):
            await end.close()


async def test_more_clients_than_there_is_room_for_are_closed_and_told_why():
    watcher = Watching()
    async with RecordedEnd() as far:
        async with Tap(TcpUpstream(LOOPBACK, far.port), watcher, most_clients=2) as tap:
            assert tap.port
            near = [await End.dial(tap.port) for _ in range(2)]
            others = [await far.dialled() for _ in range(2)]
            third = await End.dial(tap.port)
            await third.until_closed()
            assert ("failed", 3, "this tap has 2 clients already") in watcher.seen
            await near[0].close()
            await others[0].close()
            await watcher.until(lambda: any(what[0] == "closed" for what in watcher.seen))
            fourth = await End.dial(tap.port)
            more = await far.dialled()
            await fourth.send(b"x")
            assert await more.until(1) == b"x"
            for end in (near[1], others[1], third, fourth, more):
                await end.close()


async def test_a_port_that_is_taken_is_one_clear_line():
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UnreachableError, match=rf"127\.0\.0\.1:{port} cannot be listened on"):
            async with Tap(TcpUpstream(LOOPBACK, 1), Watching(), port=port):
                pass


@pytest.mark.parametrize("what", ["opened", "passed", "tick", "closed"])
async def test_a_watcher_that_fails_does_not_cut_the_wire(what):
    def fail(*_):
        raise BrokenPipeError

    class Broken(Watching):
        pass

    setattr(Broken, what, fail)
    async with RecordedEnd() as far, tapped(far.port, watcher=Broken()) as tap:
        near = await End.dial(tap.port)
        other = await far.dialled()
        await near.send(b"one")
        assert await other.until(3) == b"one"
        await other.send(b"two")
        assert await near.until(3) == b"two"
        await near.close()
        await other.until_closed()
        await other.close()
        with pytest.raises(BrokenPipeError):
            async with asyncio.timeout(90):
                await tap.over


def serial_address(sim: SimulatedVesc) -> Address:
    assert sim.serial_address is not None
    return sim.serial_address


async def ask_serial(path, request):
    """Ask as a serial client does; return the first bytes of the reply."""
    handle = os.open(path, os.O_RDWR | os.O_NOCTTY)
    loop = asyncio.get_running_loop()
    came: asyncio.Future[bytes] = loop.create_future()

    def take():
        if not came.done():
            came.set_result(os.read(handle, 4096))

    os.set_blocking(handle, False)
    loop.add_reader(handle, take)
    os.write(handle, encode_frame(request))
    async with asyncio.timeout(90):
        data = await came
    loop.remove_reader(handle)
    os.close(handle)
    return data


async def test_a_serial_port_is_tapped_by_a_pseudo_terminal(tmp_path):
    path = tmp_path / "serial.pcapng"
    with path.open("wb", 0) as file:
        async with SimulatedVesc(SimOptions(port=None, serial=True, speed=0.0)) as sim:
            upstream = SerialUpstream(serial_address(sim))
            async with Tap(upstream, Watching(), port=None, recorder=Recorder(file)) as tap:
                assert tap.where.startswith("/dev/")
                assert (await ask_serial(tap.where, b"\x00"))[2] == 0
                assert (await ask_serial(tap.where, b"\x60"))[2] == 0x60
    capture = open_capture(path)
    assert capture.connections[0].streams[0].joined() == encode_frame(b"\x00") + encode_frame(b"\x60")
    assert capture.vesc.connections[0].device == 1


async def test_a_serial_port_can_be_given_to_the_network_one_client_at_a_time():
    watcher = Watching()
    async with SimulatedVesc(SimOptions(port=None, serial=True, speed=0.0)) as sim:
        upstream = SerialUpstream(serial_address(sim))
        async with Tap(upstream, watcher, port=0) as tap:
            assert tap.port is not None
            first = await End.dial(tap.port)
            await first.send(encode_frame(b"\x00"))
            await first.until(20)
            second = await End.dial(tap.port)
            await second.until_closed()
            assert "in use by another client" in watcher.seen[-1][2]
            await second.close()
            await first.close()
            await watcher.until(lambda: watcher.seen[-1][:2] == ("closed", 1))
            third = await End.dial(tap.port)
            await third.send(encode_frame(b"\x60"))
            await third.until(20)
            await third.close()


async def test_after_a_kill_the_recording_is_there(tmp_path):
    path = tmp_path / "killed.pcapng"
    async with RecordedEnd() as far:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "packwire.cli", "tap", "--listen", "0", "--upstream",
            f"{LOOPBACK}:{far.port}", "--record", str(path), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(90):
                out: Any = process.stdout
                words = (await out.readline()).decode().split()
                port = int(words[2].rpartition(":")[2])
                near, frame = await End.dial(port), encode_frame(b"\x60")
                other = await far.dialled()
                for _ in range(10):
                    await near.send(frame)
                await other.until(10 * len(frame))
                while path.read_bytes().count(frame) < 10:
                    await asyncio.sleep(0.01)
        finally:
            process.send_signal(signal.SIGKILL)
            await process.communicate()
        await near.close()
    assert streams(path)[0][0] == 10 * frame
    assert open_capture(path).damage == ()
