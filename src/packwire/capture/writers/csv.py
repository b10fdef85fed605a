"""Messages as CSV: one row a message, with its time, direction, channel, bytes and packet numbers."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

from packwire import clock
from packwire.capture.packets import NO_TIME
from packwire.direction import DIRECTION_NAMES
from packwire.messages import Messages
from packwire.visible import printable

HEADER = ("file", "packets", "time", "seconds", "direction", "channel", "size", "hex")


def iso_time(time: int) -> str:
    """Return a time (ns since the epoch) as RFC 3339 in UTC; empty where it is not known."""
    return "" if time == NO_TIME else clock.iso_time(time)


def table(parts: Iterable[tuple[str, Messages, int]]) -> Iterator[tuple[str, ...]]:
    """Yield the head, then the cells of each message.

    A part is the name of a file, its messages, and the time from which `seconds` count.
    """
    yield HEADER
    for name, messages, first in parts:
        columns = zip(
            messages.time.tolist(), messages.direction.tolist(), messages.channel.tolist(), strict=True
        )
        channels = [printable(str(each)) for each in messages.channels]
        for row, (time, direction, channel) in enumerate(columns):
            payload = messages.payload(row)
            yield (
                printable(name),
                " ".join(map(str, messages.packets_of(row))),
                iso_time(time),
                "" if NO_TIME in (time, first) else f"{(time - first) / 1e9:.9f}",
                DIRECTION_NAMES[direction],
                channels[channel],
                str(len(payload)),
                payload.hex(),
            )


def lines(cells: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield each row as one line of CSV, without its end."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="")
    for row in cells:
        writer.writerow(row)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
