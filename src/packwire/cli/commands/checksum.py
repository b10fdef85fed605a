"""`packwire checksum`: which checksum messages have, over which bytes."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.capture import open_capture
from packwire.cli.exit_codes import ExitCode
from packwire.cli.headers import unframed
from packwire.cli.kinds import chance_text
from packwire.cli.options import BytesOption, JsonOption
from packwire.cli.terminal import make_console
from packwire.cli.views.checksum import lines, record
from packwire.direction import Direction
from packwire.errors import BadOptionError
from packwire.insight.checksum_search import Finding, search
from packwire.insight.groups import lane_rows
from packwire.messages import Messages
from packwire.phrases import counted
from packwire.visible import record_text

_DIGITS = frozenset("0123456789abcdefABCDEF")
_LONGEST = 4096


def checksum(
    *messages: Annotated[str, Parameter(allow_leading_hyphen=True)],
    thorough: Annotated[bool, Parameter(negative=())] = False,
    json: JsonOption = False,
    bytes_: BytesOption = "hex",
) -> int:
    """Find the checksum of messages: which algorithm, over which bytes, where it stands.

    Tried are sums, XOR, Fletcher, and all CRCs of 8, 16, 24 and 32 bits that are listed, then sums with a
    constant and polynomials of one's own. One message is often too few to tell; three that differ are enough.
    Where several explain the messages equally well, all are listed. Ctrl-C ends the search with what it has.

    Parameters
    ----------
    messages
        A capture, or messages in hexadecimal.
    thorough
        Look over every range and at every place; takes up to a minute for long messages.
    """
    if not messages:
        raise BadOptionError("give a capture, or messages in hexadecimal such as 'dd a5 03 00 ff fd 77'")
    found = 0
    console = make_console()
    for title, lot in _lots(messages, decimal=bytes_ == "decimal"):
        findings = _search(lot, thorough=thorough)
        found += bool(findings)
        if json:
            for each in findings:
                print(record_text(record(title, findings, each)))
            continue
        console.print(f"{title}: {counted(len(set(lot)), 'different message')}")
        for line in lines(findings, chance_text):
            console.print(f"  {line}")
    return ExitCode.OK if found else ExitCode.NO_ANSWER


def _lots(given: Sequence[str], *, decimal: bool) -> list[tuple[str, list[bytes]]]:
    """Return the messages to look at, each lot with its name: those of a capture by channel and direction."""
    texts = [text.replace(":", "").replace(" ", "") for text in given]
    if all(
        text and set(text) <= _DIGITS and not Path(said).exists()
        for text, said in zip(texts, given, strict=True)
    ):
        if odd := next((said for text, said in zip(texts, given, strict=True) if len(text) % 2), None):
            raise BadOptionError(f"{odd[:40]!r} has an odd number of digits: write two a byte")
        return [("given", [bytes.fromhex(text)[:_LONGEST] for text in texts])]
    result = []
    for path in given:
        capture = open_capture(path, decimal=decimal)
        # Pieces of frames have no checksum.
        table = capture.messages.select(~unframed(capture))
        result += [
            (f"{_way(lane[0])} {lane[1]}", lot)
            for lane, rows in lane_rows(table).items()
            if not lane[1].subscribes and (lot := _some(table, rows.tolist()))
        ]
    return result


def _some(table: Messages, rows: Sequence[int]) -> list[bytes]:
    different = dict.fromkeys(table.payload(row) for row in rows if 2 < table.size[row] <= _LONGEST)
    return list(different)


def _way(direction: Direction) -> str:
    return {Direction.TO_DEVICE: "to", Direction.FROM_DEVICE: "from"}.get(direction, "on")


def _search(lot: Sequence[bytes], *, thorough: bool) -> tuple[Finding, ...]:
    found: tuple[Finding, ...] = ()
    shown = sys.stderr.isatty()
    try:
        for step in search(lot, thorough=thorough):
            found = step.found
            if shown:
                print(f"\r{100 * step.done // step.total:3d} %", end="", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("stopped: this is what was found so far", file=sys.stderr)
    if shown:
        print("\r     \r", end="", file=sys.stderr, flush=True)
    return found
