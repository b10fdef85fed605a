"""`packwire doctor`: why there is no data, by one check after the other, with one verdict."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.address import FORMS, HUB_PORT, VESC, Address, LinkKind, listed, parse_address
from packwire.check import Depth
from packwire.cli.adapters import adapter_of, bluetooth_adapter
from packwire.cli.completion import addresses
from packwire.cli.exit_codes import ExitCode, exit_code_of
from packwire.cli.known_nodes import CachedIds
from packwire.cli.limits import positive, positive_or_none
from packwire.cli.names import address_of
from packwire.cli.options import ForOption, JsonOption, ReportOption
from packwire.cli.passwords import with_password
from packwire.cli.reports import HTML, MARKDOWN, check_reports, write_report
from packwire.cli.views.doctor import JsonView, TextView
from packwire.doctor.diagnosis import Diagnosis
from packwire.doctor.examination import ExaminationOptions
from packwire.doctor.examine import examine
from packwire.errors import BadOptionError
from packwire.protocols import protocol

_THOROUGH_LISTEN, _THOROUGH_POLL = 15.0, 20.0
_POLL = 3.0


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorOptions:
    """How to examine."""

    thorough: bool = False
    """Listen for 15 s, watch the values for 20 s, and try VESC Tool's handshake even where none is needed."""
    quick: bool = False
    """Only what tells whether the pack gives data at all; 1 to 3 s."""
    listen_for: float | None = None
    """Seconds to listen before anything is asked, and after: does something come by itself?"""
    poll: float | None = None
    """Seconds to watch whether the battery's values move (3)."""
    timeout: float = 1.5
    """Seconds to wait for the first reply; later ones are waited for in proportion."""
    for_: ForOption = None
    """End after so many seconds, with what is known by then."""
    direct: Annotated[str | None, Parameter(completer=addresses)] = None
    """The device's own address, vesc://host, to compare it with the way through a hub."""
    expect: str | None = None
    """The CAN ids that should be there, such as 10,84."""
    restart: bool = False
    """Where nothing comes back, wait until you have switched the device off and on, and ask again (on a
    terminal without being told)."""
    report: ReportOption = ()
    password_file: Path | None = None
    """A file whose first line is the hub password (else PACKWIRE_PASSWORD, the keyring, or a prompt)."""


_NO_OPTIONS = DoctorOptions()


def doctor(
    address: Annotated[
        str | None,
        Parameter(
            help=f"{listed(FORMS)}, or a name of your own; /can/84 behind it is one node alone. "
            "With --my-client it is the port to listen on (65101), or HOST:PORT; ?model=jbd behind it plays "
            "a pack, serial?model=jbd one on a serial port, bluetooth?model=jbd one on the (virtual) air.",
            completer=addresses,
        ),
    ] = None,
    /,
    *,
    my_client: bool = False,
    log: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    timeline: bool = False,
    json: JsonOption = False,
    options: DoctorOptions = _NO_OPTIONS,
) -> int:
    """Find out why a pack gives no data: experiments one by one, then one verdict and what to do.

    It only sends requests that read, a hub's login and PING, a PIN that the address gives, and zeros. At a
    hub it displaces another client, as every client does. Where all is well it takes some 8 s.

    Ctrl-C ends it, with what is known by then.

    Parameters
    ----------
    my_client
        Turn the tables: your own client connects to packwire, which plays hub and device, or a pack: behind
        a bridge to the network, on a serial port, or over Bluetooth.
    log
        Examine a log that somebody posted, or a capture, in place of a device: of Home Assistant, ESPHome,
        batmon, dbus-serialbattery, mpp-solar, btmon and others; - is standard input.
    timeline
        With --log: also every event that the log tells, in the order of time.
    """
    if log is not None:
        from packwire.cli.log_doctor import log_doctor  # noqa: PLC0415 - numpy, which no device needs

        _check(options)
        if address is not None or my_client:
            raise BadOptionError("--log stands for itself: give no address and no --my-client with it")
        return log_doctor(log, json=json, timeline=timeline, reports=options.report, write=_write_report)
    if timeline:
        raise BadOptionError("--timeline goes with --log FILE")
    if my_client:
        from packwire.cli.my_client import my_client as turn  # noqa: PLC0415 - its own world

        _check(options)
        where, _, query = (address or str(HUB_PORT)).partition("?")
        host, port = _place(where)
        played = _played(query, bluetooth=host == "bluetooth")
        return turn(port, host=host, json=json, reports=options.report, seconds=options.for_, **played)
    _check(options)
    if address is None:
        from packwire.cli.around_doctor import around_doctor  # noqa: PLC0415 - Bluetooth, serial, CAN

        return around_doctor(json=json, seconds=options.for_, reports=options.report, write=_write_report)
    return asyncio.run(_doctor(address, options, json=json))


def _place(text: str) -> tuple[str, int]:
    """Read `65101`, `0.0.0.0:65101`, `serial` or `bluetooth`."""
    if text in {"serial", "bluetooth"}:
        return text, 0
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or host in {"serial", "bluetooth"} or int(port[:6]) > 65535:
        raise BadOptionError(
            f"--my-client {text}: name the port that your client connects to, such as 65101, or "
            "0.0.0.0:65101 to let other computers in"
        )
    return host or "127.0.0.1", int(port)


def _played(query: str, *, bluetooth: bool) -> dict[str, str]:
    """Read `model=jbd`, and the `adapter` that plays it."""
    parts = [part.partition("=") for part in query.split("&") if query]
    said = {name: value for name, _, value in parts}
    if not all(said.values()) or not said.keys() <= ({"model", "adapter"} if bluetooth else {"model"}):
        raise BadOptionError(
            f"--my-client {'bluetooth' if bluetooth else 'PORT'}?{query}: write ?model=jbd behind it"
            + ", and &adapter=usb:0 where it is not the virtual air" * bluetooth
        )
    return said


def _check(options: DoctorOptions) -> None:
    if options.quick and options.thorough:
        raise BadOptionError("--quick and --thorough exclude each other")
    check_reports(options.report)


async def _doctor(text: str, options: DoctorOptions, *, json: bool) -> int:
    view = JsonView() if json else TextView()
    async with AsyncExitStack() as stack:
        address = await _address(text, options.password_file, stack)
        await stack.enter_async_context(bluetooth_adapter(adapter_of(address)))
        wanted = _options(options, await _direct(options, stack), view.ask_for_restart)
        interrupts = _Interrupts()
        with interrupts.caught(), view.running():
            diagnosis = await examine(
                address,
                wanted,
                limit=positive_or_none("--for", options.for_),
                begun=view.begun,
                ended=view.ended,
                stopper=interrupts.take,
            )
    view.verdict(diagnosis)
    for file in options.report:
        _write_report(file, diagnosis)
        view.wrote(file)
    return ExitCode.INTERRUPTED if interrupts.seen else exit_code_of(diagnosis.verdict.reason)


class _Interrupts:
    """Ctrl-C ends the examination, and what is known by then is shown; a second one ends the program."""

    def __init__(self) -> None:
        self.seen = False
        self._end: Callable[[], None] = lambda: None

    def take(self, end: Callable[[], None]) -> None:
        """Take the function that ends the examination."""
        self._end = end

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Take Ctrl-C in the meantime; where the system cannot (Windows), it ends the program as ever."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(signal.SIGINT, self._interrupted)
        try:
            yield
        finally:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(signal.SIGINT)

    def _interrupted(self) -> None:
        self.seen = True
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        self._end()


async def _address(text: str, password_file: Path | None, stack: AsyncExitStack) -> Address:
    """Read an address as typed, with its password; for `sim:` start the simulator.

    Raises NotTrustedError for a model of others that the user does not agree to.
    """
    address = with_password(parse_address(address_of(text)), password_file)
    if address.model and address.model != VESC:
        from packwire.cli.trusting import ask_for_trust  # noqa: PLC0415 - few have models of their own

        ask_for_trust(protocol(address.model), agreed=False)
    if address.link is not LinkKind.SIM:
        return address
    from packwire.sim.by_name import simulation  # noqa: PLC0415 - only for sim: addresses
    from packwire.sim.server import SimOptions  # noqa: PLC0415

    simulated = await stack.enter_async_context(simulation(address.model, SimOptions(port=0)))
    return replace(simulated.address, node=address.node)


async def _direct(options: DoctorOptions, stack: AsyncExitStack) -> Address | None:
    return None if options.direct is None else await _address(options.direct, options.password_file, stack)


def _options(
    options: DoctorOptions, direct: Address | None, ask: Callable[[], Awaitable[bool]]
) -> ExaminationOptions:
    thorough = options.thorough
    depth = Depth.THOROUGH if thorough else Depth.QUICK if options.quick else Depth.USUAL
    listen = positive_or_none("--listen-for", options.listen_for)
    poll = positive_or_none("--poll", options.poll)
    return ExaminationOptions(
        depth=depth,
        patience=positive("--timeout", options.timeout),
        listen=_THOROUGH_LISTEN if listen is None and thorough else listen,
        poll=poll or (_THOROUGH_POLL if thorough else _POLL),
        direct=direct,
        expected=None if options.expect is None else _ids(options.expect),
        memory=CachedIds(),
        restart=ask if options.restart or _somebody_is_here(options) else None,
    )


def _somebody_is_here(options: DoctorOptions) -> bool:
    """Tell whether there is a person who can switch the device off and on, and has the time."""
    here = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
    return here and not options.quick and options.for_ is None


def _ids(text: str) -> frozenset[int]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not all(word.isdecimal() and int(word[:4]) < 255 for word in words):
        raise BadOptionError(f"--expect {text}: CAN ids are numbers of 0 to 254, separated by commas")
    return frozenset(map(int, words))


def _write_report(file: Path, diagnosis: Diagnosis) -> None:
    from packwire.doctor.report import html_report, markdown_report  # noqa: PLC0415 - only where asked for

    make = {HTML: html_report, MARKDOWN: markdown_report}
    write_report(file, lambda form: make[form](diagnosis))
