"""How `packwire share` is shown: a line an event and a live summary on a terminal, or JSON lines."""

import dataclasses
import json as json_text
import time
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from packwire.cli.terminal import make_console, printable
from packwire.hub.share import (
    ClientCame,
    ClientLeft,
    DeviceAway,
    DeviceThere,
    Refused,
    Share,
    ShareEvent,
)
from packwire.hub.sharing_stats import SharingStats
from packwire.link.tcp import place
from packwire.vesc.permissions import Policy

#: Seconds between two summaries.
SUMMARY_INTERVAL = 1.0
EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - compared with, not bound to


class ShareView(AbstractContextManager["ShareView"], Protocol):
    """How the sharing is shown."""

    def listening(self, share: Share, device: str, policy: Policy) -> None:
        """Say where clients connect."""

    def show(self, event: ShareEvent) -> None:
        """Take one event."""

    def summary(self, stats: SharingStats) -> None:
        """Take the account, once a second."""

    def account(self, stats: SharingStats) -> None:
        """Take the account at the end."""


class TextView:
    """Lines; on a terminal the summary is below them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = (
            Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        )
        self._before: tuple[float, SharingStats] | None = None
        self._device = ""

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def listening(self, share: Share, device: str, policy: Policy) -> None:
        """Say where clients connect, and what may pass."""
        self._console.print(f"{device} is shared on {share.where}", style="bold")
        others = share.host in EVERYWHERE
        where = place("THIS-COMPUTER", share.port) if others else share.where
        self._console.print(f"  packwire watch vesc://{where}; VESC Tool: Connection, TCP, {where}")
        allowed = ", ".join(sorted(policy.allowed))
        what = f"Reading passes, and {allowed}." if allowed else "Reading alone passes."
        self._console.print(f"  {what} Ctrl-C ends it.")
        if others:
            open_to_all = "Whoever reaches this port reads everything, Wi-Fi keys too: there is no password."
            self._console.print(f"  {open_to_all}", style="yellow")
        self._flush()

    def show(self, event: ShareEvent) -> None:
        """Print one event."""
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

    def summary(self, stats: SharingStats) -> None:
        """Draw the line below, on a terminal."""
        if self._live is None:
            return
        now = time.monotonic()
        then, before = self._before or (now, stats)
        self._before = (now, stats)
        rate = (stats.requests - before.requests) / (now - then) if now > then else 0.0
        text = f"{_count(len(stats.seats), 'client')}   {rate:.1f} requests a second   {_totals(stats)}"
        self._live.update(Text(text, "dim" if stats.connected else "red"), refresh=True)

    def account(self, stats: SharingStats) -> None:
        """Print the account, where there was anything to account for."""
        if stats.requests:
            make_console(stderr=True).print(_totals(stats), style="dim")

    def _print(self, text: str, style: str = "") -> None:
        now = datetime.now().astimezone()
        self._console.print(f"{now:%H:%M:%S}.{now.microsecond // 1000:03}  {text}", style=style)
        self._flush()

    def _flush(self) -> None:
        self._console.file.flush()


class JsonView:
    """JSON lines."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def listening(self, share: Share, device: str, policy: Policy) -> None:
        """Print where clients connect."""
        allowed = sorted(str(kind) for kind in policy.allowed)
        self._print(type="listening", host=share.host, port=share.port, device=device, allowed=allowed)

    def show(self, event: ShareEvent) -> None:
        """Print one event."""
        match event:
            case ClientCame(name):
                self._print(type="came", client=name)
            case ClientLeft(stats, reason):
                self._print(type="left", reason=reason, **_record(stats))
            case DeviceThere(name, version):
                self._print(type="device", device=name, hardware=version.hw_name, firmware=version.version)
            case DeviceAway(error, retry_in):
                self._print(type="away", error=str(error), retry_in=retry_in)
            case Refused(line):
                self._print(type="refused", what=line)

    def summary(self, stats: SharingStats) -> None:
        """Print the account; `kept` holds how old the readings are that are given out now."""
        self._print(type="status", **_record(stats))

    def account(self, stats: SharingStats) -> None:
        """Print the account once more."""
        self.summary(stats)

    def _print(self, **record: Any) -> None:
        print(json_text.dumps(record, allow_nan=False), flush=True)


def _record(stats: Any) -> dict[str, Any]:
    return dataclasses.asdict(stats)


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
        _count(stats.requests, "request"),
        f"{stats.forwarded} sent to the device",
        f"{together} answered together with another",
        *(f"{number} {what}" for number, what in counts if number),
    ]
    return "   ".join(parts)


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def make_view(*, json: bool) -> ShareView:
    """Return the view for where the output goes."""
    return JsonView() if json else TextView(make_console())
