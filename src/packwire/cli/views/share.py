"""How `packwire share` is shown: a line an event and a live summary on a terminal, or JSON lines.

Nothing here holds up the sharing: a thread writes, and lines that nobody takes are left out and counted. What
clients cause by the thousand (coming, leaving, asking what is refused) is told by its number.
"""

import contextlib
import dataclasses
import sys
import time
from abc import abstractmethod
from collections import Counter
from contextlib import AbstractContextManager
from datetime import datetime
from typing import IO, Any, Self, cast, override

from rich.live import Live
from rich.text import Text

from packwire.address import place
from packwire.cli.live_output import LiveText, lost_record
from packwire.cli.terminal import hanging, make_console, printable
from packwire.clock import iso_time
from packwire.phrases import counted
from packwire.share.permissions import Policy
from packwire.share.server import ClientCame, ClientLeft, DeviceAway, DeviceThere, Refused, Share, ShareEvent
from packwire.share.stats import SharingStats
from packwire.visible import record_text

#: Seconds between two summaries.
SUMMARY_INTERVAL = 1.0
EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - compared with, not bound to


#: So many lines about clients are told a second, and twice as many at once; the others are counted.
LINES_A_SECOND = 10.0


class FewLines:
    """Lets so many lines a second be told; `untold` counts the others by what they are about."""

    def __init__(self) -> None:
        self.untold: Counter[str] = Counter()
        self._left = self._most = 2 * LINES_A_SECOND
        self._at = time.monotonic()

    def may(self, event: ShareEvent) -> bool:
        """Tell whether an event is to be told; those of the device always are."""
        about = _ABOUT.get(type(event))
        if about is None:
            return True
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * LINES_A_SECOND)
        self._at = now
        if self._left < 1:
            self.untold[about] += 1
            return False
        self._left -= 1
        return True

    def take(self) -> dict[str, int]:
        """Return what was not told since the last time."""
        untold, self.untold = dict(self.untold), Counter()
        return untold


_ABOUT: dict[type, str] = {ClientCame: "came", ClientLeft: "left", Refused: "refused"}


class ShareView(AbstractContextManager["ShareView"]):
    """How the sharing is shown. None of it raises where the output cannot be written: see `check`."""

    def __init__(self, out: LiveText) -> None:
        self._out = out
        self._few = FewLines()

    def check(self) -> None:
        """Raise the OSError that ended the output, if one did."""
        if self._out.failed:
            raise self._out.failed

    def close(self) -> None:
        """Write what waits, as long as anybody takes it."""
        self._out.close()

    @abstractmethod
    def listening(self, share: Share, device: str, policy: Policy) -> None:
        """Say where clients connect, and what may pass."""

    @abstractmethod
    def show(self, event: ShareEvent) -> None:
        """Take one event."""

    @abstractmethod
    def summary(self, stats: SharingStats) -> None:
        """Take the account, once a second, and say what was not told."""

    @abstractmethod
    def account(self, stats: SharingStats) -> None:
        """Take the account at the end."""


class TextView(ShareView):
    """Lines; on a terminal the summary is below them."""

    def __init__(self, out: LiveText) -> None:
        super().__init__(out)
        self._console = console = make_console(file=cast("IO[str]", out))
        self._live = (
            Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        )
        self._before: tuple[float, SharingStats] | None = None

    @override
    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    @override
    def __exit__(self, *_: object) -> None:
        if self._live:
            with contextlib.suppress(OSError):
                self._live.stop()

    @override
    def listening(self, share: Share, device: str, policy: Policy) -> None:
        with contextlib.suppress(OSError):
            self._say_listening(share, device, policy)

    def _say_listening(self, share: Share, device: str, policy: Policy) -> None:
        self._console.print(f"{device} is shared on {share.where}", style="bold")
        others = share.host in EVERYWHERE
        where = place("THIS-COMPUTER", share.port) if others else share.where
        for line in (f"packwire watch vesc://{where}", f"VESC Tool: Connection, TCP, {where}"):
            self._console.print(f"  {line}")
        allowed = ", ".join(sorted(policy.allowed))
        what = f"Reading passes, and {allowed}." if allowed else "Reading alone passes."
        self._console.print(f"  {what} Ctrl-C ends it.")
        if others:
            open_to_all = "Whoever reaches this port reads everything, Wi-Fi keys too: there is no password."
            self._console.print(f"  {open_to_all}", style="yellow")

    @override
    def show(self, event: ShareEvent) -> None:
        if not self._few.may(event):
            return
        match event:
            case ClientCame(name):
                self._print(f"{name} came")
            case ClientLeft(stats, reason):
                counts = f"{stats.requests} requests, {stats.replies} replies"
                self._print(f"{stats.name} left" + (f" ({reason})" if reason else "") + f": {counts}")
            case DeviceThere(name, version):
                who = f"{printable(version.hw_name or '?')}, firmware {version.version}"
                self._print(f"{name} is there: {who}", "green")
            case DeviceAway(error, retry_in):
                self._print(f"{error} (trying again in {retry_in:g} s)", "red")
            case Refused(line):
                self._print(line, "yellow")

    @override
    def summary(self, stats: SharingStats) -> None:
        self._say_untold()
        if self._live is None:
            return
        now = time.monotonic()
        then, before = self._before or (now, stats)
        self._before = (now, stats)
        rate = (stats.requests - before.requests) / (now - then) if now > then else 0.0
        text = f"{counted(len(stats.seats), 'client')}   {rate:.1f} requests a second   {_totals(stats)}"
        with contextlib.suppress(OSError):
            line = Text(text, "dim" if stats.connected else "red")
            self._live.update(Text("\n").join(hanging(self._console, line)), refresh=True)

    @override
    def account(self, stats: SharingStats) -> None:
        self._say_untold()
        if stats.requests:
            make_console(stderr=True).print(_totals(stats), style="dim")

    def _say_untold(self) -> None:
        if untold := self._few.take():
            counts = ", ".join(f"{number} {about}" for about, number in untold.items())
            self._print(f"and more than can be told one by one: {counts}", "dim")

    def _print(self, text: str, style: str = "") -> None:
        now = datetime.now().astimezone()
        with contextlib.suppress(OSError):
            self._console.print(f"{now:%H:%M:%S}.{now.microsecond // 1000:03}  {text}", style=style)


class JsonView(ShareView):
    """JSON lines; `kept` in the account holds how old the readings are that are given out now."""

    @override
    def __exit__(self, *_: object) -> None:
        return

    @override
    def listening(self, share: Share, device: str, policy: Policy) -> None:
        allowed = sorted(str(kind) for kind in policy.allowed)
        self._print("listening", host=share.host, port=share.port, device=device, allowed=allowed)

    @override
    def show(self, event: ShareEvent) -> None:
        if not self._few.may(event):
            return
        match event:
            case ClientCame(name):
                self._print("came", name=name)
            case ClientLeft(stats, reason):
                self._print("left", reason=reason, **dataclasses.asdict(stats))
            case DeviceThere(name, version):
                self._print(
                    "connected", device=name, firmware=version.version, hardware=version.hw_name or ""
                )
            case DeviceAway(error, retry_in):
                self._print("outage", error=str(error), reason=error.reason.value, retry_in=retry_in)
            case Refused(line):
                self._print("refused", text=line)

    @override
    def summary(self, stats: SharingStats) -> None:
        if untold := self._few.take():
            self._print("untold", **untold)
        self._print("status", **dataclasses.asdict(stats))

    @override
    def account(self, stats: SharingStats) -> None:
        self.summary(stats)

    def _print(self, kind: str, **more: Any) -> None:
        record = {"kind": kind, "time": iso_time(time.time_ns()), **more}
        with contextlib.suppress(OSError):
            self._out.write(record_text(record) + "\n")


def _totals(stats: SharingStats) -> str:
    together = stats.answered_from_flight + stats.answered_from_age
    refused = sum(stats.refused.values())
    counts = (
        (stats.timeouts, "late or lost"),
        (stats.dropped, "dropped"),
        (refused, "refused"),
        (stats.client_junk, "junk bytes from clients"),
        (stats.device_junk, "junk bytes from the device"),
    )
    parts = [
        counted(stats.requests, "request"),
        f"{stats.forwarded} sent to the device",
        f"{together} answered together with another",
        *(f"{number} {what}" for number, what in counts if number),
    ]
    return "   ".join(parts)


def make_view(*, json: bool) -> ShareView:
    """Return the view for where the output goes; `close` ends it."""
    if json:
        return JsonView(LiveText(sys.stdout, lost_record))
    return TextView(LiveText(sys.stdout, lambda lost: f"  ({lost} lines left out: nothing took them)\n"))
