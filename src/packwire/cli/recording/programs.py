"""The programs that record, run as they are installed on this machine: adb, btmon, dumpcap, tcpdump."""

import asyncio
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from packwire.errors import BadFileError, NoAnswerError, Reason, UnreachableError

#: A bug report takes minutes on an old phone.
_BUGREPORT_SECONDS = 900
_COMMAND_SECONDS = 30
#: How long a recorder gets to write what it has when it is asked to stop.
_STOP_SECONDS = 10
#: What the programs write may hold passwords: it is for its owner alone. (-1: Windows has no such thing.)
_OWNER_ONLY = -1 if sys.platform == "win32" else 0o077
#: What the snoop log's mode reads where everything is recorded. Not set: the maker decides.
_FULL_MODES = ("full",)


class Finished(NamedTuple):
    """How a program ended."""

    code: int
    out: str
    err: str


def find_tool(names: tuple[str, ...]) -> str | None:
    """Return the first of these programs that is on PATH."""
    return next((name for name in names if shutil.which(name)), None)


async def run(*command: str, seconds: float = _COMMAND_SECONDS) -> Finished:
    """Run a program to its end. Raises NoAnswerError where it takes too long."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        umask=_OWNER_ONLY,
    )
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate()
    except TimeoutError:
        raise NoAnswerError(f"{command[0]} did not finish within {seconds:g} s: try again") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return Finished(process.returncode or 0, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


async def record(tool: str, target: Path, interface: str, seconds: float | None) -> None:
    """Record until Enter is pressed or the time is over. Raises UnreachableError where the program fails."""
    commands = {
        "btmon": ("btmon", "-w", str(target)),
        "dumpcap": ("dumpcap", "-q", "-i", interface, "-w", str(target)),
        "tcpdump": ("tcpdump", "-i", interface, "-s", "0", "-U", "-w", str(target)),
    }
    process = await asyncio.create_subprocess_exec(
        *commands[tool],
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        umask=_OWNER_ONLY,
    )
    assert process.stderr is not None
    said = asyncio.ensure_future(process.stderr.read())
    ended = asyncio.ensure_future(process.wait())
    enough = asyncio.ensure_future(_enter() if seconds is None else asyncio.sleep(seconds))
    try:
        await asyncio.wait((ended, enough), return_when=asyncio.FIRST_COMPLETED)
        if ended.done() and process.returncode:
            last = (await said).decode("utf-8", "replace").strip().splitlines()[-1:]
            raise UnreachableError(
                f"{tool} ended with {process.returncode} ({' '.join(last) or 'it said nothing'}): it may need"
                " root (sudo)",
                reason=Reason.NOT_ALLOWED,
            )
    finally:
        enough.cancel()
        await _stop(process)
        await ended
        await said


async def _enter() -> None:
    """Wait for Enter, or for the end of standard input."""
    loop = asyncio.get_running_loop()
    pressed = asyncio.Event()
    try:
        loop.add_reader(sys.stdin.fileno(), pressed.set)
    except (NotImplementedError, PermissionError, ValueError):  # Windows, a file, none at all
        await loop.run_in_executor(None, sys.stdin.readline)
        return
    try:
        await pressed.wait()
        sys.stdin.readline()
    finally:
        loop.remove_reader(sys.stdin.fileno())


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Ask a recorder to write what it has and end; end it where it does not."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()


async def android_phone() -> str:
    """Return the serial number of the one phone that adb sees. Raises UnreachableError otherwise."""
    result = await run("adb", "devices")
    lines = [line.split("\t") for line in result.out.splitlines()[1:] if "\t" in line]
    ready = [serial for serial, state in lines if state.strip() == "device"]
    if len(ready) == 1:
        return ready[0]
    if len(ready) > 1:
        raise UnreachableError(
            f"adb sees {len(ready)} phones: unplug all but the one to record", reason=Reason.BUSY
        )
    if any(state.strip() == "unauthorized" for _, state in lines):
        raise UnreachableError(
            "the phone does not allow this computer yet: unlock it and accept USB debugging",
            reason=Reason.NOT_ALLOWED,
        )
    raise UnreachableError(
        "adb sees no phone: plug it in, and turn USB debugging on in its developer options",
        reason=Reason.NOT_THERE,
    )


async def snoop_mode(serial: str) -> str:
    """Return the mode of the phone's snoop log: full, filtered, disabled, ... (empty: not set)."""
    result = await run("adb", "-s", serial, "shell", "getprop", "persist.bluetooth.btsnooplogmode")
    return result.out.strip()


def records_all(mode: str) -> bool:
    """Tell whether a snoop log of this mode holds everything."""
    return mode.lower() in _FULL_MODES


async def bug_report(serial: str, target: Path) -> None:
    """Fetch a bug report with the snoop log in it. Raises BadFileError where none arrives."""
    result = await run("adb", "-s", serial, "bugreport", str(target), seconds=_BUGREPORT_SECONDS)
    if result.code or not target.exists():  # noqa: ASYNC240 - a look at the file system takes no time
        last = (result.err or result.out).strip().splitlines()[-1:]
        raise BadFileError(
            f"{target}: no bug report arrived ({' '.join(last) or 'adb said nothing'}): take it on the phone"
            " (Developer options > Take bug report) and copy the .zip"
        )
