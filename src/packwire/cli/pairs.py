"""`packwire pairs`: which requests the app sends, what comes back, and how soon."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from packwire.capture import open_capture
from packwire.cli.exit_codes import ExitCode
from packwire.cli.groups_view import fold, title
from packwire.cli.headers import check_header, known_headers, row_families, unframed
from packwire.cli.masked import masked
from packwire.cli.numbers import BytesOption
from packwire.cli.terminal import make_console
from packwire.insight.groups import Group
from packwire.insight.pairs import Pair, Pairs, Reply, find_pairs
from packwire.messages import Messages
from packwire.visible import json_text


def pairs(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    header: int | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
    redact: Annotated[bool, Parameter(negative=())] = False,
    keep_secrets: Annotated[bool, Parameter(negative=())] = False,
    bytes_: BytesOption = "hex",
) -> int:
    """Show the requests in a capture with their replies: how many, how soon, how many were not answered.

    Parameters
    ----------
    file
        The capture; `-` is standard input.
    header
        How many first bytes tell the kinds of messages apart; found where it is not given.
    json
        One JSON object a kind of request instead of text.
    redact
        To be shared: made-up Bluetooth addresses and names, and all masked that `packwire convert` masks.
    keep_secrets
        Show hub logins, passwords and configurations (with their Wi-Fi keys) in clear.
    """
    check_header(header)
    capture = masked(
        open_capture(file, decimal=bytes_ == "decimal"), redact=redact, keep_secrets=keep_secrets
    )
    messages = capture.messages
    found = find_pairs(
        messages, known_headers([capture])[0] if header is None else header, row_families(capture)
    )
    if json:
        for pair in found.pairs:
            print(json_text(_record(messages, pair)))
    else:
        _show(make_console(), messages, found, unframed(capture) if header is None else None)
    if capture.damage:
        return ExitCode.BAD_FILE
    return ExitCode.OK if found.pairs else ExitCode.NO_ANSWER


def _show(console: Console, messages: Messages, found: Pairs, pieces: NDArray[np.bool_] | None) -> None:
    if not found.pairs:
        console.print("no requests in this file; `packwire info` says what is in it")
    for pair in found.pairs:
        missing = f", {pair.unanswered} without reply" if pair.unanswered else ""
        console.print(Text.assemble((title(pair.request), "bold"), f": {_times(len(pair.request))}{missing}"))
        console.print(f"  such as {_example(messages, pair.request)}")
        for reply in pair.replies:
            console.print(f"  -> {title(reply.group)}: {_times(reply.count)}{_latency(reply)}")
    if found.unasked:
        heading = "no reply to any request" if found.pairs else "messages"
        console.print(heading, style="bold")
    whole, folded = fold(messages, found.unasked, pieces)
    for group in whole:
        console.print(f"  {title(group)}: {_times(len(group))}")
    for line in folded:
        console.print(f"  {line}")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _latency(reply: Reply) -> str:
    if reply.median is None or reply.longest is None:
        return ""
    return f", after {reply.median * 1000:.0f} ms (longest {reply.longest * 1000:.0f})"


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def _example(messages: Messages, group: Group) -> str:
    return messages.payload(int(group.rows[0])).hex(" ")


def _kind(messages: Messages, group: Group) -> dict[str, Any]:
    return {
        "channel": str(group.channel),
        "size": group.size,
        "header": group.header.hex(),
        "example": messages.payload(int(group.rows[0])).hex(),
    }


def _record(messages: Messages, pair: Pair) -> dict[str, Any]:
    replies = [
        {
            **_kind(messages, reply.group),
            "count": reply.count,
            "median_ms": _milliseconds(reply.median),
            "longest_ms": _milliseconds(reply.longest),
        }
        for reply in pair.replies
    ]
    request = {**_kind(messages, pair.request), "count": len(pair.request)}
    return {"type": "pair", "request": request, "unanswered": pair.unanswered, "replies": replies}
