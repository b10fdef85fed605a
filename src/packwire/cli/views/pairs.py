"""How requests with their replies look: as text and as JSON."""

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from packwire.cli.records.recordings import Pair as PairRecord
from packwire.cli.records.recordings import ReplyKind, RequestKind
from packwire.cli.views.groups import fold, title
from packwire.insight.groups import Group, header_text
from packwire.insight.pairs import Pair, PairedReply, Pairs
from packwire.messages import Messages
from packwire.phrases import times


def show(console: Console, messages: Messages, found: Pairs, pieces: NDArray[np.bool_] | None) -> None:
    """Print requests with their replies; `pieces`: see `packwire.cli.views.groups.fold`."""
    if not found.pairs:
        console.print("no requests in this file; `packwire info` says what is in it")
    for pair in found.pairs:
        missing = f", {pair.unanswered} without reply" if pair.unanswered else ""
        console.print(Text.assemble((title(pair.request), "bold"), f": {times(len(pair.request))}{missing}"))
        console.print(f"  such as {_example(messages, pair.request)}")
        for reply in pair.replies:
            console.print(f"  -> {title(reply.group)}: {times(reply.count)}{_latency(reply)}")
    if found.unasked:
        heading = "no reply to any request" if found.pairs else "messages"
        console.print(heading, style="bold")
    whole, folded = fold(messages, found.unasked, pieces)
    for group in whole:
        console.print(f"  {title(group)}: {times(len(group))}")
    for line in folded:
        console.print(f"  {line}")


def _latency(reply: PairedReply) -> str:
    if reply.median is None or reply.longest is None:
        return ""
    return f", after {reply.median * 1000:.0f} ms (longest {reply.longest * 1000:.0f})"


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def _example(messages: Messages, group: Group) -> str:
    return messages.payload(int(group.rows[0])).hex(" ")


def _kind(messages: Messages, group: Group, count: int) -> RequestKind:
    return {
        "channel": str(group.channel),
        "size": group.size,
        "header": header_text(group.header, group.skipped, ""),
        "example": messages.payload(int(group.rows[0])).hex(),
        "count": count,
    }


def record(messages: Messages, pair: Pair) -> PairRecord:
    """Return one kind of request with its replies as a JSON object."""
    replies: list[ReplyKind] = [
        {
            **_kind(messages, reply.group, reply.count),
            "median_ms": _milliseconds(reply.median),
            "longest_ms": _milliseconds(reply.longest),
        }
        for reply in pair.replies
    ]
    request = _kind(messages, pair.request, len(pair.request))
    return {"kind": "pair", "request": request, "unanswered": pair.unanswered, "replies": replies}
