"""Words that several checks share: hex of frames, who a node is, what arrived instead of a reply."""

from collections import Counter
from collections.abc import Iterable

from packwire.doctor.line import Probe, Unasked
from packwire.doctor.transcript import without_secrets
from packwire.vesc.hardware import hardware_label
from packwire.vesc.hublogin import Role
from packwire.vesc.replies import BmsValues, FwVersion

#: So many bytes of a frame are shown; the rest is in the report.
SHOWN = 24


def hexed(frame: bytes, limit: int = SHOWN) -> str:
    """Return a frame as hex, without secrets; of a long one the beginning and the last three bytes."""
    data = without_secrets(frame)
    if len(data) <= limit:
        return data.hex(" ")
    return f"{data[: limit - 3].hex(' ')} .. {data[-3:].hex(' ')}  ({len(data)} bytes)"


def who(can_id: int | None) -> str:
    """Return `the device` or `CAN id 84`."""
    return "the device" if can_id is None else f"CAN id {can_id}"


def version_words(version: FwVersion) -> str:
    """Return `VESC Express T, firmware 7.00 (VESC Express)`."""
    label = hardware_label(version.hw_type)
    return f"{plain(version.hw_name or 'nameless')}, firmware {version.version} ({label})"


def pack_words(pack: BmsValues) -> str:
    """Return `83.92 V, 20 cells, 4.187..4.199 V`."""
    words = f"{pack.v_tot or 0.0:.2f} V"
    cells = pack.v_cell or ()
    if not cells:
        return f"{words}, no cells"
    return f"{words}, {len(cells)} cells, {min(cells):.3f}..{max(cells):.3f} V"


def instead(probe: Probe) -> str:
    """Say what arrived instead of a reply."""
    if probe.damaged and not probe.closed:
        return f"{probe.received} bytes arrived, but with a wrong checksum or stop byte"
    if probe.cut is not None:
        cut = probe.cut
        end = "the connection was closed" if probe.closed else "the rest never came"
        return f"a frame of {cut.expected} bytes began, {cut.arrived} of them arrived, then {end}"
    if probe.closed:
        return "the other end closed the connection"
    if probe.others:
        return f"only other packets arrived: {packets(probe.others)}"
    if probe.received:
        return f"{probe.received} bytes arrived, but no frame among them"
    return "nothing at all arrived"


def packets(messages: Iterable[Unasked]) -> str:
    """Return `3 x PRINT, 1 x LISP_PRINT`."""
    counts = Counter(messages)
    return ", ".join(f"{count} x {message.name}" for message, count in sorted(counts.items()))


def plain(text: str) -> str:
    """Return text from a device without characters that could reprogram a terminal."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def few(names: Iterable[str], limit: int = 6) -> str:
    """Return `a, b, c and 4 more`."""
    listed = list(names)
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more


def without_login(head: bytes) -> bytes:
    """Cut off a login that somebody sent back: it holds a password."""
    at = head.upper().find(Role.CLIENT.encode())
    return head if at < 0 else head[:at] + b"(login)"
