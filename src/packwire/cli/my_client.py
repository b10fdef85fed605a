"""`packwire doctor --my-client`: the user's own client connects, and packwire plays hub and device."""

import asyncio
import contextlib
import html
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from rich.text import Text

from packwire.address import VESC as VESC_MODEL
from packwire.check import Confidence, Verdict
from packwire.cli.exit_codes import ExitCode
from packwire.cli.limits import positive_or_none
from packwire.cli.live_output import LiveText
from packwire.cli.records.verdicts import ClientFinding
from packwire.cli.records.verdicts import ClientTest as ClientTestRecord
from packwire.cli.reports import HTML, write_report
from packwire.cli.terminal import make_console
from packwire.doctor.client_test.findings import ClientFindings
from packwire.doctor.client_test.played import Played
from packwire.doctor.client_test.pty import serial_port
from packwire.doctor.client_test.reactions import ClientObservation
from packwire.doctor.client_test.server import ClientTest, Place
from packwire.doctor.client_test.verdict import ClientReport
from packwire.doctor.vesc.client_test.played import VESC
from packwire.errors import BadOptionError
from packwire.protocols import protocol
from packwire.visible import record_text

_TITLE = "Your client"
_TOOK_ALL = "It took every reply that a device may send"
#: How each observation is shown.
_TAKEN = {True: ("taken", "green"), False: ("NOT taken", "yellow"), None: ("", "dim")}


#: Where a client comes by another way than TCP.
SERIAL, BLUETOOTH = "serial", "bluetooth"


def my_client(
    port: int,
    *,
    host: str = "127.0.0.1",
    json: bool = False,
    reports: tuple[Path, ...] = (),
    seconds: float | None = None,
    model: str = "",
    adapter: str = "",
) -> int:
    """Examine a client that connects to `port` (0: a free one) on `host`; return the exit code.

    It meets a VESC at a hub, or a pack of a `model`. `host` SERIAL is a pseudo-terminal that it opens,
    BLUETOOTH a pack on the virtual air, or on what an `adapter` sends.

    0: it took everything. 7: it cannot be told what it takes. 11: something is wrong with it.
    """
    positive_or_none("--for", seconds)
    over_bluetooth = host == BLUETOOTH
    vesc = model in ("", VESC_MODEL) and not over_bluetooth
    played = VESC if vesc else _pack(model, over_bluetooth=over_bluetooth)
    at: Place | None = serial_port if host == SERIAL else None
    if over_bluetooth:
        at = _on_bluetooth(model, adapter)
    with contextlib.closing(_Progress(quiet=json)) as show:
        verdict, findings = asyncio.run(_examine(host, port, at, show, seconds, played))
    if json:
        sys.stdout.write(record_text(_record(verdict, findings)) + "\n")
    else:
        console = make_console()
        console.print()
        for line, style in _lines(verdict):
            console.print(Text(line, style=style))
    for file in reports:
        _write_report(file, verdict, findings)
    if verdict.ok:
        return ExitCode.OK
    return ExitCode.DISTURBED if verdict.findings else ExitCode.NO_ANSWER


class _Progress:
    """Says what is being tried: on standard output, with --json on standard error.

    From a thread: a terminal that is stopped must not delay a reply, for the client would look slow.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._out = LiveText(sys.stderr if quiet else sys.stdout, lambda lost: f"  ({lost} lines left out)\n")
        self._console = make_console(file=cast("IO[str]", self._out))
        #: The user can be asked what the client shows.
        self.ask = None if quiet or not (sys.stdin.isatty() and sys.stdout.isatty()) else self._ask

    def close(self) -> None:
        """Write what is left."""
        self._out.close()

    async def _ask(self, question: str) -> str | None:
        """Ask on the terminal; None: it was closed."""
        self._console.print(Text(f"  {question}", style="bold"), end="")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str | None] = loop.create_future()

        def settle(text: str | None) -> None:
            if not answer.done():
                answer.set_result(text)

        def read() -> None:
            # Not by sys.stdin: a thread that waits in it would hold its lock when the process ends.
            try:
                data = os.read(sys.stdin.fileno(), 4096)
            except OSError:
                data = b""
            with contextlib.suppress(RuntimeError):  # the loop is closed: it was ended meanwhile
                loop.call_soon_threadsafe(settle, data.decode("utf-8", "replace") if data else None)

        threading.Thread(target=read, name="answer", daemon=True).start()
        return await answer

    def line(self, *parts: str | tuple[str, str]) -> None:
        """Write one line, seen at once also where it is piped."""
        self._console.print(Text.assemble(*parts))

    def tell(self, text: str) -> None:
        """Say what begins."""
        self.line("  ", text)

    def watched(self, seen: ClientObservation, taken: bool | None) -> None:
        """Say what came of a trial."""
        word, style = _TAKEN[taken]
        said = f"    {seen.trial.words:<46} {word:<10} it {seen.action} after {max(seen.after, 0):.2f} s"
        self.line((said, style))


def _on_bluetooth(model: str, adapter: str) -> Place:
    from packwire.cli.my_client_bluetooth import on_bluetooth  # noqa: PLC0415 - an extra, and slow to import

    return on_bluetooth(model, adapter)


def _pack(name: str, *, over_bluetooth: bool = False) -> Played:
    """Return a simulated pack of a model, played. Raises BadOptionError."""
    from packwire.doctor.client_test.pack import pack  # noqa: PLC0415 - a VESC needs no models
    from packwire.models.protocol import ModelProtocol  # noqa: PLC0415
    from packwire.sim.model import SimulatedModel  # noqa: PLC0415

    if not name:
        raise BadOptionError("--my-client bluetooth: say which pack is played, such as bluetooth?model=jbd")
    found = protocol(name)
    if not isinstance(found, ModelProtocol):
        raise BadOptionError(
            f"--my-client: a {found.title} is not played over Bluetooth; name a port, such as 65101"
        )
    if found.can or not found.questions:
        raise BadOptionError(
            f"--my-client: a client of {name} cannot be examined: its packs are not asked, they only send"
        )
    device = SimulatedModel(found).device
    return pack(found, device.answers, over_bluetooth=over_bluetooth)


async def _examine(
    host: str, port: int, at: Place | None, show: _Progress, seconds: float | None, played: Played
) -> tuple[ClientReport, ClientFindings | None]:
    test = ClientTest(show.tell, played, host=host, port=port, at=at, watch=show.watched, ask=show.ask)
    async with test:
        running = asyncio.ensure_future(test.run())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):  # before anybody is told that it can be ended
            with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
                loop.add_signal_handler(number, running.cancel)
        show.line(
            ("Let your client connect to ", "bold"),
            (test.place, "bold"),
            _as_to(played, host),
            " Ctrl-C ends it with what is known.",
        )
        show.tell("waiting for it")
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(seconds):
                await running
        return test.verdict, test.findings


def _as_to(played: Played, host: str) -> str:
    """Say what the client is to think that it meets."""
    if host == SERIAL:
        return f" as to the serial port of a {played.title}."
    if host == BLUETOOTH:
        return f" as to a {played.title} over Bluetooth."
    if played is VESC:
        return " as to a hub (any id, any password) or as to a VESC itself."
    return f" as to a {played.title} behind a bridge to the network."


def _lines(verdict: ClientReport) -> Iterator[tuple[str, str]]:
    """Yield the verdict in words, each line with its style."""
    if verdict.ok:
        took = "It showed the value of every reply that was tried" if verdict.shown else _TOOK_ALL
        yield f"VERDICT: all is well. {took}.", "bold green"
    elif not verdict.findings:
        yield "VERDICT: cannot tell.", "bold yellow"
    for index, finding in enumerate(verdict.findings):
        yield f"{'VERDICT' if index == 0 else 'ALSO'} ({finding.confidence}): {finding.words}", "bold red"
        sure = "" if finding.confidence is Confidence.CERTAIN else f"{finding.confidence} "
        yield f"  {sure}cause: {finding.explanation}", ""
        yield f"  remedy: {finding.remedy}", ""
    if verdict.good:
        yield f"It took {'; '.join(verdict.good)}.", "green"
    for line in verdict.undecided:
        yield f"Not decided: {line}.", "yellow"


def _record(verdict: ClientReport, findings: ClientFindings | None) -> ClientTestRecord:
    return {
        "kind": "client_test",
        "verdict": verdict.key,
        "decided": verdict.decided,
        "findings": [_finding(each) for each in verdict.findings],
        "undecided": list(verdict.undecided),
        "good": list(verdict.good),
        "command": None if findings is None else findings.played.name(findings.command),
        "trials": [
            {
                "trial": each.trial.key,
                "purpose": each.trial.kind.value,
                "size": each.size,
                "taken": each.taken,
                "swallowed": each.swallowed,
            }
            for each in (findings.results if findings else ())
        ],
    }


def _finding(finding: Verdict) -> ClientFinding:
    return {
        "key": finding.key,
        "confidence": finding.confidence.value,
        "words": finding.words,
        "cause": finding.explanation,
        "remedy": finding.remedy,
    }


def _write_report(file: Path, verdict: ClientReport, findings: ClientFindings | None) -> None:
    lines = [f"# {_TITLE}, examined by packwire", "", *(line for line, _ in _lines(verdict)), ""]
    if findings is not None:
        lines += ["| tried | bytes of payload | taken |", "|---|---|---|"]
        words = {True: "yes", False: "no", None: "cannot tell"}
        lines += [f"| {each.trial.words} | {each.size} | {words[each.taken]} |" for each in findings.results]
    text = "\n".join(lines) + "\n"
    page = f"<!doctype html><meta charset=utf-8><title>{_TITLE}</title><pre>{html.escape(text)}</pre>\n"
    write_report(file, lambda form: page if form == HTML else text)
