"""Vector's BLF (binary logging format), read by python-can (extra `can`) in a bounded process of its own."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from packwire.capture.formats import blf_process
from packwire.capture.packets import PacketDirection, Packets
from packwire.capture.text.can import FD_FORMAT, FD_PASSIVE, FD_SWITCHED, can_frame, can_row, error_frame
from packwire.capture.text.grammar import Row, Unread
from packwire.capture.text.table import MAX_ROWS, Table
from packwire.errors import BadFileError, missing_extra
from packwire.messages import Bytes

NAME = "Vector BLF log"

_MAGIC = b"LOGG"
#: How long the process may take.
_SECONDS = 150.0
_BLOCK = 1 << 20


def matches(head: bytes) -> bool:
    """Tell whether the file begins as BLF files do."""
    return head.startswith(_MAGIC)


def read(data: Bytes) -> Packets:
    """Find the frames. Raises MissingExtraError without python-can, BadFileError where there is no frame."""
    table = Table()
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as records:
        for at in range(0, len(data), _BLOCK):
            source.write(data[at : at + _BLOCK].tobytes())
        source.seek(0)
        damage = _run(source, records)
        records.seek(0)
        _fill(table, records)
    if damage:
        table.damage.append(f"the BLF file is damaged: {damage}; the frames before are kept")
    if not len(table):
        why = f": {damage}" if damage else ""
        raise BadFileError(f"a BLF file in which python-can finds no CAN frame{why}")
    return table.packets(NAME)


def _run(source: IO[bytes], records: IO[bytes]) -> str:
    """Let the process write its records; return what is wrong with the file, or nothing."""
    # -P: the folder of the program is not searched for modules.
    command = [sys.executable, "-P", str(Path(blf_process.__file__))]
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            command, stdin=source, stdout=records, stderr=subprocess.PIPE, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"reading it takes longer than {_SECONDS:.0f} s"
    if done.returncode == blf_process.NO_LIBRARY:
        raise missing_extra("can", "reading Vector BLF logs")
    if done.returncode == 0:
        return ""
    said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return said[:200] or f"the process that reads it was ended ({done.returncode})"


def _fill(table: Table, records: IO[bytes]) -> None:
    header = blf_process.RECORD
    number = 0
    while len(head := records.read(header.size)) == header.size and len(table) < MAX_ROWS:
        number += 1
        time, way, bus, flags, identifier, size = header.unpack(head)
        outcome = _row(time, PacketDirection(way), f"can{bus}", flags, identifier, records.read(size))
        if isinstance(outcome, Row):
            table.add(outcome, number, "")
        else:
            table.count(outcome, number, f"identifier {identifier:#x}")


def _row(time: int, way: PacketDirection, bus: str, flags: int, identifier: int, data: bytes) -> Row | Unread:
    if flags & blf_process.ERROR:
        return can_row(error_frame(), way, bus, time)
    fd = (
        FD_FORMAT
        | FD_SWITCHED * bool(flags & blf_process.SWITCHED)
        | FD_PASSIVE * bool(flags & blf_process.PASSIVE)
        if flags & blf_process.FD
        else 0
    )
    frame = can_frame(
        identifier,
        data,
        extended=bool(flags & blf_process.EXTENDED),
        remote=bool(flags & blf_process.REMOTE),
        fd=fd,
    )
    return can_row(frame, way, bus, time)
