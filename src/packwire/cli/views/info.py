"""What a recording holds, as lines and as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from textwrap import wrap
from typing import Any

from packwire.capture import Capture
from packwire.capture.content import ChannelCount, Content
from packwire.capture.devices import SeenDevice
from packwire.capture.packets import NO_TIME
from packwire.capture.writers.csv import iso_time
from packwire.cli.terminal import printable
from packwire.cli.views import alike
from packwire.doctor.log.rules.recording import why_empty
from packwire.insight.likeness import Likeness
from packwire.phrases import counted, times

_INDENT = 11
_MAX_DEVICES = 12
#: Columns of what is said in a sentence.
_WIDTH = 66

type _Line = tuple[str | tuple[str, str], ...]


def lines(capture: Capture, content: Content, like: Sequence[Likeness] = ()) -> Iterator[_Line]:
    """Yield the text about one recording; `like` are the models that it is like, if it was asked."""
    head = f": {capture.format}, {counted(content.packets, 'packet')}, {counted(content.messages, 'message')}"
    yield (printable(capture.name), "bold"), head
    if content.begin != NO_TIME:
        yield from _row("time", f"{(content.end - content.begin) / 1e9:.1f} s from {_start(content.begin)}")
    yield from _recorded(content, like)
    yield from _remarks(capture)
    for name, count in content.links.items():
        yield from _row("link", f"{name}: {counted(count, 'packet')}")
    if content.hci:
        yield from _row("bluetooth", ", ".join(f"{count} {name}" for name, count in content.hci.items()))
    for device in content.devices[:_MAX_DEVICES]:
        yield from _row("device", _device(device))
    if len(content.devices) > _MAX_DEVICES:
        yield from _row("", f"and {len(content.devices) - _MAX_DEVICES} more")
    yield from _channel_lines(content.channels)
    if content.cut:
        yield from _row("cut", f"{counted(content.cut, 'packet')} of which only the beginning was recorded")
    for loss in content.losses:
        yield from _row("not used", loss)
    if (why := why_empty(content)) is not None:
        yield from _row("no data", why.words, "bold yellow")
        yield from _row("", why.remedy)


def _recorded(content: Content, like: Sequence[Likeness]) -> Iterator[_Line]:
    """Yield what the recording is thought to be of, and which models it is like."""
    for each in content.spoken:
        perhaps = "perhaps " if each.known and not each.sure else ""
        by = counted(each.frames, "frame")
        if each.known:
            by += " with right checksums" if each.checked else " (without checksums) where such packs notify"
        yield from _row("recorded", f"{perhaps}{each.words}, by {by}", "bold cyan")
    if content.messages and not content.spoken:
        yield from _row("recorded", "no protocol that packwire knows; `packwire groups` shows what is in it")
    for model in like:
        said = [line for words in alike.words(model) for line in wrap(words, _WIDTH, subsequent_indent="  ")]
        for number, line in enumerate(said):
            yield from _row("" if number else "family", line)


def _remarks(capture: Capture) -> Iterator[_Line]:
    for damage in capture.damage:
        yield from _row("DAMAGED", damage, "bold red")
    for note in capture.notes:
        yield from _row("note", note)


def _start(time: int) -> str:
    """Return when a recording began; a log with times of the day alone is of 1970."""
    date, clock = iso_time(time)[:19].split("T")
    return f"{clock} (the file says no date)" if date == "1970-01-01" else f"{date} {clock} UTC"


def _row(name: str, text: str, style: str = "") -> Iterator[_Line]:
    yield "  ", (f"{name:<{_INDENT}}", style or "cyan"), printable(text)


def _device(device: SeenDevice) -> str:
    parts = [device.address, device.transport]
    if device.name:
        parts.append(f'"{device.name}"')
    if device.connections:
        parts.append(f"connected {times(device.connections)}")
    if device.adverts:
        parts.append(f"advertised {times(device.adverts)}")
    return "  ".join(parts)


def _channel_lines(channels: tuple[ChannelCount, ...]) -> Iterator[_Line]:
    width = max((len(each.name) for each in channels), default=0)
    for each in channels:
        ways = [
            f"{arrow} {count}"
            for arrow, count in (("->", each.to_device), ("<-", each.from_device), ("--", each.unknown))
            if count
        ]
        low, high = each.sizes
        size = counted(low, "byte") if low == high else f"{low} to {high} bytes"
        yield from _row("channel", f"{each.name:<{width}}  {' '.join(ways)}  {size}")


def record(capture: Capture, content: Content, like: Sequence[Likeness] = ()) -> dict[str, Any]:
    """Return all about one recording for a script."""
    why = why_empty(content)
    return {
        "kind": "recording",
        "time": iso_time(content.begin) or None,
        "file": capture.name,
        "format": capture.format,
        "packets": content.packets,
        "messages": content.messages,
        "seconds": None if content.begin == NO_TIME else (content.end - content.begin) / 1e9,
        "protocols": [
            {"name": each.name, "frames": each.frames, "known": each.known, "sure": each.sure}
            for each in content.spoken
        ],
        "alike": [alike.record(each) for each in like],
        "damage": list(capture.damage),
        "notes": list(capture.notes),
        "links": content.links,
        "bluetooth": content.hci,
        "devices": [asdict(each) for each in content.devices],
        "channels": [each._asdict() for each in content.channels],
        "cut": content.cut,
        "not_used": list(content.losses),
        "advice": [] if why is None else [{"what": why.words, "remedy": why.remedy}],
    }
