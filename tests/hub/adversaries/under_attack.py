"""A hub in a process of its own, one who reads through it all the while, and strangers from another address."""

import asyncio
import contextlib
import re
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import trustme

from packwire.hub.credentials import PasswordHash
from packwire.sim.server import SimOptions, SimulatedVesc
from packwire.vesc.commands import Command
from packwire.vesc.requests import request
from tests.device.vesc_client import VescClient
from tests.hub.hubs import PASSWORD, is_connected, vesc_client

#: Strangers come from here; the well-behaved from 127.0.0.1.
STRANGER = "127.0.0.66"
#: Names the file that each attack adds its figures to.
FIGURES = "PACKWIRE_ADVERSARY_FIGURES"
ASK = request(Command.BMS_GET_VALUES)


@dataclass(slots=True)
class HubProcess:
    """`packwire hub`, as a user starts it."""

    pid: int
    port: int = 0
    tls_port: int = 0
    http_port: int = 0
    log: list[str] = field(default_factory=list)

    def memory(self) -> float:
        """Return its resident memory in MiB, as the system counts it."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return float(status.partition("VmRSS:")[2].split()[0]) / 1024

    def peak(self) -> float:
        """Return the most memory that it had since `forget_peak`, in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return float(status.partition("VmHWM:")[2].split()[0]) / 1024

    def forget_peak(self) -> None:
        """Let `peak` count from now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    async def metric(self, name: str) -> float:
        """Return one of its metrics, such as `hashes_total`."""
        url = f"http://127.0.0.1:{self.http_port}/metrics"
        text = await asyncio.to_thread(lambda: urlopen(url).read().decode())
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if _is(line, name))


def _is(line: str, name: str) -> bool:
    return re.match(rf"packwire_hub_{name}[ {{]", line) is not None


@contextlib.asynccontextmanager
async def hub_process(folder: Path, limits: str = "") -> AsyncIterator[HubProcess]:
    """Run it with credentials for TESTPACK and NOISY, as costly as `packwire hub password` makes them.

    `limits` are TOML lines. See that it stops well.
    """
    hashed = PasswordHash.of(PASSWORD).text
    (folder / "hub.credentials").write_text(f"TESTPACK:{hashed}\nNOISY:{hashed}\n")
    certificate = trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem
    certificate.write_to_path(str(folder / "cert.pem"))
    tls = '[tls]\nport = 0\ncertificate = "cert.pem"\n'
    (folder / "hub.toml").write_text(f'credentials = "hub.credentials"\n{tls}[limits]\n{limits}\n')
    command = ("-m", "packwire", "hub", "--listen", "127.0.0.1:0", "--http-port", "0", "--config")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, str(folder / "hub.toml"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    hub = HubProcess(process.pid)
    try:
        while "ready" not in (line := (await process.stdout.readline()).decode()):
            assert line, "the hub did not start"
            hub.log.append(line)
        port = re.search(r" port=(\d+) tls_port=(\d+)", "".join(hub.log))
        http_port = re.search(r":(\d+)/metrics", "".join(hub.log))
        assert port
        assert http_port
        hub.port, hub.tls_port, hub.http_port = int(port[1]), int(port[2]), int(http_port[1])
        reading = asyncio.ensure_future(_keep_log(process.stdout, hub.log))
        yield hub
    finally:
        process.terminate()
        assert await process.wait() == 0
    await reading
    assert PASSWORD not in "".join(hub.log)
    assert "Traceback" not in "".join(hub.log)


async def _keep_log(stream: asyncio.StreamReader, log: list[str]) -> None:
    log += [line.decode() async for line in stream]


@contextlib.asynccontextmanager
async def reading_throughout(hub: HubProcess) -> AsyncIterator[VescClient]:
    """Read a simulated VESC through the hub all the while; lose nothing, and log in anew in the midst."""
    options = SimOptions(
        port=None,
        hub=("127.0.0.1", hub.port),
        hub_id="TESTPACK",
        hub_password=PASSWORD,
        ping_time=0.05,
        can_delay=0.001,
        speed=0.0,
    )
    async with SimulatedVesc(options):
        async with asyncio.timeout(90):
            while not await is_connected(hub.port, "TESTPACK"):
                await asyncio.sleep(0.01)
        async with vesc_client(hub.port) as client:
            reading = asyncio.ensure_future(_read(client))
            yield client
            async with vesc_client(hub.port) as newcomer:
                await newcomer.request(ASK)
            async with asyncio.timeout(90):
                while client.stats.replies <= 20:
                    await asyncio.sleep(0.01)
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
            # Beside the one that is under way when it ends, every request has had its reply, in time.
            assert client.stats.requests - client.stats.replies <= 1
            assert (client.stats.timeouts, client.stats.late, client.stats.unasked) == (0, 0, 0)


async def _read(client: VescClient) -> None:
    while True:
        await client.request(ASK)
        await asyncio.sleep(0.005)


async def dial(
    hub: HubProcess, first: bytes = b"", *, port: int | None = None, tls: ssl.SSLContext | None = None
) -> asyncio.StreamWriter:
    """Connect as a stranger."""
    _, writer = await asyncio.open_connection(
        "127.0.0.1", port or hub.port, local_addr=(STRANGER, 0), ssl=tls
    )
    writer.write(first)
    return writer


async def many(count: int, one: Callable[[int], Awaitable[Any]], at_once: int = 50) -> list[Any]:
    """Do something so many times, a few at one time; connections that the hub resets are no failure."""
    found: list[Any] = []
    for at in range(0, count, at_once):
        numbers = range(at, min(count, at + at_once))
        found += await asyncio.gather(*(one(number) for number in numbers), return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException) and not isinstance(each, ConnectionError):
            raise each
    return [each for each in found if not isinstance(each, BaseException)]
