"""`packwire diff`: which bits tell states apart, between recordings or within one."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.capture import Capture
from packwire.capture.packets import NO_TIME
from packwire.cli.diffing import show_differences
from packwire.cli.exit_codes import ExitCode
from packwire.cli.headers import check_header, known_headers
from packwire.cli.masked import open_masked
from packwire.cli.options import AllOption, BytesOption, JsonOption, KeepSecretsOption, RedactOption
from packwire.cli.terminal import make_console
from packwire.errors import BadOptionError
from packwire.insight.segments import Cut, at_times, by_recording
from packwire.insight.writes import count_logins, cuts_at_writes

#: A PREFIX behind --split-at-writes: bytes in hexadecimal.
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?)+")


_NO_WRITES = "no writes that set anything: the app only polls here; give --split-at-writes PREFIX or --at"
_REST = "their replies only answer them, and no other write sets anything; --at cuts at times"


def diff(
    *files: str,
    split_at_writes: Annotated[bool, Parameter(negative=())] = False,
    at: str | None = None,
    state: tuple[str, ...] = (),
    header: int | None = None,
    plain: Annotated[bool, Parameter(negative=())] = False,
    all: AllOption = False,  # noqa: A002 - it is the option's name
    json: JsonOption = False,
    redact: RedactOption = False,
    keep_secrets: KeepSecretsOption = False,
    bytes_: BytesOption = "hex",
) -> int:
    """Find the bits that tell states apart: a switch, for example.

    Two recordings, each in one state:   packwire diff on.btsnoop off.btsnoop

    Several a state, in any order:       packwire diff --state on=a,b --state off=c,d

    One recording, cut at seconds:       packwire diff --at 12.4,30.1 both.btsnoop

    One recording, cut where the app wrote the switch:   packwire diff both.btsnoop

    Each finding says how likely it is by chance: "1 in 40 000" means that in one of 40 000 recordings in
    which nothing was switched, something that changes now and then by itself looks like this. In a recording
    that was cut, what is likelier than 1 in 20 is no finding.

    Parameters
    ----------
    files
        The recordings; without --state, each is a state of its own, named like the file.
    split_at_writes
        Cut at the app's own writes, once for each control (register or command) that is written in several
        ways, and take writes with equal bytes for the same state. Polls and logins do not cut. Hexadecimal
        bytes behind it (dd5ae102) say with what the writes begin that do. A single recording is cut so where
        nothing else is said.
    at
        Cut at these seconds after the first message, separated by commas; the states alternate.
    state
        A state and its recordings, such as on=monday.pcap,friday.pcap; to be given for each state. In a
        recording cut with --at: the names of the states in turn.
    header
        How many first bytes tell the kinds of messages apart; found where it is not given.
    plain
        The plain method: group by the first bytes, keep the bits that do not change inside a segment, list
        those that only changed between segments.
    all
        Also what was set aside (checksums, counters, clocks, echoes of writes), the bits of numbers that move
        anyway, and what chance would do as well.
    """
    check_header(header)
    names, prefix = _files_and_prefix(files, split_at_writes)
    by_state = dict(_state(text) for text in state) if at is None else {}
    if sum([split_at_writes, at is not None, bool(by_state)]) > 1:
        raise BadOptionError("--split-at-writes, --at and --state name=files exclude each other")
    paths = [path for listed in by_state.values() for path in listed] + names
    if by_state and names:
        raise BadOptionError(f"{names[0]}: with --state, every file belongs behind a state's name")
    if plain and json:
        raise BadOptionError("--plain is for text: leave it out with --json")
    captures = [open_masked(path, bytes_, redact=redact, keep_secrets=keep_secrets) for path in paths]
    split = split_at_writes or (len(names) == 1 and at is None and not by_state)
    cuts = _cuts(captures, by_state, prefix=prefix, split=split, at=at, names=state)
    if not cuts:
        logins = count_logins(captures[0].messages)
        said = _NO_WRITES if not logins else f"no switch: {logins} writes are logins, {_REST}"
        make_console(stderr=json).print(said)
        return ExitCode.NO_ANSWER
    headers = known_headers(captures) if header is None else header
    return show_differences(captures, cuts, headers, plain=plain, json=json, everything=all)


def _cuts(
    captures: Sequence[Capture],
    by_state: dict[str, list[str]],
    *,
    prefix: bytes | None,
    split: bool,
    at: str | None,
    names: Sequence[str],
) -> Sequence[Cut]:
    if split or at is not None:
        if len(captures) != 1:
            raise BadOptionError("cutting needs exactly one recording")
        messages = captures[0].messages
        if split:
            return cuts_at_writes(messages, prefix)
        if len(messages) and (messages.time == NO_TIME).any():
            raise BadOptionError(
                f"{captures[0].name}: it does not say when messages came, so --at cannot cut it"
            )
        return [at_times(messages, _seconds(at or ""), names)]
    if len(captures) < 2:
        raise BadOptionError("give one recording to cut, or recordings of two states and more")
    labels = [name for name, listed in by_state.items() for _ in listed] or _labels(captures)
    return [by_recording([capture.messages for capture in captures], labels)]


def _labels(captures: Sequence[Capture]) -> list[str]:
    """Name each recording's state like its file; like its whole path where two files are named alike."""
    stems = [Path(capture.name).stem for capture in captures]
    return stems if len(set(stems)) == len(stems) else [capture.name for capture in captures]


def _files_and_prefix(files: tuple[str, ...], split: bool) -> tuple[list[str], bytes | None]:
    """Take hexadecimal bytes that are no file for the PREFIX behind --split-at-writes."""
    if split and len(files) > 1:
        for place, text in enumerate(files):
            if _HEX.fullmatch(text) and not Path(text).exists():
                return [*files[:place], *files[place + 1 :]], bytes.fromhex(text.replace(":", ""))
    return list(files), None


def _state(text: str) -> tuple[str, list[str]]:
    name, equals, listed = text.partition("=")
    paths = [path for path in listed.split(",") if path]
    if not equals or not name or not paths:
        raise BadOptionError(
            f"--state {text}: give a name and its files, such as --state on=a.btsnoop,b.btsnoop"
        )
    return name, paths


def _seconds(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise BadOptionError(f"--at {text}: give seconds separated by commas, such as 12.4,30.1") from None
