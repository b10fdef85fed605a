"""`packwire capture`: a guided recording, checked on the spot; and the procedure that finds a switch."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from packwire.capture import Capture, open_capture
from packwire.capture.content import look
from packwire.capture.writers import PACKET_FORMATS
from packwire.capture.writers.private import private
from packwire.cli.diffing import diff_states
from packwire.cli.exit_codes import ExitCode
from packwire.cli.options import ForOption, OutOption
from packwire.cli.recording import programs as recorders
from packwire.cli.recording.guides import GUIDES, SWITCH_STEPS, Guide
from packwire.cli.recording.states import assign, check_alike, diff_arguments, parse_states, session
from packwire.cli.terminal import Writer, make_console, printable
from packwire.cli.views.info import lines
from packwire.errors import BadFileError, BadOptionError

type System = Literal["android", "ios", "macos", "linux", "windows", "network"]

#: What a recorder writes, by program.
_SUFFIXES = {"btmon": ".btsnoop", "dumpcap": ".pcapng", "tcpdump": ".pcap", "adb": ".btsnoop"}


def capture(
    system: System | None = None,
    /,
    *,
    out: OutOption = None,
    steps: Annotated[bool, Parameter(negative=())] = False,
    for_: ForOption = None,
    interface: Annotated[str, Parameter(alias="-i")] = "any",
    device: str | None = None,
    states: str | None = None,
    rounds: int = 2,
    recordings: Annotated[
        list[Path] | None, Parameter(consume_multiple=True, allow_leading_hyphen=False)
    ] = None,
) -> int:
    """Record what an app says to a battery: exact steps, the recording where a tool is here, and a check.

    The recording is written to the folder that you are in, and nothing is sent anywhere. With --states the
    procedure for a switch: it asks for one session in each state, again and again, checks that each repeats
    itself, and compares them with `packwire diff`.

    Parameters
    ----------
    system
        Where the app runs: android, ios, macos, linux, windows, or network (a VESC on TCP).
    out
        The file to write.
    steps
        Only show the steps.
    interface
        The network interface to listen at.
    device
        The address or name (or a part of it) of your battery: check that the recording speaks of it.
    states
        The states of a switch, such as `on,off`.
    rounds
        How many sessions of each state to ask for: two tell chance from cause.
    recordings
        Recordings that are there already, in the order on, off, on, off.
    """
    tell = Writer(make_console())
    if states is not None:
        return _switch(tell, system, parse_states(states), recordings, rounds, interface, for_)
    if recordings:
        return max(_check(tell, open_capture(path), device) for path in recordings)
    if system is None:
        raise BadOptionError(f"say where the app runs: packwire capture {'|'.join(GUIDES)}")
    guide = GUIDES[system]
    tool = None if steps else recorders.find_tool(guide.tools)
    if tool is None:
        _show_steps(tell, guide, asked=steps)
        return ExitCode.OK
    path = _target(out, system, tool)
    recorded = _android(tell, path) if tool == "adb" else _live(tell, tool, path, interface, for_)
    return _check(tell, recorded, device)


def _show_steps(tell: Writer, guide: Guide, *, asked: bool) -> None:
    tell.line((guide.title, "bold"))
    for number, step in enumerate(guide.steps, 1):
        tell.line(f"  {number}. {step}")
    if guide.tools and not asked:
        names = " nor ".join(guide.tools)
        tell.line(("  here: ", "cyan"), f"no {names} on this machine, so the recording is yours to make")


def _target(out: Path | None, stem: str, tool: str) -> Path:
    """Return the file to write; never one that is there already."""
    if out is not None:
        if out.exists():
            raise BadOptionError(f"{out} is there already: give another name with --out")
        if out.suffix.lower() in {".pcap", ".pcapng", ".btsnoop"} and out.suffix.lower() != _SUFFIXES[tool]:
            raise BadOptionError(
                f"{out}: {tool} writes {_SUFFIXES[tool][1:]}: give a name that ends in {_SUFFIXES[tool]}"
            )
        return out
    number = 1
    while (path := Path(f"{stem}-{number}{_SUFFIXES[tool]}")).exists():
        number += 1
    return path


def _live(tell: Writer, tool: str, path: Path, interface: str, seconds: float | None) -> Capture:
    """Record with a program of this machine."""
    until = "press Enter to stop" if seconds is None else f"for {seconds:g} s"
    tell.line(
        ("recording ", "bold green"), f"to {printable(str(path))} with {tool}: use the app now; {until}"
    )
    asyncio.run(recorders.record(tool, path, interface, seconds))
    if not path.exists():
        raise BadFileError(f"{path}: {tool} wrote nothing: it may need root (sudo)")
    return open_capture(path)


def _android(tell: Writer, path: Path) -> Capture:
    """Check the phone's setting, wait for the user, fetch the bug report, take the snoop log out of it."""
    serial = asyncio.run(recorders.android_phone())
    mode = asyncio.run(recorders.snoop_mode(serial))
    tell.line(("phone ", "bold"), f"{printable(serial)}, snoop log: {printable(mode) or 'not set'}")
    if not recorders.records_all(mode):
        for number, step in enumerate(GUIDES["android"].steps[:3], 1):
            tell.line(f"  {number}. {step}")
        _ask(tell, "Press Enter when that is done.")
        mode = asyncio.run(recorders.snoop_mode(serial))
        if mode.lower() in ("filtered", "disabled"):
            raise BadOptionError(
                f"the phone's snoop log is still {mode}: nothing of the app's data would be recorded. Choose"
                " Enabled in the developer options, then turn Bluetooth off and on"
            )
    _ask(tell, GUIDES["android"].steps[3] + " Then press Enter.")
    report = path.with_suffix(".bugreport.zip")
    tell.line("fetching the bug report; that takes a minute or more")
    asyncio.run(recorders.bug_report(serial, report))
    found = open_capture(report)
    with open(path, "wb", opener=private) as file:
        PACKET_FORMATS["btsnoop"](found.packets, file)
    tell.line(("wrote ", "bold green"), printable(str(path)), f" from {printable(str(report))}")
    return open_capture(path)


def _ask(tell: Writer, text: str) -> str:
    """Show what to do and wait for a line. Raises BadOptionError where nobody is there to press a key."""
    tell.line(("> ", "bold cyan"), text)
    sys.stdout.flush()
    answer = sys.stdin.readline()
    if not answer:
        raise BadOptionError(
            "nobody answers (standard input is at its end): run this in a terminal, or give --recordings"
        )
    return answer.strip()


def _check(tell: Writer, recorded: Capture, device: str | None) -> int:
    """Show what was recorded, and whether it is what was wanted."""
    content = look(recorded)
    for line in lines(recorded, content):
        tell.line(*line)
    if not content.messages:
        return ExitCode.NO_DATA
    wanted = (device or "").lower()
    known = [each for each in content.devices if wanted in f"{each.address} {each.name}".lower()]
    channels = [each for each in content.channels if wanted in each.name.lower()]
    if wanted and not any(each.connections for each in known) and not channels:
        tell.line(
            ("not this device: ", "bold yellow"), f"no connection to {printable(wanted)} is in the recording"
        )
        return ExitCode.NO_DATA
    tell.line(("good: ", "bold green"), f"{content.messages} messages; look at them with packwire messages")
    return ExitCode.BAD_FILE if recorded.damage else ExitCode.OK


def _switch(
    tell: Writer,
    system: System | None,
    states: Sequence[str],
    files: list[Path] | None,
    rounds: int,
    interface: str,
    seconds: float | None,
) -> int:
    """Collect one session after the other, refuse what does not repeat itself, then compare."""
    sessions = []
    if files:
        names = [str(path) for path in files]
        given = assign(states, names)
        order = [(states[index % len(states)], name) for index, name in enumerate(names)]
        for state, name in order:
            sessions.append(session(state, open_capture(name)))
            check_alike(sessions)
            tell.line(("good ", "green"), printable(f"{state}: {name}"))
    else:
        names = []
        for number in range(rounds * len(states)):
            state = states[number % len(states)]
            while True:
                name = _one_session(tell, system, state, number // len(states) + 1, interface, seconds)
                try:
                    found = session(state, open_capture(name))
                    check_alike([*sessions, found])
                except (BadOptionError, BadFileError) as error:
                    tell.line(("again: ", "bold yellow"), printable(str(error)))
                    continue
                break
            sessions.append(found)
            names.append(name)
            tell.line(("good ", "green"), printable(f"{state}: {name}"))
        given = assign(states, names)
    return _compare(tell, given)


def _one_session(
    tell: Writer, system: System | None, state: str, number: int, interface: str, seconds: float | None
) -> str:
    """Guide through one session; return the file that holds it."""
    tell.line((f"{state}, session {number}", "bold"))
    tool = recorders.find_tool(GUIDES[system].tools) if system in ("linux", "network") else None
    for count, step in enumerate(SWITCH_STEPS, 1):
        tell.line(f"  {count}. {step.format(state=state)}")
    if tool is None:
        return _ask(tell, "Then type the name of the recording and press Enter:")
    _ask(tell, "Do steps 1 and 2, then press Enter: the recording starts.")
    path = _target(None, f"{state}-{number}", tool)
    _live(tell, tool, path, interface, seconds)
    return str(path)


def _compare(tell: Writer, given: dict[str, list[str]]) -> int:
    """Compare the sessions; the line that is shown does the same once more."""
    tell.line(("packwire ", "dim"), printable(" ".join(diff_arguments(given))))
    sys.stdout.flush()
    return diff_states(given)
