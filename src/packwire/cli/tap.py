"""`packwire tap`: a wire with a recorder between a client and its VESC, or its hub."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, override

from cyclopts import Parameter
from rich.console import Console

from packwire.address import HUB_PORT, SerialAddress, TcpAddress, parse_address
from packwire.capture.recorder import Recorder
from packwire.cli.decode_text import Writer
from packwire.cli.limits import positive_or_none
from packwire.cli.running import run_until_stopped
from packwire.cli.tap_view import TapRecords, TapView
from packwire.cli.terminal import make_console, printable
from packwire.errors import BadAddressError, BadFileError, BadOptionError, ExitCode, GoneError
from packwire.hub.tap import Tap, Watcher
from packwire.hub.tap_ends import SerialUpstream, TcpUpstream, Upstream

if TYPE_CHECKING:
    from packwire.address import Address

LOOPBACK = "127.0.0.1"
_STDOUT = "-"


def tap(
    *,
    upstream: Annotated[str, Parameter(alias="-u")],
    listen: Annotated[str | None, Parameter(alias="-l")] = None,
    record: Annotated[Path | None, Parameter(alias="-r", allow_leading_hyphen=True)] = None,
    keep_secrets: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
    for_: Annotated[float | None, Parameter(name="--for")] = None,
) -> int:
    """Stand between a client (such as VESC Tool) and its VESC or hub: show and record what they say.

    Connect the client to the --listen port instead. All passes through unchanged, byte for byte. Each
    login, request and reply is shown when it passes; requests that get no reply, and bytes that are in no
    frame, are counted. Times are seconds since the start, [1] is the first connection. Ctrl-C ends it.

    The recording is pcapng: Wireshark and every packwire command open it. Hub logins, configurations (they
    hold Wi-Fi keys), texts and programs are masked in it, and so are bytes outside of frames, which may be a
    torn one's rest. To watch it in Wireshark meanwhile: `packwire tap ... --record - | wireshark -k -i -`.

    With --json each line is an object whose `type` is opened, message, failed or closed. Exit code 3 says
    that it cannot listen, or that there is no such serial port; 8 that the serial port has gone; 9 that the
    recording could not be written.

    Parameters
    ----------
    upstream
        Where it all goes: host:65102 (a VESC), host:65101 (a hub), or serial:/dev/ttyACM0.
    listen
        The port for clients, or host:port; a port alone is open to this computer only, 0.0.0.0:65101 to
        others too. Without it, of a serial port, a pseudo-terminal is made and its path is shown.
    record
        Write a recording to this file, which must not exist yet; `-` is standard output.
    keep_secrets
        Record and show passwords and Wi-Fi keys in clear, and record everything as it is.
    json
        One JSON object a line instead of text.
    for_
        End after so many seconds.
    """
    positive_or_none("--for", for_)
    far = _upstream(upstream)
    host, port = _listen(listen, far)
    to_stdout = record is not None and str(record) == _STDOUT
    if json and to_stdout:
        raise BadOptionError("--json and --record - both want standard output: record to a file")
    console = make_console(stderr=to_stdout)
    with ExitStack() as stack:
        out = _LiveWriter(console)
        recorder = None
        if record is not None:
            file = stack.enter_context(_recording(record))
            recorder = Recorder(file, name=f"packwire tap to {far.name}", keep_secrets=keep_secrets)
        watcher: Watcher
        watcher = TapRecords(keep_secrets=keep_secrets) if json else TapView(out, keep_secrets=keep_secrets)
        say = _LiveWriter(make_console(stderr=True)) if json else out
        code = run_until_stopped(_run(far, watcher, (host, port), recorder, say, for_))
        return _account(recorder, record, say) or code


async def _run(
    far: Upstream,
    watcher: Watcher,
    listen: tuple[str, int | None],
    recorder: Recorder | None,
    say: Writer,
    seconds: float | None,
) -> int:
    async with Tap(far, watcher, host=listen[0], port=listen[1], recorder=recorder) as running:
        say.line(
            ("Connect to ", "bold"), (running.where, "bold"), f" instead: all passes to {far.name} unchanged."
        )
        if recorder is not None:
            what = (
                "everything, PASSWORDS AND KEYS TOO: do not share the file"
                if recorder.keep_secrets
                else "without passwords and keys (--keep-secrets records them)"
            )
            say.line(f"Recording {what}.", " Ctrl-C ends it.")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await running.over
                raise GoneError(f"{far.name} has gone: is it still plugged in?")
    return ExitCode.OK


def _account(recorder: Recorder | None, record: Path | None, say: Writer) -> int:
    """Say what was recorded and what was masked; return an exit code where it could not be written."""
    if recorder is None:
        return ExitCode.OK
    if recorder.failed is not None:
        raise BadFileError(
            f"{record}: the recording ends early ({recorder.failed.strerror or recorder.failed}); "
            "what passed later was not recorded"
        )
    name = "standard output" if str(record) == _STDOUT else printable(str(record))
    counts = f"{recorder.packets} packets of {recorder.connections} connection"
    say.line((name, "bold"), f": pcapng, {counts}{'' if recorder.connections == 1 else 's'}")
    if recorder.counts:
        masked = ", ".join(f"{what} ({count})" for what, count in recorder.counts.items() if count)
        say.line(f"  masked: {masked}")
    return ExitCode.OK


class _LiveWriter(Writer):
    """Writes lines that are seen at once, also where they are piped."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._file = console.file

    @override
    def line(self, *parts: str | tuple[str, str]) -> None:
        super().line(*parts)
        self._file.flush()


@contextlib.contextmanager
def _recording(path: Path) -> Iterator[BinaryIO]:
    """Open a new file, unbuffered: what was written is there whatever happens to this process."""
    if str(path) == _STDOUT:
        with os.fdopen(os.dup(sys.stdout.fileno()), "wb", 0) as file:
            yield file
        return
    try:
        file = path.open("xb", 0)
    except FileExistsError:
        raise BadOptionError(f"{path} exists already: give another name, or remove it first") from None
    except OSError as error:
        raise BadFileError(f"{path}: cannot be written ({error.strerror or error})") from error
    with file:
        yield file


def _upstream(text: str) -> Upstream:
    """Read an address, or `host:port`; a hub needs no id here, for the client logs in itself."""
    if "://" not in text and not text.startswith("serial:"):
        host, port = _place(text, "--upstream")
        return TcpUpstream(host, port)
    if text.startswith("veschub://"):
        host, port = _place(text.removeprefix("veschub://").rpartition("@")[2], "--upstream", HUB_PORT)
        return TcpUpstream(host, port)
    address: Address = parse_address(text)
    if address.can_id is not None:
        raise BadAddressError("a tap passes everything on: leave out /can/ in --upstream")
    if isinstance(address, TcpAddress):
        return TcpUpstream(address.host, address.port)
    if isinstance(address, SerialAddress):
        return SerialUpstream(address)
    raise BadAddressError(f"{text!r} is nothing to tap: give host:port or serial:/dev/ttyACM0")


def _listen(text: str | None, far: Upstream) -> tuple[str, int | None]:
    if text is None:
        if isinstance(far, SerialUpstream):
            return LOOPBACK, None
        raise BadOptionError("--listen says on which port the client connects here, such as --listen 65101")
    if text.isdecimal():
        text = f"{LOOPBACK}:{text}"
    return _place(text, "--listen", free=True)


def _place(text: str, option: str, usual: int | None = None, *, free: bool = False) -> tuple[str, int]:
    """Read `host:port`, with brackets around an IPv6 address."""
    host, colon, port = text.rpartition(":")
    if usual is not None and (not colon or text.endswith("]")):
        host, port = text, str(usual)
    least = 0 if free else 1
    if not host or not port.isdecimal() or not least <= int(port[:6]) <= 65_535:
        raise BadOptionError(f"{option} {text!r}: give host:port, such as 192.0.2.1:65102")
    return host.removeprefix("[").removesuffix("]"), int(port)
