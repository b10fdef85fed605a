"""What strangers do to a hub, and what it comes to: nothing lost for the well-behaved, memory bounded.

Each attack runs against `packwire hub` in a process of its own, whose memory is read from outside, while a
client reads a simulated VESC through it.
"""

import asyncio
import contextlib
import json
import os
import socket
import ssl
import sys
from pathlib import Path

import pytest

from packwire.hub.pool import THREADS
from packwire.vesc.framing import encode_frame
from tests.hub.adversaries.under_attack import (
    ASK,
    FIGURES,
    STRANGER,
    HubProcess,
    dial,
    hub_process,
    many,
    reading_throughout,
)
from tests.hub.hubs import PASSWORD

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and dials from 127.0.0.66")

#: MiB that the hub's memory may grow by, whatever the attack; and what scrypt takes besides, in its threads.
GROWTH = 24.0
HASHING = 16.5 * THREADS
#: For limits that let a whole attack in.
GENEROUS = """
connections_per_address = 5000
logins_per_address = 5000
connects_per_second = 100000
clients_per_device = 64
"""


@contextlib.asynccontextmanager
async def attacked(folder, limits="", growth=GROWTH):
    async with hub_process(folder, limits) as hub:
        async with reading_throughout(hub) as client:
            before = hub.memory()
            hub.forget_peak()
            yield hub
            grown = hub.peak() - before
            assert grown < growth
        lost = client.stats.timeouts + client.stats.late + client.stats.unasked
        record(grown, client.stats.replies, lost)


def record(grown: float, replies: int, lost: int) -> None:
    """Add a line with an attack's figures to the file that figures.py names."""
    if FIGURES in os.environ:
        attack = os.environ["PYTEST_CURRENT_TEST"].partition("::test_")[2].partition(" ")[0]
        with Path(os.environ[FIGURES]).open("a", encoding="utf-8") as file:
            file.write(json.dumps([attack, grown, replies, lost]) + "\n")


async def gone(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    await asyncio.sleep(0)


async def until(condition, seconds: float = 90.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_1000_idle_connections_that_are_let_in(tmp_path):
    async with attacked(tmp_path, GENEROUS + "login_seconds = 60") as hub:
        idle = await many(1000, lambda _: dial(hub))
        assert len(idle) == 1000
        await until(lambda: at_least(hub, "logging_in", 1000))
        for writer in idle:
            await gone(writer)


async def test_1000_idle_connections_of_one_address_with_the_usual_limits(tmp_path):
    async with attacked(tmp_path) as hub:
        idle = await many(1000, lambda _: dial(hub))
        assert await hub.metric("logging_in") <= 32
        await until(lambda: at_least(hub, "not_admitted_total", 900))
        for writer in idle:
            await gone(writer)


async def test_20_slow_readers_of_a_noisy_device(tmp_path):
    noise = encode_frame(b"\x15" + b"x" * 4000) * 16
    async with attacked(tmp_path, GENEROUS, GROWTH + HASHING) as hub:
        noisy = await dial(hub, b"VESC:NOISY:%b\n\0" % PASSWORD.encode())
        await until(lambda: at_least(hub, "devices", 2))
        slow = [slow_reader(hub) for _ in range(20)]
        await until(lambda: at_least(hub, "clients", 21))
        while await hub.metric("cut_off_total") < 20:
            for _ in range(10):
                noisy.write(noise)
                await noisy.drain()
        for connection in slow:
            connection.close()
        await gone(noisy)


def slow_reader(hub: HubProcess) -> socket.socket:
    """A client that logs in and never reads."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.bind((STRANGER, 0))
    connection.connect(("127.0.0.1", hub.port))
    connection.sendall(b"VESCTOOL:NOISY:%b\n" % PASSWORD.encode())
    return connection


async def test_200_clients_that_send_half_a_frame_and_are_gone(tmp_path):
    async with attacked(tmp_path, GENEROUS) as hub:

        async def half(_: int) -> None:
            writer = await dial(hub, b"VESCTOOL:TESTPACK:%b\n" % PASSWORD.encode())
            writer.write(encode_frame(ASK * 200)[:120])
            await asyncio.sleep(0.05)
            await gone(writer)

        await many(200, half, at_once=10)
        assert await hub.metric('logins_total{role="client"}') >= 100


async def test_20_megabytes_without_a_newline(tmp_path):
    async with attacked(tmp_path, GENEROUS) as hub:

        async def megabyte(_: int) -> None:
            writer = await dial(hub)
            for _ in range(64):
                writer.write(b"x" * 16384)
                await writer.drain()
            await gone(writer)

        await many(20, megabyte)
        await until(lambda: at_least(hub, "refused_logins_total", 20))


async def test_2000_wrong_passwords(tmp_path):
    async with attacked(tmp_path, GENEROUS, GROWTH + HASHING) as hub:
        before = await hub.metric("hashes_total")

        async def guess(number: int) -> None:
            await gone(await dial(hub, b"VESCTOOL:TESTPACK:guess%d\n" % number))

        await many(2000, guess)
        await until(lambda: at_least(hub, "refused_logins_total", 1))
        assert await hub.metric("hashes_total") - before <= 16  # the rest had to wait


async def test_2000_wrong_passwords_at_a_hub_that_has_hashed_none_yet(tmp_path):
    async with hub_process(tmp_path, GENEROUS) as hub:
        before = hub.memory()
        hub.forget_peak()

        async def guess(number: int) -> None:
            await gone(await dial(hub, b"VESC:PACK%d:guess\n" % number))

        await many(2000, guess)
        await until(lambda: at_least(hub, "hashes_total", 1))
        await until(lambda: at_most(hub, "password_checks", 0))
        assert hub.peak() - before < GROWTH + HASHING
        record(hub.peak() - before, 0, 0)


async def test_300_wrong_passwords_that_hang_up_at_once(tmp_path):
    async with attacked(tmp_path, GENEROUS, GROWTH + HASHING) as hub:
        before = await hub.metric("hashes_total")

        async def guess(number: int) -> None:
            await gone(await dial(hub, b"VESC:PACK%d:guess\n" % number))

        await many(300, guess)
        await until(lambda: at_most(hub, "password_checks", 0))
        assert await hub.metric("hashes_total") - before <= 16  # nearly all had gone before their turn


def untrusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def test_700_tls_connections_that_never_log_in(tmp_path):
    context = untrusting()
    async with attacked(tmp_path, GENEROUS + "login_seconds = 60", growth=700 * 0.05) as hub:
        idle = await many(700, lambda _: dial(hub, port=hub.tls_port, tls=context))
        assert len(idle) == 700
        await until(lambda: at_least(hub, "logging_in", 700))
        for writer in idle:
            await gone(writer)


async def test_700_tls_handshakes_that_never_end(tmp_path):
    incoming, hello = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        untrusting().wrap_bio(incoming, hello).do_handshake()
    first = hello.read()
    async with attacked(tmp_path, GENEROUS + "login_seconds = 60", growth=500 * 0.07) as hub:
        idle = await many(700, lambda _: dial(hub, first, port=hub.tls_port))
        await until(lambda: at_least(hub, "refused_logins_total", 200))
        assert await hub.metric("logging_in") == 500
        for writer in idle:
            await gone(writer)


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
async def test_a_device_that_redials_100_times_a_second(tmp_path, password):
    async with attacked(tmp_path, growth=GROWTH + HASHING) as hub:
        for _ in range(100):
            with contextlib.suppress(ConnectionError):
                writer = await dial(hub, b"VESC:NOISY:%b\n\0" % password.encode())
                await asyncio.sleep(0.01)
                await gone(writer)
        assert await hub.metric("hashes_total") <= 2
        assert len(hub.log) < 40


async def at_most(hub: HubProcess, name: str, count: float) -> bool:
    return await hub.metric(name) <= count


async def at_least(hub: HubProcess, name: str, count: float) -> bool:
    return await hub.metric(name) >= count
