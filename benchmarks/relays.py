"""The relays that are compared, each in a process of its own: the hub, and a bare forwarder."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "benchmark"

_HUB = """
import asyncio, pathlib, sys, uvloop
from packwire.hub.server import Hub
from packwire.hub.settings import HubSettings, Limits

many = 1_000_000
limits = Limits(connections_per_address=many, logins_per_address=many, connects_per_second=many,
                checks_per_address=many, login_seconds=60)

async def serve():
    settings = HubSettings(host="127.0.0.1", port=0, credentials=pathlib.Path(sys.argv[1]), limits=limits)
    async with Hub(settings) as hub:
        print(hub.port, flush=True)
        await asyncio.Event().wait()

uvloop.run(serve())
"""

# What any forwarder must do: one line that says who it is, then bytes from here to there.
_FORWARDER = """
import asyncio, resource, uvloop

resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
waiting = {}

class Forward(asyncio.Protocol):
    peer = None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        if self.peer is not None:
            self.peer.write(data)
            return
        line, _, rest = data.partition(b"\\n")
        other = waiting.pop(line.split(b":")[1], None)
        if other is None:
            waiting[line.split(b":")[1]] = self
        else:
            self.peer, other.peer = other.transport, self.transport
            if rest.strip(b"\\0"):
                self.peer.write(rest)

async def serve():
    server = await asyncio.get_running_loop().create_server(Forward, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()

uvloop.run(serve())
"""


@dataclass(frozen=True, slots=True)
class Relay:
    """A running relay."""

    pid: int
    port: int

    def cpu_seconds(self) -> float:
        """Return the processor time that it has taken, in s."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Return its resident memory in KiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return float(status.partition("VmRSS:")[2].split()[0])


def device_id(number: int) -> str:
    return f"PACK{number}"


@contextlib.contextmanager
def forwarder(core: int | None) -> Iterator[Relay]:
    """Run the bare forwarder."""
    with _process([sys.executable, "-c", _FORWARDER], core) as relay:
        yield relay


@contextlib.contextmanager
def hub(core: int | None, devices: int) -> Iterator[Relay]:
    """Run the hub, with credentials for so many devices; their hashes cost little here."""
    from packwire.hub.credentials import PasswordHash  # noqa: PLC0415 - only here

    hashed = PasswordHash.of(PASSWORD, log_n=2, parallel=1).text
    with tempfile.NamedTemporaryFile("w", suffix=".credentials") as file:
        file.writelines(f"{device_id(number)}:{hashed}\n" for number in range(devices))
        file.flush()
        with _process([sys.executable, "-c", _HUB, file.name], core) as relay:
            yield relay


@contextlib.contextmanager
def _process(command: list[str], core: int | None) -> Iterator[Relay]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            if core is not None:
                for thread in Path(f"/proc/{process.pid}/task").iterdir():
                    os.sched_setaffinity(int(thread.name), {core})
            yield Relay(process.pid, port)
        finally:
            process.kill()
