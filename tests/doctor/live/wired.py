"""Faults of packs on wires, each on real parts: pseudo-terminals, sockets of this machine, a virtual CAN bus.

A row has what is wrong, the address of the device, the kind that the doctor must find, and how sure it may be
at most. The tests try each once, `bench_wired` each many times.
"""

import asyncio
import contextlib
import itertools
import json
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from packwire.check import Confidence
from packwire.doctor.checks import can as checks
from packwire.link import can as links
from packwire.link.can import CanLink
from packwire.link.can_state import CanInterface, read_interfaces
from packwire.link.modbus_tcp import ModbusEnvelope
from packwire.models.load import model
from packwire.sim.by_name import simulation
from packwire.sim.serial_port import SimulatedSerialPort
from packwire.sim.server import SimOptions
from tests.link.lines import Line, device, line

CERTAIN, LIKELY, POSSIBLE = Confidence.CERTAIN, Confidence.LIKELY, Confidence.POSSIBLE
type Opened = Callable[[], AbstractAsyncContextManager[str]]


@dataclass(frozen=True)
class Case:
    """One fault: `expected` is the verdict's key, `most` how sure it may be."""

    name: str
    opened: Opened
    expected: str
    most: Confidence = LIKELY


CASES: list[Case] = []


def case(
    name: str, expected: str, most: Confidence = LIKELY
) -> Callable[[Callable[[], AsyncIterator[str]]], Opened]:
    """Add a case."""

    def add(function: Callable[[], AsyncIterator[str]]) -> Opened:
        opened: Opened = contextlib.asynccontextmanager(function)
        CASES.append(Case(name, opened, expected, most))
        return opened

    return add


def on_a_line(
    name: str,
    spoken: str,
    expected: str,
    most: Confidence = LIKELY,
    *faults: str,
    query: str = "",
    units: tuple[int, ...] = (),
    **how: Any,
) -> None:
    """Add a case of devices on a serial line."""

    @case(name, expected, most)
    async def opened() -> AsyncIterator[str]:
        with line(spoken, *units, faults=faults, **how) as serial:
            yield f"serial:{serial.path}?model={spoken}{query}"


on_a_line("serial: healthy", "daly", "ok", CERTAIN)
on_a_line("serial: healthy, hears itself", "pace", "ok", CERTAIN, query="&address=1", units=(1,), echo=True)
on_a_line("serial: healthy, sends by itself", "victron-vedirect", "ok", CERTAIN)
on_a_line("serial: healthy, two packs", "pace", "ok", CERTAIN, query="&address=2", units=(1, 2))
on_a_line("serial: healthy, takes its time", "jbd", "ok", CERTAIN, "delay:0.25")
on_a_line("serial: healthy, sends now and then", "jk-rs485", "ok", CERTAIN)
on_a_line("serial: healthy, Modbus", "seplos-v3", "ok", CERTAIN)
on_a_line("serial: silent", "jbd", "serial.wiring", POSSIBLE, "silence")
on_a_line("serial: silent, sends by itself", "victron-vedirect", "serial.wiring", POSSIBLE, "silence")
on_a_line("serial: silent, hears itself", "jbd", "serial.echo", LIKELY, "silence", echo=True)
on_a_line("serial: 115200 baud", "jbd", "serial.wrong-baud", CERTAIN, baud=115200)
on_a_line("serial: 19200 baud", "daly", "serial.wrong-baud", CERTAIN, baud=19200)
on_a_line("serial: sends at 9600 baud", "victron-vedirect", "serial.wrong-baud", CERTAIN, baud=9600)
on_a_line("serial: sends at an odd rate", "victron-vedirect", "serial.wrong-baud", POSSIBLE, baud=230400)
on_a_line("serial: another address", "pace", "wrong-address", query="&address=1", units=(3,))
on_a_line("serial: another address (Modbus)", "seplos-v3", "wrong-address", query="&address=0", units=(2,))
on_a_line("serial: asleep, wakes at once", "jbd", "pack-asleep", LIKELY, "asleep:2")
on_a_line("serial: asleep, wakes late", "jbd", "pack-asleep", LIKELY, "asleep:5")
on_a_line("serial: Modbus exceptions", "renogy", "modbus-exception", LIKELY, "refuses")
on_a_line(
    "serial: answers without values", "pace", "no-values", LIKELY, "refuses", units=(1,), query="&address=1"
)
on_a_line("serial: some checksums wrong", "jbd", "corrupt", CERTAIN, "corrupt:3")
on_a_line("serial: all checksums wrong", "jbd", "serial.noise", LIKELY, "corrupt:1")
on_a_line("serial: a checksum of its own", "jbd", "reader-bug.checksum", LIKELY, "wrong-checksum")
on_a_line(
    "serial: a checksum of its own, of a byte", "daly-a5", "reader-bug.checksum", LIKELY, "wrong-checksum"
)
on_a_line("serial: some answers cut short", "jbd", "truncated", CERTAIN, "truncate:3")
on_a_line("serial: every answer cut short", "jbd", "truncated", LIKELY, "truncate:1")
on_a_line("serial: junk between answers", "jbd", "junk", CERTAIN, "junk:2")
on_a_line("serial: every third answer lost", "jbd", "lossy", CERTAIN, "lost:3")
on_a_line("serial: answers when asked slowly", "jbd", "polling-too-fast", LIKELY, "hurried:0.8")
on_a_line("serial: falls silent", "jbd", "falls-silent", LIKELY, "silence:16")
on_a_line("serial: answers late", "jbd", "slow-link", CERTAIN, "delay:0.9")
on_a_line("serial: a cell at 0 V", "jbd", "cell-at-zero", LIKELY, "dead-cell:3")
on_a_line("serial: a cell of 6 V", "jbd", "protocol-variant", LIKELY, "absurd:6.2")
on_a_line("serial: only listening, and nobody asks", "daly", "serial.wiring", POSSIBLE, query="&listen")


@case("serial: another model", "wrong-type-configured")
async def another_model() -> AsyncIterator[str]:
    with line("jbd") as serial:
        yield f"serial:{serial.path}?model=jk-uart"


@case("serial: another model, at another rate", "wrong-type-configured")
async def another_model_and_rate() -> AsyncIterator[str]:
    with line("ant") as serial:
        yield f"serial:{serial.path}?model=pylontech"


@case("serial: values that do not move, though current flows", "frozen-bms")
async def frozen() -> AsyncIterator[str]:
    with line("jbd") as serial:
        (simulated,) = serial.devices
        while abs(simulated.values()["current"]) < 5:
            simulated.vehicle.advance(1.0)
        simulated.faults.order("frozen-bms")
        yield f"serial:{serial.path}?model=jbd"


@case("serial: no such port", "configuration", CERTAIN)
async def no_port() -> AsyncIterator[str]:
    yield "serial:/dev/ttyNOTHERE7?model=daly"


@case("serial: no serial port", "configuration", CERTAIN)
async def no_serial_port() -> AsyncIterator[str]:
    yield f"serial:{__file__}?model=daly"


@case("serial: the port is taken", "port-taken", CERTAIN)
async def taken() -> AsyncIterator[str]:
    with line("jbd") as serial:
        hold = "import fcntl, os, sys; f = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)"
        hold += "; fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", hold, serial.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            await asyncio.to_thread(holder.stdout.readline)
            try:
                yield f"serial:{serial.path}?model=jbd"
            finally:
                holder.kill()


class _Nobody(Line):
    """A line with a cable and nothing at its end; `says` puts bytes on it again and again."""

    def __init__(self, says: Callable[[], bytes], every: float) -> None:
        super().__init__()
        self._says, self._every = says, every
        self._task = asyncio.get_running_loop().create_task(self._speak())

    async def _speak(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            self.write(self._says())

    def close(self) -> None:
        self._task.cancel()
        super().close()


@contextlib.contextmanager
def nobody(says: Callable[[], bytes] = bytes, every: float = 10.0) -> Iterator[Line]:
    serial = _Nobody(says, every)
    serial.open()
    try:
        yield serial
    finally:
        serial.close()


@case("serial: nothing at the cable's end", "serial.wiring", POSSIBLE)
async def cable() -> AsyncIterator[str]:
    with nobody() as serial:
        yield f"serial:{serial.path}?model=daly"


@case("serial: noise", "serial.wrong-baud", POSSIBLE)
async def noise() -> AsyncIterator[str]:
    source = random.Random(7)
    with nobody(lambda: source.randbytes(9), 0.15) as serial:
        yield f"serial:{serial.path}?model=daly"


def master(spoken: str, unit: int | None = None) -> Callable[[], bytes]:
    """Return what another master asks."""
    other = model(spoken)
    question = next(each for each in other.questions if each.harmless)
    asked = (other.bus or {}).get("parameter")
    frame = question.template.frame({} if unit is None else {str(asked): unit})
    return lambda: frame


@contextlib.asynccontextmanager
async def mastered(
    spoken: str, unit: int | None, *, answers: bool, faults: tuple[str, ...] = ()
) -> AsyncIterator[Line]:
    """Yield a line on which another master asks a device."""
    units = () if unit is None else (unit,)
    with line(spoken, *units, faults=faults) as serial:
        ask = master(spoken, unit)
        reply = serial.devices[0].frames(next(e for e in model(spoken).questions if e.harmless).reply)

        async def speak() -> None:
            while True:
                await asyncio.sleep(0.3)
                serial.write(ask())
                if answers:
                    await asyncio.sleep(0.02)
                    serial.write(b"".join(reply))

        task = asyncio.get_running_loop().create_task(speak())
        try:
            yield serial
        finally:
            task.cancel()


@case("serial: two masters, and it answers one", "two-clients.bus")
async def two_masters() -> AsyncIterator[str]:
    async with mastered("pace", 1, answers=True, faults=("silence",)) as serial:
        yield f"serial:{serial.path}?model=pace&address=1"


@case("serial: two masters (Modbus)", "two-clients.bus")
async def two_modbus_masters() -> AsyncIterator[str]:
    async with mastered("renogy", None, answers=True, faults=("silence",)) as serial:
        yield f"serial:{serial.path}?model=renogy"


@case("serial: healthy, listening to a master", "ok", CERTAIN)
async def listening() -> AsyncIterator[str]:
    async with mastered("pace", 1, answers=True, faults=("silence",)) as serial:
        yield f"serial:{serial.path}?model=pace&listen"


@case("serial: a master of another protocol", "serial.protocol-setting")
async def other_master() -> AsyncIterator[str]:
    async with mastered("pace", 1, answers=True, faults=("silence",)) as serial:
        yield f"serial:{serial.path}?model=daly"


@case("serial: another protocol is sent", "serial.protocol-setting")
async def other_protocol() -> AsyncIterator[str]:
    with line("victron-vedirect") as serial:
        yield f"serial:{serial.path}?model=jbd"


class _Glitching(SimulatedSerialPort):
    """A line on which the driver makes a byte before each answer."""

    def write(self, data: bytes) -> None:
        super().write(b"\0" + data)


@case("serial: healthy, a glitch before each answer", "ok", CERTAIN)
async def glitches() -> AsyncIterator[str]:
    serial = _Glitching(device("jbd").port("serial"))
    path = serial.open()
    try:
        yield f"serial:{path}?model=jbd"
    finally:
        serial.close()


class _Pulled(SimulatedSerialPort):
    """A line whose converter is pulled out after so many answers."""

    left = 12

    def write(self, data: bytes) -> None:
        self.left -= 1
        if self.left > 0:
            super().write(data)
        else:
            self.close()


@case("serial: unplugged meanwhile", "gone", CERTAIN)
async def unplugged() -> AsyncIterator[str]:
    serial = _Pulled(device("jbd").port("serial"))
    path = serial.open()
    try:
        yield f"serial:{path}?model=jbd"
    finally:
        serial.close()


# Bridges


@contextlib.asynccontextmanager
async def served(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """Yield the port of a server."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def on_a_bridge(
    name: str,
    spoken: str,
    expected: str,
    most: Confidence = LIKELY,
    *faults: str,
    query: str = "",
    unit: int | None = None,
) -> None:
    """Add a case of a device behind a bridge."""

    @case(name, expected, most)
    async def opened() -> AsyncIterator[str]:
        options = SimOptions(port=0, faults=faults, cells=8, unit=unit)
        async with simulation(spoken, options) as simulated:
            yield f"tcp://127.0.0.1:{simulated.port}?model={spoken}{query}"


on_a_bridge("TCP: healthy", "pace", "ok", CERTAIN)
on_a_bridge("TCP: silent", "pace", "serial.wiring", POSSIBLE, "silence")
on_a_bridge("TCP: another address", "pace", "wrong-address", LIKELY, query="&address=4", unit=2)
on_a_bridge("TCP: some checksums wrong", "pace", "corrupt", CERTAIN, "corrupt:3")
on_a_bridge("TCP: a web server", "pace", "configuration", CERTAIN, "http")
on_a_bridge("TCP: closed now and then", "pace", "cut-off", CERTAIN, "displaced:0.9")
on_a_bridge("TCP: closed inside of answers", "pace", "cut-mid-reply", CERTAIN, "close-in-the-middle:3")
on_a_bridge("TCP: raw bytes, and not Modbus TCP", "renogy", "configuration", CERTAIN, query="&modbus-tcp")


@case("TCP: nothing listens", "refused-port", CERTAIN)
async def refused() -> AsyncIterator[str]:
    async with served(_mute) as port:
        pass
    yield f"tcp://127.0.0.1:{port}?model=pace"


@case("TCP: no such host", "unknown-name", CERTAIN)
async def no_host() -> AsyncIterator[str]:
    yield "tcp://no-such-bridge.invalid:4001?model=pace"


async def _mute(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


@case("TCP: a bridge without a device", "serial.wiring", POSSIBLE)
async def mute() -> AsyncIterator[str]:
    async with served(_mute) as port:
        yield f"tcp://127.0.0.1:{port}?model=pace"


@case("TCP: another program is connected", "two-clients.bus")
async def connected() -> AsyncIterator[str]:
    async with served(_mute) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield f"tcp://127.0.0.1:{port}?model=pace"
        finally:
            writer.close()


@case("TCP: closes at once", "closes", CERTAIN)
async def closes() -> AsyncIterator[str]:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with served(serve) as port:
        yield f"tcp://127.0.0.1:{port}?model=pace"


@case("TCP: an SSH server", "configuration", CERTAIN)
async def ssh() -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        await reader.read()

    async with served(serve) as port:
        yield f"tcp://127.0.0.1:{port}?model=pace"


@case("TCP: sends back what it is sent", "serial.echo")
async def echo() -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)

    async with served(serve) as port:
        yield f"tcp://127.0.0.1:{port}?model=pace"


@case("TCP: a bridge to another model", "wrong-type-configured")
async def bridge_to_another() -> AsyncIterator[str]:
    async with simulation("daly", SimOptions(port=0)) as simulated:
        yield f"tcp://127.0.0.1:{simulated.port}?model=jbd"


@case("TCP: a bridge at a wrong baud rate", "serial.wrong-baud", POSSIBLE)
async def bridge_baud() -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(bytes(byte ^ 0b0101_1010 for byte in data[::2]) * 5)

    async with served(serve) as port:
        yield f"tcp://127.0.0.1:{port}?model=pace"


@contextlib.asynccontextmanager
async def modbus_tcp() -> AsyncIterator[int]:
    """Yield the port of a device that speaks Modbus TCP."""
    simulated = device("renogy")
    port = simulated.port("tcp")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inward, outward = ModbusEnvelope(), ModbusEnvelope()
        port.attach(lambda data: writer.write(outward.wrapped(data)), lambda: None)
        while data := await reader.read(4096):
            if data[2:4] != b"\0\0":
                continue  # raw bytes are none of its business
            for frame in inward.unwrapped(data):
                port.received(frame)

    async with served(serve) as number:
        yield number


@case("TCP: Modbus TCP, and not raw bytes", "configuration", CERTAIN)
async def raw_asked() -> AsyncIterator[str]:
    async with modbus_tcp() as port:
        yield f"tcp://127.0.0.1:{port}?model=renogy"


@case("TCP: healthy, Modbus TCP", "ok", CERTAIN)
async def enveloped() -> AsyncIterator[str]:
    async with modbus_tcp() as port:
        yield f"tcp://127.0.0.1:{port}?model=renogy&modbus-tcp"


# CAN: frames on a virtual bus, interfaces as `ip` tells of them

VICTRON = {
    0x351: "43 02 e8 03 9e 07 d0 01",
    0x355: "3c 00 64 00 84 17 00 00",
    0x356: "61 14 d3 fe eb 00 1a 00",
    0x35A: "aa aa aa 02 aa aa aa 02",
}
_BAD_FRAME = (0x08 | 0x80, bytes([0, 0, 0x04, 0x0A, 0, 0, 0, 0x60]))
_NO_ACK = (0x20, bytes([0, 0, 0, 0, 0, 0, 0x80, 0]))
_BUS_OFF = (0x40, bytes(8))
#: What `ip` tells of the interfaces that cases have, by name.
INTERFACES: dict[str, dict[str, Any]] = {}
_NUMBERS = itertools.count(1)


def interface(
    name: str,
    *,
    up: bool = True,
    state: str = "ERROR-ACTIVE",
    rate: int = 500_000,
    counters: tuple[int, int] = (0, 0),
    modes: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return what `ip -json -details -statistics link` tells of an interface."""
    return {
        "ifindex": 3,
        "ifname": name,
        "flags": ["NOARP", *(["UP", "LOWER_UP", "ECHO"] if up else [])],
        "mtu": 16,
        "qdisc": "pfifo_fast" if up else "noop",
        "operstate": "UP" if up else "DOWN",
        "link_type": "can",
        "promiscuity": 0,
        "linkinfo": {
            "info_kind": "can",
            "info_data": {
                "ctrlmode": list(modes),
                "state": state if up else "STOPPED",
                "berr_counter": {"tx": counters[0], "rx": counters[1]},
                "restart_ms": 100,
                "bittiming": {"bitrate": rate, "sample_point": "0.875", "tq": 125},
                "clock": 8_000_000,
            },
            "info_xstats": {"restarts": 0, "bus_error": 0, "error_passive": 0, "bus_off": 0},
        },
        "stats64": {"rx": {"bytes": 0, "packets": 0}, "tx": {"bytes": 0, "packets": 0}},
    }


async def _interfaces() -> tuple[CanInterface, ...]:
    return read_interfaces(json.dumps(list(INTERFACES.values())))


class _VirtualLink(CanLink):
    """A link to what the kernel would have as an interface."""

    def _settings(self) -> dict[str, Any]:
        settings = super()._settings()
        return settings | {"interface": "virtual"} if settings["channel"] in INTERFACES else settings


@contextlib.contextmanager
def _of_the_kernel() -> Iterator[None]:
    """Let the interfaces of cases be the kernel's, as long as there is one."""
    if not INTERFACES:
        _PATCHES.enter_context(mock.patch.object(checks, "can_interfaces", _interfaces))
        _PATCHES.enter_context(mock.patch.object(links, "CanLink", _VirtualLink))
    try:
        yield
    finally:
        if not INTERFACES:
            _PATCHES.close()


_PATCHES = contextlib.ExitStack()


@contextlib.asynccontextmanager
async def bus(
    frames: dict[int, str], errors: tuple[tuple[int, bytes], ...] = (), **how: Any
) -> AsyncIterator[str]:
    """Yield the name of an interface on which frames come, and what its controller sees."""
    import can

    name = f"can{next(_NUMBERS)}"
    virtual = can.Bus(interface="virtual", channel=name)

    async def send() -> None:
        while True:
            for number, data in frames.items():
                virtual.send(
                    can.Message(arbitration_id=number, data=bytes.fromhex(data), is_extended_id=False)
                )
            for number, said in errors:
                virtual.send(can.Message(arbitration_id=number, data=said, is_error_frame=True))
            await asyncio.sleep(0.2)

    task = asyncio.get_running_loop().create_task(send())
    with _of_the_kernel():
        INTERFACES[name] = interface(name, **how)
        try:
            yield name
        finally:
            del INTERFACES[name]
            task.cancel()
            virtual.shutdown()


def on_a_bus(
    name: str,
    expected: str,
    most: Confidence,
    frames: dict[int, str],
    *errors: tuple[int, bytes],
    spoken: str = "victron-can",
    **how: Any,
) -> None:
    """Add a case of a CAN bus."""

    @case(name, expected, most)
    async def opened() -> AsyncIterator[str]:
        async with bus(frames, errors, **how) as channel:
            yield f"can://{channel}?model={spoken}"


on_a_bus("CAN: healthy", "ok", CERTAIN, VICTRON)
on_a_bus("CAN: healthy, other frames beside", "ok", CERTAIN, VICTRON | {0x123: "00 01"})
on_a_bus("CAN: the interface is down", "configuration", CERTAIN, {}, up=False)
on_a_bus("CAN: nothing comes", "can.no-answer", POSSIBLE, {})
on_a_bus("CAN: frames of another protocol", "wrong-type-configured", LIKELY, VICTRON, spoken="vesc-can")
on_a_bus("CAN: frames that nobody knows", "wrong-type-configured", LIKELY, {0x123: "00 01", 0x7E0: "02"})
on_a_bus("CAN: the interface has another bit rate", "can.wrong-bitrate", LIKELY, {}, rate=250_000)
on_a_bus("CAN: broken frames", "can.wrong-bitrate", LIKELY, {}, _BAD_FRAME, counters=(0, 135))
on_a_bus("CAN: nobody acknowledges", "can.nobody-acknowledges", LIKELY, {}, _NO_ACK, counters=(128, 0))
on_a_bus("CAN: it is bus off", "can.nobody-acknowledges", POSSIBLE, {}, state="BUS-OFF", counters=(248, 0))
on_a_bus("CAN: it goes bus off", "can.nobody-acknowledges", POSSIBLE, {}, _BUS_OFF)
on_a_bus("CAN: it is error passive", "can.nobody-acknowledges", POSSIBLE, {}, state="ERROR-PASSIVE")


@case("CAN: no such interface", "configuration", CERTAIN)
async def no_interface() -> AsyncIterator[str]:
    yield "can://can77?model=victron-can"


@case("CAN: no such adapter", "configuration", CERTAIN)
async def no_adapter() -> AsyncIterator[str]:
    yield "can:///dev/ttyNOTHERE7?model=victron-can&interface=slcan"


def on_an_adapter(name: str, expected: str, most: Confidence, *faults: str, serial: bool = False) -> None:
    """Add a case of a pack behind an adapter: slcan on a pseudo-terminal, or socketcand."""

    @case(name, expected, most)
    async def opened() -> AsyncIterator[str]:
        async with simulation("pylontech-can", SimOptions(port=0, serial=serial, faults=faults)) as simulated:
            yield str(simulated.serial_address if serial else simulated.address)


on_an_adapter("CAN: healthy, by socketcand", "ok", CERTAIN)
on_an_adapter("CAN: healthy, by slcan", "ok", CERTAIN, serial=True)
on_an_adapter("CAN: silent, by slcan", "can.no-answer", POSSIBLE, "silence", serial=True)
