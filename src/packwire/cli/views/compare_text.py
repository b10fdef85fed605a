"""The text of `packwire compare`: sessions, first divergence, verdict, and all steps side by side."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from packwire.cli.terminal import printable
from packwire.doctor.compare.session import seconds
from packwire.phrases import counted, few

type Record = dict[str, Any]

#: Longer runs of equal steps are folded.
_MAX_EQUAL = 2
MAX_LISTED = 6
#: Verdicts that only say what cannot be told.
UNDECIDED = ("cannot-tell", "not-recorded")
_COLOURS = {"certain": "bold red", "likely": "bold red", "possible": "bold yellow"}


def show(data: Record, console: Console, *, every: bool) -> None:
    """Write a comparison; `every` shows the steps that are equal too."""
    for line in (*_heads(data), Text(), *_divergence(data), *_verdict(data), *_also(data)):
        _print(line, console)
    console.print()
    _print_table(_table(data, every=every), console)
    left = data["steps_left_out"]
    if any(left):
        console.print(f"{left[0]} later requests of the reference and {left[1]} of mine are not aligned.")


def _print_table(table: Table, console: Console) -> None:
    """Print a table; where it is piped, without the blanks that fill its cells."""
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as shown:
        console.print(table)
    for line in shown.get().strip().splitlines():
        console.print(Text(line.rstrip()))


def _print(line: Text, console: Console) -> None:
    """Print a line; in a terminal what does not fit stands below its beginning, not below its indent."""
    indent = len(line.plain) - len(line.plain.lstrip())
    if console.is_terminal and line.plain:
        console.print(Padding(line[indent:], (0, 0, 0, indent)))
    else:
        console.print(line)


def _heads(data: Record) -> Iterator[Text]:
    for who in ("reference", "mine"):
        session = data[who]
        parts = [
            counted(session["asked"], "request"),
            f"{session['answered']} answered",
            *([f"{session['bad_frames']} no right frame"] if session["bad_frames"] else []),
            *([f"{session['seconds']:.1f} s"] if session["seconds"] is not None else []),
        ]
        at = f" at the hub, as a client of {session['hub_id']}" if session["hub_id"] else ""
        yield Text.assemble(
            (f"{who:<11}", "cyan"),
            (printable(session["name"]), "bold"),
            f" [{session['session']}] {session['protocol']}, {printable(session['label'] + at)}: ",
            ", ".join(parts),
        )
        for text in _besides(session, "--session N" if who == "mine" else "--reference-session N"):
            yield Text(f"{'':11}{printable(text)}", "dim")
    if data["log"] is not None:
        yield Text.assemble((f"{'log':<11}", "cyan"), log_words(data["log"]))


def _besides(session: Record, option: str) -> Iterator[str]:
    yield from (f"note: {each}" for each in session["notes"])
    others = [f"[{each['session']}] {each['label']}" for each in session["other_sessions"]]
    if others:
        yield f"not compared: {few(others, MAX_LISTED)} (choose with {option})"
    asides = session["left_aside"]
    for each in asides[:MAX_LISTED]:
        yield f"left aside: [{each['connection']}] {each['label']}, {each['why']}"
    if len(asides) > MAX_LISTED:
        yield f"left aside: {len(asides) - MAX_LISTED} more"


def log_words(log: Record) -> str:
    """Say what was understood of a log."""
    text = (
        f"{log['lines']} lines, {log['timeouts']} speak of a timeout, {log['with_time']} of them with a time,"
        f" {log['found_in_session']} found in the session"
    )
    return text if log["used"] else f"{text}: not used, the pauses are"


def _divergence(data: Record) -> Iterator[Text]:
    row, title, end = data["first_divergence"], "FIRST DIVERGENCE THAT MATTERS  ", ""
    undecided = data["verdict"]["key"] in UNDECIDED
    title = "CANNOT TELL FROM  " if undecided else title
    if row is None and not data["verdict"]["matters"]:
        row, title, end = data["first_difference"], "FIRST DIFFERENCE  ", " (no harm)"
    verdict = data["verdict"]
    if row is None and undecided:
        return
    if row is None and verdict["matters"]:
        at = f" at {verdict['at']:.4f} s" if verdict["at"] is not None else ""
        yield Text.assemble((title, "bold"), f"{verdict['whose']}{at}: the connection itself")
        yield Text()
    elif row is not None:
        request, words = row_words(row)
        yield Text.assemble((title, "bold"), (request, "bold"), f"  {words}{end}")
        yield Text()


def row_words(row: Record) -> tuple[str, str]:
    """Return what was asked, and in words where in both sessions and what is different."""
    where = []
    for who in ("reference", "mine"):
        side = row[who]
        if side is not None and side["at"] is not None:
            packet = f" (packet {side['packet']})" if side["packet"] else ""
            where.append(f"{who} at {side['at']:.4f} s{packet}")
    return printable(row["request"]), f"{', '.join(where)}: {'; '.join(row['differences'])}"


def _verdict(data: Record) -> Iterator[Text]:
    verdict = data["verdict"]
    for line in verdict["evidence"]:
        yield Text(printable(line))
    style = _COLOURS[verdict["confidence"]] if verdict["matters"] else "bold green"
    style = "bold yellow" if verdict["key"] in UNDECIDED else style
    why = list(verdict["why"])
    lead = f" {why.pop(0)}" if why else ""
    lead_in = "VERDICT: " if verdict["key"] in UNDECIDED else f"VERDICT ({verdict['confidence']}): "
    yield Text.assemble((lead_in, style), (verdict["words"], "bold"), lead)
    for line in (*why, *verdict["open"], verdict["remedy"]):
        if line:
            yield Text(f"  {printable(line)}")


def _also(data: Record) -> Iterator[Text]:
    for each in data["also"]:
        whose = "" if each["whose"] == "mine" else f" ({each['whose']})"
        lines = each["evidence"] or [each["words"]]
        yield Text.assemble((f"Also{whose}: ", "bold"), printable(" ".join(lines)))
    for name, words in (("only_in_reference", "Only the reference"), ("only_in_mine", "Only mine")):
        kinds = data[name]
        if kinds:
            yield Text(printable(f"{words} asks {few(kinds, MAX_LISTED)}."), "dim")


def _table(data: Record, *, every: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name, style in (("request", ""), ("reference", ""), ("mine", ""), ("difference", "yellow")):
        table.add_column(name, style=style, overflow="fold")
    for row in data["steps"] if every else folded(data["steps"]):
        if isinstance(row, int):
            table.add_row(f"... {row} equal steps", "", "", "", style="dim")
        else:
            table.add_row(*_cells(row), style="bold red" if row["matters"] else "")
    return table


def folded(steps: list[Record]) -> Iterator[Record | int]:
    """Yield the steps; instead of a longer run of equal ones, how many they are."""
    for different, run in groupby(steps, lambda row: bool(row["differences"] or row["in_both"])):
        some = list(run)
        if different or len(some) <= _MAX_EQUAL:
            yield from some
        else:
            yield len(some)


def _cells(row: Record) -> tuple[str, str, str, str]:
    return (
        printable(row["request"]),
        side_words(row["reference"]),
        side_words(row["mine"]),
        "; ".join((*row["differences"], *row["in_both"])),
    )


def side_words(side: Record | None) -> str:
    """Return `#30 5.0163 s, 2x, 130 bytes after 0.4 ms`; a dash where the request was not sent."""
    if side is None:
        return "-"
    place = f"#{side['packet']} " if side["packet"] else ""
    when = f"{side['at']:.4f} s" if side["at"] is not None else ""
    parts = [f"{place}{when}".strip()]
    if side["count"] > 1:
        parts.append(f"{side['count']}x")
    if side["reply_bytes"]:
        low, high = side["reply_bytes"]
        size = str(low) if low == high else f"{low} to {high}"
        after = "" if side["latency_ms"] is None else f" after {seconds(side['latency_ms'] * 1e6)}"
        parts.append(f"{size} bytes{after}")
    elif side["bad_frames"]:
        parts.append("no right frame")
    elif side["expected"]:
        parts.append("no reply")
    return ", ".join(part for part in parts if part)
