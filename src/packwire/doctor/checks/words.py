"""Words that several checks share: hex of frames, what arrived instead of a reply."""

from collections import Counter
from collections.abc import Iterable

from packwire.doctor.line import Probe, Unasked
from packwire.doctor.transcript import without_secrets

#: So many bytes of a frame are shown; the rest is in the report.
SHOWN = 24


def hexed(frame: bytes) -> str:
    """Return a frame as hex, without secrets; of a long one the beginning and the last three bytes."""
    data = without_secrets(frame)
    if len(data) <= SHOWN:
        return data.hex(" ")
    return f"{data[: SHOWN - 3].hex(' ')} .. {data[-3:].hex(' ')}  ({len(data)} bytes)"


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
