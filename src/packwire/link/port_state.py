"""How a serial port stands before anybody opens it: whether it is there, who may open it, who has it open.

Opening a port moves its lines (DTR, RTS) and may restart what hangs on it, so that nothing is opened here.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: Where Linux tells what each process has open [proc_pid_fd(5)], and so many of both are looked at.
PROCESSES: Final = Path("/proc")
_MOST_PROCESSES: Final = 8192
_MOST_FILES: Final = 4096
_MOST_HOLDERS: Final = 16


@dataclass(frozen=True, slots=True)
class PortHolder:
    """A program that has a port open: the number of its process, and its name."""

    process: int
    program: str

    def __str__(self) -> str:
        return f"{self.program} (process {self.process})"


@dataclass(frozen=True, slots=True)
class PortState:
    """A port: `there` and `device` as the file is, `allowed` whether this user may read and write it.

    `group` owns it (empty where that is not known). `holders` are the programs that have it open, as far as
    the system tells this user: those of others it tells to root alone.
    """

    path: str
    there: bool
    device: bool
    allowed: bool
    group: str
    holders: tuple[PortHolder, ...]


def port_state(path: str) -> PortState:
    """Return how a port stands; opens nothing."""
    try:
        found = Path(path).stat()
    except OSError:
        return PortState(path, there=False, device=False, allowed=False, group="", holders=())
    device = stat.S_ISCHR(found.st_mode)
    allowed = os.access(path, os.R_OK | os.W_OK, effective_ids=os.access in os.supports_effective_ids)
    # Who serves a pseudo-terminal has it open, too.
    holders = () if path.startswith("/dev/pts/") else tuple(holders_of(path))
    return PortState(path, True, device, allowed, _group(found.st_gid), holders)


def _group(number: int) -> str:
    try:
        import grp  # noqa: PLC0415 - Windows has no such module

        return grp.getgrgid(number).gr_name
    except (ImportError, KeyError):
        return ""


def holders_of(path: str, processes: Path = PROCESSES) -> Iterator[PortHolder]:
    """Yield the other programs that have a port open, as far as the system tells; none where it does not."""
    wanted, found = os.path.realpath(path), 0
    for process in _numbers(processes, _MOST_PROCESSES):
        if process.name == str(os.getpid()):
            continue
        if any(_leads_to(each, wanted) for each in _numbers(process / "fd", _MOST_FILES)):
            yield PortHolder(int(process.name), _name(process))
            found += 1
            if found == _MOST_HOLDERS:
                return


def _numbers(folder: Path, most: int) -> Iterator[Path]:
    with suppress(OSError):
        for count, each in enumerate(folder.iterdir()):
            if count == most:
                return
            if each.name.isdecimal():
                yield each


def _leads_to(link: Path, wanted: str) -> bool:
    try:
        return link.readlink() == Path(wanted)
    except OSError:
        return False


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text(errors="replace").strip()[:64] or "a program"
    except OSError:
        return "a program"
