"""Zip archives, above all Android's bug reports: finds the capture inside and unpacks it within bounds.

In a bug report the Bluetooth log lies below FS/data/misc/bluetooth/logs or FS/data/log/bt (Samsung); where
the snoop log was off, the report's text still has a section with headers (`btsnooz`).
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Buffer, Callable, Iterator
from typing import override

import numpy as np

from packwire.capture.formats import gzipped
from packwire.capture.packets import HEAD
from packwire.capture.text.lines import encoding, is_text, lines
from packwire.errors import BadFileError
from packwire.messages import Bytes
from packwire.phrases import counted

#: Members that are looked at, and how large the archive's directory may be.
MAX_MEMBERS = 20_000
_MAX_DIRECTORY = 8 << 20
#: How much of a text is searched for the section of a bug report.
_MAX_SEARCHED = 512 << 20
#: As for a capture, see `gzipped`; but a text is let go of again, and only its section becomes packets.
_FREE_SEARCHED, _MAX_SEARCH_RATIO = 64 << 20, 20

_CHUNK = 1 << 20
_END_RECORD = struct.Struct("<4s4H2LH")
_DEFECTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    NotImplementedError,
    UnicodeError,
    OverflowError,
    IndexError,
)
#: How the names of files begin in archives whose texts are no logs: Android's bug reports, apps, documents.
_OTHER_ARCHIVES = ("FS/", "AndroidManifest.xml", "[Content_Types].xml")
_LOGS = ("data/misc/bluetooth/logs/", "data/log/bt/", "btsnoop")


class _View(io.RawIOBase):
    """A file over bytes that are mapped already, so that they are not copied."""

    def __init__(self, view: memoryview) -> None:
        super().__init__()
        self._view, self._at = view, 0

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def tell(self) -> int:
        return self._at

    @override
    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, len(self._view))[whence])
        return self._at

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        target = memoryview(buffer).cast("B")
        piece = self._view[self._at : self._at + len(target)]
        target[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def matches(head: bytes) -> bool:
    """Tell whether a file begins with a zip member."""
    return head.startswith(b"PK\x03\x04")


def expand(
    data: Bytes,
    is_capture: Callable[[bytes], bool],
    is_text_log: Callable[[bytes], bool],
    holds_section: Callable[[Bytes], bool],
    *,
    any_text: bool = False,
) -> tuple[Bytes, str, tuple[str, ...]]:
    """Unpack the capture in an archive; return its bytes, its name, and what else was found or damaged.

    Logs of the places that Android uses come first, then anything `is_capture` knows by its first bytes (the
    largest where there are several), then a text that holds a section, then the archive's only file if that
    is a text log. With `any_text` all texts come last, but for a bug report's, each under its name as `tail`
    prints it. Raises BadFileError where there is none.
    """
    view = memoryview(data)
    _check_directory(view)
    try:
        with zipfile.ZipFile(io.BufferedReader(_View(view))) as archive:
            members = [each for each in archive.infolist()[:MAX_MEMBERS] if _readable(each)]
            return _chosen(archive, members, is_capture, is_text_log, holds_section, any_text=any_text)
    except _DEFECTS as error:
        raise BadFileError(f"a zip archive that cannot be read ({_words(error)}): copy it again") from error


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _chosen(
    archive: zipfile.ZipFile,
    members: list[zipfile.ZipInfo],
    is_capture: Callable[[bytes], bool],
    is_text_log: Callable[[bytes], bool],
    holds_section: Callable[[Bytes], bool],
    *,
    any_text: bool,
) -> tuple[Bytes, str, tuple[str, ...]]:
    captures = [each for each in members if is_capture(_head(archive, each))]
    captures.sort(key=lambda each: (_is_log(each), each.file_size), reverse=True)
    if captures:
        best, *others = captures
        content, damage = _unpack(archive, best)
        return content, best.filename, (*damage, *_not_read(others, "other capture"))
    texts = sorted(
        (each for each in members if each.filename.lower().endswith((".txt", ".log"))),
        key=lambda each: each.file_size,
        reverse=True,
    )
    searched = 0
    for each in texts[:10]:
        if (searched := searched + each.file_size) > _MAX_SEARCHED:
            break
        content, damage = _unpack(archive, each, max(_FREE_SEARCHED, _MAX_SEARCH_RATIO * each.compress_size))
        if holds_section(content):
            return content, each.filename, damage
    if any_text and not any(each.filename.startswith(_OTHER_ARCHIVES) for each in members):
        logs = [each for each in members if is_text(_head(archive, each))]
    else:
        logs = [each for each in members if len(members) == 1 and is_text_log(_head(archive, each))]
    left = _not_read([each for each in members if each not in logs], "other file")
    if len(logs) == 1:
        content, damage = _unpack(archive, logs[0])
        return content, logs[0].filename, (*damage, *left)
    if logs:
        content, name, damage = _joined(archive, logs)
        return content, name, (*damage, *left)
    raise BadFileError(
        f"a zip archive with no capture among its {len(members)} files: if it is a bug report, switch on the"
        " Bluetooth HCI snoop log in the developer options, switch Bluetooth off and on, and record again"
    )


def _not_read(members: list[zipfile.ZipInfo], what: str) -> Iterator[str]:
    if members:
        names = ", ".join(each.filename for each in members[:3]) + (", ..." if len(members) > 3 else "")
        are = "is" if len(members) == 1 else "are"
        yield f"{counted(len(members), what)} in the archive {are} not read: {names}"


def _joined(archive: zipfile.ZipFile, texts: list[zipfile.ZipInfo]) -> tuple[Bytes, str, tuple[str, ...]]:
    limit = gzipped.most(sum(each.compress_size for each in texts), b"text")
    result = bytearray()
    damage: list[str] = []
    for each in texts:
        if len(result) >= limit:
            damage.append(gzipped.left_out(each.filename, limit))
            break
        content, more = _unpack(archive, each, limit - len(result))
        damage.extend(more)
        result += f"==> {each.filename} <==\n".encode(errors="replace")
        # Each may have an encoding of its own.
        result += content.tobytes() if not encoding(content[:HEAD].tobytes()) else _in_utf8(content)
        result += b"\n"
    return np.frombuffer(result, dtype=np.uint8), ", ".join(each.filename for each in texts), tuple(damage)


def _in_utf8(text: Bytes) -> bytes:
    return "\n".join(lines(text)).encode(errors="replace")


def _readable(member: zipfile.ZipInfo) -> bool:
    """Tell whether a member is a file that can be unpacked in small steps (the other methods cannot)."""
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    return not member.is_dir() and member.file_size > 0 and member.compress_type in methods


def _is_log(member: zipfile.ZipInfo) -> bool:
    return any(place in member.filename for place in _LOGS)


def _check_directory(view: memoryview) -> None:
    """Refuse a directory larger than any archive of captures has; zipfile itself would read it whole."""
    tail = view[-(65_536 + _END_RECORD.size) :].tobytes()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END_RECORD.size > len(tail):
        raise BadFileError(f"a zip archive that is cut off at offset {len(view)}: copy it again")
    size = _END_RECORD.unpack_from(tail, at)[5]
    if size > _MAX_DIRECTORY or b"PK\x06\x07" in tail[:at]:
        raise BadFileError("a zip archive with too many files: unpack it and give the capture inside")


def _head(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return how a member begins; nothing where it cannot be read (an unknown method, a password)."""
    try:
        with archive.open(member) as file:
            return file.read(HEAD)
    except _DEFECTS:
        return b""


def _unpack(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int = 0
) -> tuple[Bytes, tuple[str, ...]]:
    """Unpack a file, up to `limit` (0: what `gzipped.most` allows); also say what is wrong with it."""
    limit = limit or gzipped.most(member.compress_size, _head(archive, member))
    result = bytearray()
    damage: tuple[str, ...] = ()
    try:
        with archive.open(member) as file:
            while piece := file.read(_CHUNK):
                result += piece
                if len(result) > limit:
                    del result[limit:]
                    damage = (gzipped.left_out(member.filename, limit),)
                    break
    except _DEFECTS as error:
        damage = (
            f"{member.filename} in the archive is damaged ({_words(error)}): {len(result)} bytes are kept",
        )
    return np.frombuffer(result, dtype=np.uint8), damage
